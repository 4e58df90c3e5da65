"""What is saved while people type: nothing of it is lost, little of it fills the history; and who else is here."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.domain.issues import editing, presence, versions
from newsletter.errors import Conflict
from newsletter.models import Account, Activity, Block, Presence
from newsletter.states import IssueState
from tests.domain.issue_makers import approved, desk, draft, written

Type = Callable[[str, int], None]


def _kept(block: Block) -> list[str]:
    """The headings that the history of a section holds, oldest first."""
    return [each.data["data"].get("heading", "") for each in reversed(versions.revisions(block))]


def _typing(block: Block, actor: Account, now: datetime) -> Type:
    def type_(heading: str, seconds: int) -> None:
        with transaction():
            editing.edit_block(
                block, {"heading": heading}, expected_version=block.version, autosave=True, actor=actor,
                now=now + timedelta(seconds=seconds),
            )  # fmt: skip

    return type_


def _edits() -> int:
    return db.session.scalar(select(func.count()).select_from(Activity).where(Activity.action == "block.edited")) or 0


def test_ten_minutes_of_typing_are_one_revision(app: Flask, now: datetime) -> None:
    d = desk(now)
    section = written(d, now).blocks[2]
    before, version, edits = _kept(section), section.version, _edits()
    type_ = _typing(section, d.ruth, now)
    type_("T", 10)
    type_("Tr", 300)
    type_("Training", 600)
    assert _kept(section) == [*before, "Training"]
    assert section.version == version + 3, "a form that was opened in between must clash"
    assert _edits() == edits + 1
    type_("Training days", 611)
    assert _kept(section) == [*before, "Training", "Training days"]
    assert _edits() == edits + 2


def test_what_somebody_saved_stays_in_the_history(app: Flask, now: datetime) -> None:
    d = desk(now)
    section = written(d, now).blocks[2]
    before = _kept(section)
    type_ = _typing(section, d.ruth, now)
    type_("Typed", 1)
    with transaction():
        editing.edit_block(
            section,
            {"heading": "Saved"},
            expected_version=section.version,
            actor=d.ruth,
            now=now + timedelta(seconds=2),
        )
    type_("Typed again", 3)
    type_("And again", 4)
    assert _kept(section) == [*before, "Typed", "Saved", "And again"]


def test_nobody_types_over_the_revision_of_another(app: Flask, now: datetime) -> None:
    d = desk(now)
    section = written(d, now).blocks[2]
    before = _kept(section)
    seen = section.version
    _typing(section, d.ruth, now)("Ruth's words", 1)
    with pytest.raises(Conflict), transaction():
        editing.edit_block(
            section, {"heading": "Ewan's words"}, expected_version=seen, autosave=True, actor=d.ewan, now=now
        )
    _typing(section, d.ewan, now)("Ewan's words, having seen hers", 2)
    _typing(section, d.ruth, now)("Ruth's again", 3)
    assert _kept(section) == [*before, "Ruth's words", "Ewan's words, having seen hers", "Ruth's again"]


def test_what_a_version_of_the_issue_holds_is_never_given_up(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    section = issue.blocks[2]
    type_ = _typing(section, d.ruth, now)
    type_("As it was", 1)
    with transaction():
        versions.keep_version(issue, "Kept", actor=d.ruth, now=now + timedelta(seconds=2))
    type_("As it is", 3)
    assert _kept(section)[-2:] == ["As it was", "As it is"]


def test_typing_ends_an_approval_like_every_edit(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    _typing(issue.blocks[2], d.ruth, now)("Other words", 1)
    assert issue.state is IssueState.DRAFT


def test_who_else_is_here_and_where(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    section = issue.blocks[2]
    acts = db.session.scalar(select(func.count()).select_from(Activity))
    with transaction():
        presence.be_here(issue, section, account=d.ewan, now=now)
        presence.be_here(issue, None, account=d.ruth, now=now)
    assert [(each.name, each.section) for each in presence.others_here(issue, than=d.ruth, now=now)] == [
        (d.ewan.name, "The Boathouse is open")
    ]
    assert [(each.name, each.section) for each in presence.others_here(issue, than=d.ewan, now=now)] == [
        (d.ruth.name, "")
    ]
    assert db.session.scalar(select(func.count()).select_from(Activity)) == acts


def test_whoever_closed_the_page_is_gone_after_a_minute(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    with transaction():
        presence.be_here(issue, issue.blocks[2], account=d.ewan, now=now)
    assert presence.others_here(issue, than=d.ruth, now=now + timedelta(seconds=59))
    assert not presence.others_here(issue, than=d.ruth, now=now + timedelta(seconds=60))
    with transaction():
        presence.be_here(issue, None, account=d.ruth, now=now + timedelta(days=2))
    assert db.session.scalars(select(Presence.account_id)).all() == [d.ruth.id], "a row is kept for a day at most"


def test_a_section_in_the_bin_or_elsewhere_names_no_place(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue, other = written(d, now), draft(d, now, "Another issue")
    with transaction():
        presence.be_here(issue, other.blocks[0], account=d.ewan, now=now)
    assert [each.block_id for each in presence.others_here(issue, than=d.ruth, now=now)] == [None]
    with transaction():
        presence.be_here(issue, issue.blocks[2], account=d.ewan, now=now)
        editing.delete_block(issue.blocks[2], actor=d.ruth, now=now)
    assert [each.section for each in presence.others_here(issue, than=d.ruth, now=now)] == [""]
