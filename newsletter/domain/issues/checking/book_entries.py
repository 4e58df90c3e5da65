"""People and links of the book that have ended by the day the issue is read."""

from collections.abc import Iterator
from datetime import datetime

from .... import dates
from ....i18n import gettext as _
from ....models import Issue
from ..book import ended_uses
from .findings import Finding


def check_book(issue: Issue, at: datetime) -> Iterator[Finding]:
    """The findings of an issue that goes out `at`: sections that still name who has left, or where nothing is."""
    for use in ended_uses(issue, at):
        ended = use.entry.ended_at
        assert ended is not None, "it has ended"
        day = dates.day(dates.local(ended, issue.mailing_list.timezone))
        words = _("“{name}” is in the book as ended on {day}.")
        yield Finding(
            "book_ended", False, words.format(name=use.entry.name, day=day),
            why=_("It says why: {reason}.").format(reason=use.entry.end_reason.rstrip(".")),
            block_id=str(use.block.id), field=use.field, exact=f"{use.entry.id}\0{ended.isoformat()}",
        )  # fmt: skip
