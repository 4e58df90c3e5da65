"""What the issues of a rhythm are called: "December 2017", "Winter 2017", "Issue 42"."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import func, select

from .... import dates
from ....db import db
from ....i18n import gettext as _
from ....models import Issue, MailingList
from ....states import IssueNaming, IssueState

#: December to February is winter, and so on; the year is that of the day itself.
_SEASONS = (_("Winter"), _("Spring"), _("Summer"), _("Autumn"))


def title(naming: IssueNaming, day: date, number: int) -> str:
    """What the issue whose turn is `day`, the list's issue `number`, is called."""
    match naming:
        case IssueNaming.MONTH:
            return dates.month(day)
        case IssueNaming.SEASON:
            return f"{_SEASONS[day.month % 12 // 3]} {day.year}"
    return _("Issue {number}").format(number=number)


def twice(naming: IssueNaming, days: Iterable[date]) -> str:
    """A name that two of the days would get, or ""."""
    if naming is IssueNaming.NUMBER:
        return ""
    names: set[str] = set()
    for day in days:
        name = title(naming, day, 0)
        if name in names:
            return name
        names.add(name)
    return ""


def next_number(mailing_list: MailingList) -> int:
    """The number after the highest that the list has given; without any, after its issues so far."""
    highest, issues = db.session.execute(
        select(func.max(Issue.number), func.count()).where(
            Issue.list_id == mailing_list.id, Issue.state != IssueState.CANCELLED
        )
    ).one()
    return int(highest if highest is not None else issues) + 1
