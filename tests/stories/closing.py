"""How a call ends, in summer as in winter: with the last moment of the named minute, by the clock in Larkmere."""

from datetime import timedelta

from sqlalchemy import select

from newsletter.db import db
from newsletter.models import Contribution, Issue
from newsletter.states import ContributionState

from .stage import Stage

NEWS = {
    "d.body": "Two half days in the autumn.", "agency": "Larkmere Library Service", "contact_name": "Owen Pryce",
    "contact_address": "owen@example.org", "declared": "y",
}  # fmt: skip


def it_closes(stage: Stage, issue: Issue, *, last: str, first: str, before: str) -> None:
    """Open at `last` and closed at `first`, moments in UTC: the call's page, its form, and the panel in the issue
    `before`, which is out."""
    assert issue.deadline is not None
    slug, title, words, somebody = issue.slug, issue.title, issue.deadline.words, stage.browser()
    stage.clock.to(last)
    stage.clock.at -= timedelta(seconds=30)
    page = somebody.open(f"/contribute/{slug}")
    assert f"The deadline is {words} (UK time)" in page.words
    stage.clock.to(last)
    sent = somebody.press(page, "Send to the editors", {**NEWS, "d.heading": "In the last moment"})
    assert sent.heading == "One step left"
    assert "You began before the deadline" not in sent.words
    (receipt,) = [mail for mail in stage.post_leaves() if mail.to == "owen@example.org"]
    assert f"You can edit it until {words} (UK time)." in receipt.text
    printed = somebody.open(f"/news/{before}")
    assert f"The deadline for {title} is {words} It is today. Send us your news" in printed.words
    assert f"/contribute/{slug}" in printed.html

    stage.clock.to(first)
    # A form that says nothing of when it was opened counts from its arrival: nothing but the clock decides.
    sent = somebody.press(page, "Send to the editors", {**NEWS, "opened": "", "d.heading": "A moment after it"})
    assert sent.heading == "Your text is saved"
    assert f"The deadline passed at {words}, and you sent this at 5:01pm" in sent.words
    assert "Two half days in the autumn." in sent.words
    assert somebody.open(f"/contribute/{slug}").heading == "The deadline has passed"
    printed = somebody.open(f"/news/{before}")
    assert f"The deadline for {title} was {words} It is closed." in printed.words
    assert f"/contribute/{slug}" not in printed.html

    assert came_in(slug) == {
        "In the last moment": (ContributionState.SUBMITTED, False),
        "A moment after it": (ContributionState.DRAFT, True),
    }


def came_in(slug: str) -> dict[str, tuple[ContributionState, bool]]:
    """By title: how what Owen has sent stands, and whether it was late."""
    db.session.remove()
    rows = db.session.scalars(
        select(Contribution)
        .join(Issue)
        .where(Issue.slug == slug, Contribution.contact_address == NEWS["contact_address"])
    )
    return {row.title: (row.state, row.late) for row in rows}
