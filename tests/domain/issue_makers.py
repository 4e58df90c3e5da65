"""Issues of the Larkmere partnership in the states that stories begin with."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from html import unescape
from pathlib import Path

from newsletter.db import transaction
from newsletter.deadlines import Deadline
from newsletter.domain.issues import approving, creating, editing, testing
from newsletter.models import Account, Issue, MailingList
from newsletter.rendering.issue import Rendered
from newsletter.states import Role
from tests.people import larkmere, staff, subscribers

AUTUMN = Path(__file__).parents[1] / "fixtures" / "larkmere-autumn.txt"
#: What the autumn issue leaves open, and what Ruth writes there: two addresses, and links that were lost on the way.
MENDED = (
    ("email:\u00a0by", "email: views@example.org by"),
    ("us by email:", "us by email: n@example.org"),
    ("View the ", "Ask us for the "),
)
NEXT_DEADLINE = Deadline.of(date(2027, 1, 15), time(17), "Europe/London")


@dataclass
class Desk:
    """A quarterly list with five readers, Ruth who edits, Ewan who approves."""

    mailing_list: MailingList
    ruth: Account
    ewan: Account


def autumn_mended() -> str:
    """The autumn issue with its holes filled."""
    text = AUTUMN.read_text(encoding="utf-8")
    for hole, words in MENDED:
        text = text.replace(hole, words)
    return text


def desk(now: datetime) -> Desk:
    mailing_list = larkmere(now)
    subscribers(now, mailing_list, 5)
    return Desk(mailing_list, staff(now), staff(now, "Ewan Marsh", Role.APPROVER))


def draft(desk: Desk, now: datetime, title: str = "December 2026") -> Issue:
    """An issue with its standing blocks, planned for next week, and nothing written yet."""
    with transaction():
        return creating.create_issue(
            desk.mailing_list, title=title, planned_at=now + timedelta(days=7), actor=desk.ruth, now=now
        )


def written(desk: Desk, now: datetime) -> Issue:
    """An issue that Ruth has finished: one section, subject, preview text, the next issue and its deadline."""
    issue = draft(desk, now)
    with transaction():
        editing.add_block(
            issue, "section", {"heading": "The Boathouse is open", "body": "<p>Families have a place by the lake.</p>"},
            position=2, actor=desk.ruth, now=now,
        )  # fmt: skip
        creating.ensure_next_issue(issue, title="March 2027", deadline=NEXT_DEADLINE, actor=desk.ruth, now=now)
        creating.change_frame(
            issue, subject="December: the Boathouse is open",
            preheader="A place by the lake, and what else is new this quarter.", actor=desk.ruth, now=now,
        )  # fmt: skip
    return issue


def tried(desk: Desk, now: datetime) -> Issue:
    """Written, and a test copy sent to Ruth."""
    issue = written(desk, now)
    prepared = approving.prepare(issue, now)
    with transaction():
        testing.send_test(issue, prepared, [desk.ruth.email], actor=desk.ruth, now=now)
    return issue


def approved(desk: Desk, now: datetime) -> Issue:
    """Tested, and approved by Ewan."""
    issue = tried(desk, now)
    prepared = approving.prepare(issue, now)
    with transaction():
        approving.submit_for_review(issue, prepared, actor=desk.ruth, now=now)
    with transaction():
        approving.approve(issue, prepared, actor=desk.ewan, now=now)
    return issue


def kinds(issue: Issue) -> list[str]:
    return [block.kind for block in issue.blocks]


def words(text: str) -> set[str]:
    """The words of a text, whatever spaces stand between them."""
    return set(re.findall(r"[\w'’-]*\w", text.replace("\u00a0", " ")))


def words_of_html(html: str) -> set[str]:
    return words(unescape(re.sub(r"<[^>]+>", " ", html)))


def forms(rendered: Rendered) -> dict[str, set[str]]:
    """The words of each form of an issue."""
    return {
        "html": words_of_html(rendered.html),
        "text": words(rendered.text),
        "web": words_of_html(str(rendered.web)),
    }
