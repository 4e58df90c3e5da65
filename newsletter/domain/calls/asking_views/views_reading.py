"""Calls for views: their pages, whether they are open, and what was answered. Reads only."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import func, select

from .... import dates
from ....db import db
from ....deadlines import GRACE, Deadline
from ....i18n import gettext as _
from ....models import Block, Issue, MailingList, ViewsAnswer, ViewsPage
from ....rendering import when
from ...subscribers.exporting import csv_line

ASK_VIEWS = "ask_views"
#: Spreadsheet programs take a file that does not begin so for one in an old character set.
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


class Standing(Enum):
    """Whether a page takes answers, and if not, why not."""

    OPEN = "open"
    CLOSED = "closed"
    CLOSED_EARLY = "closed early"


@dataclass(frozen=True)
class Question:
    """What a section asks: a heading, the words below it (stored rich text), and whether a name is wanted."""

    heading: str
    words: str
    named: bool


def find_page(public_id: uuid.UUID) -> ViewsPage | None:
    """The page at this address; None where no issue that is out leads to it."""
    return db.session.scalar(select(ViewsPage).where(ViewsPage.public_id == public_id))


def section_at(public_id: uuid.UUID) -> tuple[Block, Issue] | None:
    """The section that this will be the page of, and its issue, as long as the issue is not out."""
    chosen = (
        select(Block, Issue)
        .join(Issue, Issue.id == Block.issue_id)
        .where(Block.id == public_id, Block.kind == ASK_VIEWS, Block.deleted_at.is_(None))
    )
    found = db.session.execute(chosen).one_or_none()
    if found is None or found[1].published_at is not None or not found[0].data.get("own_page"):
        return None
    return found[0], found[1]


def question_of(data: Mapping[str, object]) -> Question:
    """What a section's data ask."""
    words = f"{data.get('question') or ''}{data.get('next') or ''}"
    return Question(str(data.get("heading") or ""), words, bool(data.get("named")))


def deadline_of(data: Mapping[str, object], zone: str) -> Deadline | None:
    """When a section says that it closes; None for what names no moment."""
    found = when.parse(str(data.get("closes") or ""))
    if found is None or not found.timed:
        return None
    try:
        return Deadline.of(found.at.date(), found.at.time(), zone)
    except ValueError:
        return None


def standing(page: ViewsPage, now: datetime) -> Standing:
    """Where the page stands now, for whoever opens it."""
    if page.deadline is None or not page.deadline.is_open(now):
        return Standing.CLOSED
    return Standing.CLOSED_EARLY if page.closed_early_at is not None else Standing.OPEN


def accepts(page: ViewsPage, now: datetime, opened_at: datetime) -> bool:
    """Whether an answer on a form opened at `opened_at` is taken now; the grace holds for an early close too."""
    if page.deadline is None or page.purged_at is not None or not page.deadline.accepts(now, opened_at):
        return False
    early = page.closed_early_at
    return early is None or (opened_at < early and now < early + GRACE)


def pages_of(lists: Iterable[MailingList]) -> list[ViewsPage]:
    """The pages of these lists' issues, newest first."""
    ids = [one.id for one in lists]
    chosen = select(ViewsPage).join(Issue, Issue.id == ViewsPage.issue_id).where(Issue.list_id.in_(ids))
    return list(db.session.scalars(chosen.order_by(ViewsPage.id.desc())))


def pages_in(issue: Issue) -> list[ViewsPage]:
    """The pages that the issue's sections lead to."""
    return list(db.session.scalars(select(ViewsPage).where(ViewsPage.issue_id == issue.id).order_by(ViewsPage.id)))


def answers_to(page: ViewsPage) -> list[ViewsAnswer]:
    """What was answered, in the order in which it came."""
    return list(db.session.scalars(select(ViewsAnswer).where(ViewsAnswer.page_id == page.id).order_by(ViewsAnswer.id)))


def number_of_answers(page: ViewsPage) -> int:
    """How many answers there are, or were before they were deleted."""
    if page.purged_at is not None:
        return page.answered
    return db.session.scalar(select(func.count()).where(ViewsAnswer.page_id == page.id)) or 0


def csv_lines(page: ViewsPage) -> Iterator[str]:
    """The answers as a spreadsheet in UTF-8; no cell of it is run as a formula (ASVS 1.2.10)."""
    yield _BYTE_ORDER_MARK + csv_line((_("Day"), _("Answer"), _("Name"), _("Organisation"), _("Email address")))
    zone = page.issue.mailing_list.timezone
    for answer in answers_to(page):
        day = dates.local(answer.at, zone).date().isoformat()
        yield csv_line((day, answer.body, answer.name, answer.organisation, answer.address))
