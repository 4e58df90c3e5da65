"""Ewan approves exactly what will be sent; whatever changes it afterwards ends his approval."""

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.domain.issues import approving, creating, editing, renditions, testing
from newsletter.domain.issues.approving import current_approval, is_current, rendition_of
from newsletter.errors import Conflict, Invalid, NotAllowed, Refused
from newsletter.mail.plain_twin import verify
from newsletter.models import (
    Activity,
    Approval,
    Issue,
    MailingList,
    Media,
    Notice,
    Organisation,
    PrivacyNotice,
    Rendition,
)
from newsletter.states import IssueState, Role
from tests.domain.issue_makers import Desk, approved, desk, draft, tried, written
from tests.people import larkmere, staff, subscribers


def _notices(template: str) -> list[str]:
    return list(db.session.scalars(select(Notice.address).where(Notice.template == template).order_by(Notice.address)))


def test_ruth_asks_and_ewan_approves(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    prepared = approving.prepare(issue, now)
    assert prepared.blocking == ()
    with transaction():
        approving.submit_for_review(issue, prepared, actor=d.ruth, now=now)
    assert (issue.state, _notices("approval_requested")) == (IssueState.IN_REVIEW, ["ewan@example.org"])
    with transaction():
        approval = approving.approve(issue, prepared, actor=d.ewan, now=now)
    assert (issue.state, _notices("issue_approved")) == (IssueState.APPROVED, ["ruth@example.org"])
    assert (approval.approver_name, approval.own_work, current_approval(issue)) == ("Ewan Marsh", False, approval)
    rendition = rendition_of(approval)
    assert rendition.content_hash == prepared.content_hash == renditions.stored_hash(rendition)
    assert is_current(issue, rendition, now)


def test_what_was_approved_holds_the_whole_mail(app: Flask, now: datetime) -> None:
    issue = approved(desk(now), now)
    approval = current_approval(issue)
    assert approval is not None
    rendition = rendition_of(approval)
    assert "A place by the lake" in rendition.html.replace("\u00a0", " ") or "place by the" in rendition.html
    assert "{unsubscribe_url}" in rendition.text
    assert rendition.headers["List-Id"] == "Safeguarding news <safeguarding-news.news.example.org>"
    assert rendition.headers["Precedence"] == "bulk"
    assert rendition.audience == {"list_id": issue.list_id, "state": "active", "privacy_version": 1}
    compiled = renditions.compile_rendition(rendition, date=now)
    verify(compiled)
    assert b"From: Safeguarding news <newsletter@example.org>\r\n" in compiled.as_eml()


def test_nobody_approves_what_the_checks_stop(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    with transaction():
        editing.add_block(issue, "contact", {"name": "Bethan Ashdown-Lee"}, position=3, actor=d.ruth, now=now)
    prepared = approving.prepare(issue, now)
    for attempt in (
        lambda: approving.submit_for_review(issue, prepared, actor=d.ruth, now=now),
        lambda: approving.approve(issue, prepared, actor=d.ewan, now=now),
    ):
        with pytest.raises(Refused, match="Enter an email address or phone number"), transaction():
            attempt()
    assert issue.state is IssueState.DRAFT


def test_words_that_changed_meanwhile_are_not_approved(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    prepared = approving.prepare(issue, now)
    with transaction():
        editing.duplicate_block(issue.blocks[2], actor=d.ruth, now=now)
    with pytest.raises(Conflict), transaction():
        approving.approve(issue, prepared, actor=d.ewan, now=now)
    with pytest.raises(Conflict), transaction():
        testing.send_test(issue, prepared, ["a@example.org"], actor=d.ruth, now=now)


def test_a_comment_brings_the_issue_back_to_its_editors(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    prepared = approving.prepare(issue, now)
    with transaction():
        approving.submit_for_review(issue, prepared, actor=d.ruth, now=now)
    with pytest.raises(Invalid), transaction():
        approving.return_to_draft(issue, "  ", actor=d.ewan, now=now)
    with transaction():
        approving.return_to_draft(issue, "Say who may come.", actor=d.ewan, now=now)
    assert (issue.state, _notices("approval_returned")) == (IssueState.DRAFT, ["ruth@example.org"])
    comment = approving.last_comment(issue)
    assert comment is not None
    assert comment.detail["comment"] == "Say who may come."
    with pytest.raises(Refused), transaction():
        approving.return_to_draft(issue, "Again", actor=d.ewan, now=now)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_editors_and_viewers_do_not_approve(app: Flask, now: datetime, role: Role) -> None:
    d = desk(now)
    issue = tried(d, now)
    prepared, person = approving.prepare(issue, now), staff(now, "Vera Nkosi", role)
    with pytest.raises(NotAllowed), transaction():
        approving.approve(issue, prepared, actor=person, now=now)
    assert approving.may_approve(issue, person) != ""
    assert approving.may_approve(issue, d.ewan) == ""


def test_own_words_are_approved_by_somebody_else_where_there_is_somebody(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    with transaction():
        editing.edit_block(
            issue.blocks[2], {"heading": "Ewan's words", "body": "<p>x</p>"}, expected_version=1, actor=d.ewan, now=now
        )
    anna = staff(now, "Anna Reyes", Role.APPROVER)
    prepared = approving.prepare(issue, now)
    with pytest.raises(Refused, match="Ask Anna Reyes"), transaction():
        approving.approve(issue, prepared, actor=d.ewan, now=now)
    with transaction():
        assert not approving.approve(issue, prepared, actor=anna, now=now).own_work


def _alone(now: datetime) -> Desk:
    """A team of one: Ruth is administrator, editor and approver."""
    mailing_list = larkmere(now)
    subscribers(now, mailing_list, 2)
    ruth = staff(now, role=Role.ADMIN)
    return Desk(mailing_list, ruth, ruth)


def test_a_team_of_one_approves_its_own_and_the_record_says_so(app: Flask, now: datetime) -> None:
    d = _alone(now)
    issue = tried(d, now)
    prepared = approving.prepare(issue, now)
    with transaction():
        approval = approving.approve(issue, prepared, actor=d.ruth, now=now)
    assert approval.own_work
    assert db.session.scalars(select(Activity).where(Activity.action == "issue.approved")).one().detail["own_work"]


def test_four_eyes_means_four_eyes(app: Flask, now: datetime) -> None:
    d = _alone(now)
    with transaction():
        db.session.get_one(MailingList, d.mailing_list.id).four_eyes = True
    issue = tried(d, now)
    prepared = approving.prepare(issue, now)
    with pytest.raises(Refused, match="nobody approves their own work"), transaction():
        approving.approve(issue, prepared, actor=d.ruth, now=now)
    with transaction():
        approval = approving.approve(issue, prepared, actor=d.ruth, now=now, override_reason="Flood warning tonight")
    assert (approval.own_work, approval.override_reason) == (True, "Flood warning tonight")


def test_an_override_is_an_administrators_and_needs_a_mail(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    with transaction():
        creating.change_frame(issue, subject="", actor=d.ruth, now=now)
    prepared = approving.prepare(issue, now)
    with pytest.raises(NotAllowed), transaction():
        approving.approve(issue, prepared, actor=d.ewan, now=now, override_reason="Because")
    with pytest.raises(Refused, match="no subject"), transaction():
        approving.approve(issue, prepared, actor=None, now=now, override_reason="Because")


# --- what ends an approval ----------------------------------------------------------------------------------


def test_any_edit_ends_the_approval(app: Flask, now: datetime) -> None:
    d = desk(now)
    for change in (
        lambda issue: editing.edit_block(issue.blocks[2], {"heading": "Other words", "body": "<p>x</p>"},
                                         expected_version=issue.blocks[2].version, actor=d.ruth, now=now),
        lambda issue: editing.move_block(issue.blocks[2], 1, actor=d.ruth, now=now),
        lambda issue: editing.delete_block(issue.blocks[2], actor=d.ruth, now=now),
        lambda issue: editing.add_block(issue, "quote", {}, actor=d.ruth, now=now),
        lambda issue: creating.change_frame(issue, subject="Another subject", actor=d.ruth, now=now),
        lambda issue: creating.set_next_issue(issue, None, actor=d.ruth, now=now),
    ):  # fmt: skip
        issue = _approved_again(d, now)
        with transaction():
            change(issue)
        assert (issue.state, current_approval(issue)) == (IssueState.DRAFT, None)
    voided = db.session.scalar(select(func.count()).select_from(Approval).where(Approval.void_reason != ""))
    assert voided == 6


def _approved_again(d: Desk, now: datetime) -> Issue:
    found = db.session.scalar(select(Issue).where(Issue.slug == "december-2026"))
    if found is None:
        return approved(d, now)
    following = db.session.scalars(select(Issue).where(Issue.slug == "march-2027")).one()
    with transaction():
        creating.set_next_issue(found, following, actor=d.ruth, now=now)
        for block in [block for block in found.blocks if block.kind in ("section", "quote")]:
            editing.delete_block(block, actor=d.ruth, now=now)
        editing.add_block(found, "section", {"heading": "Words", "body": "<p>Words.</p>"}, position=2,
                          actor=d.ruth, now=now)  # fmt: skip
    prepared = approving.prepare(found, now)
    with transaction():
        approving.approve(found, prepared, actor=d.ewan, now=now)
    return found


def _accent(issue: Issue) -> None:
    issue.mailing_list.accent = "#7a1f5c"


def _sender(issue: Issue) -> None:
    issue.mailing_list.sender_address = "desk@example.org"


def _address(_issue: Issue) -> None:
    db.session.scalars(select(Organisation)).one().address = "1 New Street, Larkmere"


def _privacy(issue: Issue) -> None:
    db.session.add(PrivacyNotice(version=2, text="Other words.", published_at=issue.created_at))


def _deadline(issue: Issue) -> None:
    assert issue.next_issue is not None
    assert issue.next_issue.deadline is not None
    issue.next_issue.title = "Spring 2027"


@pytest.mark.parametrize("change", [_accent, _sender, _address, _privacy, _deadline])
def test_what_changed_outside_the_words_is_found_before_it_is_sent(app: Flask, now: datetime, change) -> None:
    issue = approved(desk(now), now)
    approval = current_approval(issue)
    assert approval is not None
    rendition = rendition_of(approval)
    assert is_current(issue, rendition, now)
    with transaction():
        change(db.session.get_one(Issue, issue.id))
    assert not is_current(issue, rendition, now)


def test_a_row_that_was_tampered_with_is_not_current(app: Flask, now: datetime) -> None:
    issue = approved(desk(now), now)
    with transaction():
        rendition = db.session.scalars(select(Rendition).order_by(Rendition.id.desc())).first()
        assert rendition is not None
        rendition.html += " "
    assert not is_current(issue, rendition, now)


def test_pictures_are_part_of_what_is_approved(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    with transaction():
        db.session.add(Media(name="lake.png", content_type="image/png", width=600, height=300, size=3,
                             sha256=b"\x07" * 32, body=b"png", created_at=now))  # fmt: skip
        editing.add_block(issue, "image", {"media": "lake.png", "alt": "A lake", "width": 600, "height": 300},
                          position=3, actor=d.ruth, now=now)  # fmt: skip
    prepared = approving.prepare(issue, now)
    assert (prepared.media, prepared.blocking) == ({"lake.png": "07" * 32}, ())
    with transaction():
        db.session.delete(db.session.scalars(select(Media)).one())
    missing = approving.prepare(issue, now)
    assert missing.content_hash != prepared.content_hash
    assert [finding.code for finding in missing.blocking] == ["missing_picture"]


# --- test copies --------------------------------------------------------------------------------------------


def test_a_test_copy_counts_until_the_words_change(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    assert not testing.has_current_test(issue)
    prepared = approving.prepare(issue, now)
    with transaction():
        made = testing.send_test(issue, prepared, ["Ruth@Example.org ", "ruth@example.org", "", "ewan@example.org"],
                                 actor=d.ruth, now=now)  # fmt: skip
    assert [each.address for each in made] == ["Ruth@example.org", "ewan@example.org"]
    assert testing.has_current_test(issue)
    notice = db.session.scalars(select(Notice).where(Notice.template == "test_issue")).first()
    assert notice is not None
    assert db.session.get_one(Rendition, notice.values["rendition"]).content_hash == prepared.content_hash
    with transaction():
        creating.change_frame(issue, subject="New words", actor=d.ruth, now=now)
    assert not testing.has_current_test(issue)
    assert testing.last_test(issue) is not None


@pytest.mark.parametrize("addresses", [[], ["", " "], ["nobody"], ["a@example.org\r\nBcc: b@example.org"],
                                       [f"a{number}@example.org" for number in range(11)]])  # fmt: skip
def test_addresses_that_cannot_be_used_are_refused_and_nothing_is_queued(
    app: Flask, now: datetime, addresses: list[str]
) -> None:
    d = desk(now)
    issue = written(d, now)
    prepared = approving.prepare(issue, now)
    with pytest.raises(Invalid), transaction():
        testing.send_test(issue, prepared, addresses, actor=d.ruth, now=now)
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 0
