"""Ruth makes an issue and writes it; nothing she writes is lost, and nobody's text is overwritten."""

from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.issues import creating, editing, headings, versions
from newsletter.domain.issues.content import frame, issue_content, masthead_words, render_issue
from newsletter.domain.issues.finding import find_issue
from newsletter.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from newsletter.models import Activity, Block, BlockRevision, Issue, IssueVersion, Rendition
from newsletter.states import IssueState, Where
from tests.domain.issue_makers import NEXT_DEADLINE, Desk, approved, desk, draft, kinds, written
from tests.people import issue, larkmere, policy_changes, staff


def test_a_quarterly_issue_begins_with_its_standing_sections(app: Flask, now: datetime) -> None:
    issue = draft(desk(now), now)
    assert kinds(issue) == ["masthead", "in_this_issue", "key_dates", "call", "footer"]
    assert (issue.slug, issue.state, issue.has_call) == ("december-2026", IssueState.DRAFT, False)
    assert db.session.scalar(select(func.count()).select_from(Activity).where(Activity.action == "issue.created")) == 1


def test_an_issue_without_a_rhythm_is_one_section(app: Flask, now: datetime) -> None:
    mailing_list, ruth = policy_changes(now), staff(now)
    with transaction():
        issue = creating.create_issue(mailing_list, title="New threshold guide", actor=ruth, now=now)
    assert kinds(issue) == ["masthead", "section", "footer"]


def test_slugs_are_unique_and_hold_a_letter(app: Flask, now: datetime) -> None:
    d = desk(now)
    with transaction():
        made = [creating.create_issue(d.mailing_list, title=title, actor=d.ruth, now=now).slug
                for title in ("2026", "2026", "2026", "Gwanwyn – Ŵyl 2027")]  # fmt: skip
    assert made == ["issue-2026", "safeguarding-news-issue-2026", "issue-2026-2", "gwanwyn-wyl-2027"]


@pytest.mark.parametrize("slug", ["2026", "Dezember!", "a b", "-x", "x" * 81, "january-2027"])
def test_a_slug_that_cannot_be_used_is_refused_in_words(app: Flask, now: datetime, slug: str) -> None:
    d = desk(now)
    draft(d, now, "January 2027")
    with pytest.raises(Invalid) as refused, transaction():
        creating.create_issue(d.mailing_list, title="Another", slug=slug, actor=d.ruth, now=now)
    assert refused.value.problems[0].field == "slug"


@pytest.mark.parametrize("title", ["", "  \u00a0", "x" * 121])
def test_a_title_that_cannot_be_used_is_refused_and_nothing_is_made(app: Flask, now: datetime, title: str) -> None:
    d = desk(now)
    with pytest.raises(Invalid), transaction():
        creating.create_issue(d.mailing_list, title=title, actor=d.ruth, now=now)
    assert db.session.scalar(select(func.count()).select_from(Issue)) == 0


def test_a_renamed_issue_is_found_under_both_names(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    with transaction():
        creating.change_frame(issue, slug="winter-2026", actor=d.ruth, now=now)
    assert find_issue("december-2026") is find_issue("winter-2026") is find_issue(str(issue.id))
    with transaction():
        creating.change_frame(issue, slug="december-2026", actor=d.ruth, now=now)
    assert find_issue("winter-2026").slug == "december-2026"
    with pytest.raises(NotFound):
        find_issue("spring-2030")


def test_every_problem_of_the_frame_is_named_at_once(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    with pytest.raises(Invalid) as refused, transaction():
        creating.change_frame(issue, title="", subject="s" * 201, slug="7", actor=d.ruth, now=now)
    assert [problem.field for problem in refused.value.problems] == ["title", "subject", "slug"]


def test_the_subject_is_one_line_whatever_is_pasted(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    with transaction():
        creating.change_frame(issue, subject="News\r\nBcc: all@example.org\x00", actor=d.ruth, now=now)
    assert issue.subject == "News Bcc: all@example.org"


def test_sections_stand_between_masthead_and_footer_wherever_they_are_put(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    with transaction():
        first = editing.add_block(issue, "section", {"heading": "First"}, position=0, actor=d.ruth, now=now)
        last = editing.add_block(issue, "quote", {}, position=99, actor=d.ruth, now=now)
    assert kinds(issue) == ["masthead", "section", "in_this_issue", "key_dates", "call", "quote", "footer"]
    with transaction():
        assert editing.move_block(first, 99, actor=d.ruth, now=now) == 5
        assert editing.move_block(last, -1, actor=d.ruth, now=now) == 1
    assert [block.position for block in issue.blocks] == list(range(7))
    with pytest.raises(Refused), transaction():
        editing.move_block(issue.blocks[0], 3, actor=d.ruth, now=now)


def test_what_may_stand_once_stands_once(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    call = issue.blocks[3]
    for attempt in (
        lambda: editing.add_block(issue, "call", {}, actor=d.ruth, now=now),
        lambda: editing.duplicate_block(call, actor=d.ruth, now=now),
        lambda: editing.delete_block(issue.blocks[0], actor=d.ruth, now=now),
    ):
        with pytest.raises(Refused), transaction():
            attempt()
    with pytest.raises(NotFound), transaction():
        editing.add_block(issue, "carousel", {}, actor=d.ruth, now=now)


def test_a_copy_holds_the_same_words_right_below(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    section = issue.blocks[2]
    with transaction():
        copy = editing.duplicate_block(section, actor=d.ruth, now=now)
    assert (copy.position, copy.data, copy.id != section.id) == (3, section.data, True)


def test_a_deleted_section_comes_back_to_its_place(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    section = issue.blocks[2]
    with transaction():
        editing.delete_block(section, actor=d.ruth, now=now)
    assert "section" not in kinds(issue)
    assert editing.deleted_blocks(issue) == [section]
    with pytest.raises(Conflict), transaction():
        editing.edit_block(section, {}, expected_version=section.version, actor=d.ruth, now=now)
    with transaction():
        editing.undo_delete(section, actor=d.ruth, now=now)
    assert issue.blocks[2] is section
    assert section.data["heading"] == "The Boathouse is open"


def test_two_people_on_one_section_lose_no_text(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    section = issue.blocks[2]
    seen = section.version
    with transaction():
        editing.edit_block(section, {"heading": "Ruth's words"}, expected_version=seen, actor=d.ruth, now=now)
    with pytest.raises(Conflict), transaction():
        editing.edit_block(section, {"heading": "Ewan's words"}, expected_version=seen, actor=d.ewan, now=now)
    assert section.data["heading"] == "Ruth's words"


def test_moving_a_section_does_not_spoil_the_form_somebody_has_open(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    section = issue.blocks[2]
    seen = section.version
    with transaction():
        editing.move_block(section, 1, actor=d.ewan, now=now)
    with transaction():
        editing.edit_block(section, {"heading": "Still mine"}, expected_version=seen, actor=d.ruth, now=now)
    assert section.data["heading"] == "Still mine"


def test_saving_the_same_words_changes_nothing(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    section = issue.blocks[2]
    with transaction():
        editing.edit_block(section, section.data, expected_version=section.version, actor=d.ruth, now=now)
    assert issue.state is IssueState.APPROVED


def test_a_draft_with_holes_is_saved_and_the_wrong_shape_is_not(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    with transaction():
        contact = editing.add_block(issue, "contact", {"name": "Bethan Ashdown-Lee"}, actor=d.ruth, now=now)
    for data in ({"name": ["a", "list"]}, {"colour": "red"}, {"name": {"deep": 1}}):
        with pytest.raises(Invalid), transaction():
            editing.edit_block(contact, data, expected_version=contact.version, actor=d.ruth, now=now)
    with pytest.raises(Invalid), transaction():
        editing.edit_block(contact, {}, expected_version=1, common={"where": "moon"}, actor=d.ruth, now=now)
    assert contact.data["name"] == "Bethan Ashdown-Lee"


def test_common_fields_are_kept_with_the_section(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    section = issue.blocks[2]
    common = {"where": "web", "audience_note": " Early\u00a0years ", "language": "cy", "continues": True, "diary": "x"}
    with transaction():
        editing.edit_block(
            section, section.data, expected_version=section.version, common=common, actor=d.ruth, now=now
        )
    content = issue_content(issue).blocks[2]
    assert (content.where, content.audience_note, content.language) == (Where.WEB, "Early years", "cy")
    assert "Boathouse" not in render_issue(issue).text.split("In this issue")[0]


def test_every_version_of_a_section_is_kept_and_can_be_taken_again(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    section = issue.blocks[2]
    for heading in ("Second", "Third"):
        with transaction():
            editing.edit_block(section, {"heading": heading}, expected_version=section.version, actor=d.ruth, now=now)
    kept = versions.revisions(section)
    assert [each.data["data"]["heading"] for each in kept] == ["Third", "Second", "The Boathouse is open"]
    with transaction():
        editing.restore_revision(section, 1, expected_version=section.version, actor=d.ruth, now=now)
    assert (section.version, section.data["heading"]) == (4, "The Boathouse is open")
    with transaction():
        versions.keep_version(issue, "By hand", actor=d.ruth, now=now)
    version = db.session.scalars(select(IssueVersion)).one()
    assert [(entry.block_id, entry.block_version) for entry in version.entries] == [
        (block.id, block.version) for block in issue.blocks
    ]


def test_revisions_are_never_changed(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    section = issue.blocks[2]
    first = versions.revision(section.id, 1).data
    with transaction():
        editing.edit_block(section, {"heading": "Other words"}, expected_version=1, actor=d.ruth, now=now)
    assert versions.revision(section.id, 1).data == first
    assert db.session.scalar(select(func.count()).where(BlockRevision.block_id == section.id)) == 2


def test_the_masthead_may_have_words_of_its_own(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    with transaction():
        creating.change_frame(issue, label="Winter special", strapline="For one night only.", actor=d.ruth, now=now)
    assert (frame(issue).label, frame(issue).strapline) == ("Winter special", "For one night only.")
    masthead = issue.blocks[0]
    with transaction():
        editing.edit_block(masthead, {}, expected_version=masthead.version, actor=d.ruth, now=now)
    assert masthead_words(issue) == {"label": "Winter special", "strapline": "For one night only."}
    with transaction():
        creating.change_frame(issue, label="", strapline="", actor=d.ruth, now=now)
    assert (frame(issue).label, frame(issue).strapline) == ("December 2026", d.mailing_list.strapline)


# --- the level of headings ----------------------------------------------------------------------------------


def _section(issue: Issue, d: Desk, now: datetime, heading: str, body: str, position: int = 2) -> Block:
    with transaction():
        return editing.add_block(
            issue, "section", {"heading": heading, "body": body}, position=position, actor=d.ruth, now=now
        )


def test_a_sub_heading_becomes_a_section_with_the_text_below_it_and_goes_back(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    body = "<p>One.</p><h3>Categories</h3><p>Two.</p><h3>Standards &amp; aims</h3><p>Three.</p>"
    review = _section(issue, d, now, "Review", body)
    assert headings.sub_headings(review) == ["Categories", "Standards & aims"]
    with transaction():
        raised = headings.change_heading_level(review, 1, expected_version=1, actor=d.ruth, now=now)
    assert (raised.data["heading"], raised.data["body"]) == ("Standards & aims", "<p>Three.</p>")
    assert raised.position == review.position + 1
    assert review.data["body"] == "<p>One.</p><h3>Categories</h3><p>Two.</p>"
    with transaction():
        lowered = headings.change_heading_level(raised, expected_version=1, actor=d.ruth, now=now)
    assert lowered is review
    assert review.data["body"] == body
    assert "Standards & aims" not in [block.data.get("heading") for block in issue.blocks]


def test_a_finding_becomes_a_section_and_the_ones_below_go_with_it(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    items = [{"subheading": name, "text": f"<p>Text {name}.</p>"} for name in "ABC"]
    with transaction():
        found = editing.add_block(issue, "findings", {"heading": "Findings", "items": items}, position=2,
                                  actor=d.ruth, now=now)  # fmt: skip
    with transaction():
        raised = headings.change_heading_level(found, 1, expected_version=1, actor=d.ruth, now=now)
    assert [item["subheading"] for item in found.data["items"]] == ["A"]
    assert raised.data["body"] == "<p>Text B.</p><h3>C</h3><p>Text C.</p>"
    with transaction():
        headings.change_heading_level(raised, 0, expected_version=1, actor=d.ruth, now=now)
    with transaction():
        headings.change_heading_level(raised, expected_version=raised.version, actor=d.ruth, now=now)
    assert [item["subheading"] for item in found.data["items"]] == ["A", "B"]


def test_what_cannot_change_level_says_why(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    section = _section(issue, d, now, "Alone", "<p>x</p>", position=1)
    for attempt, error in (
        (lambda: headings.change_heading_level(section, expected_version=1, actor=d.ruth, now=now), Refused),
        (lambda: headings.change_heading_level(section, 0, expected_version=1, actor=d.ruth, now=now), NotFound),
        (lambda: headings.change_heading_level(section, 0, expected_version=7, actor=d.ruth, now=now), Conflict),
        (lambda: headings.change_heading_level(issue.blocks[2], expected_version=1, actor=d.ruth, now=now), Refused),
    ):
        with pytest.raises(error), transaction():
            attempt()


# --- deadlines and the next issue ---------------------------------------------------------------------------


def test_the_call_prints_the_next_issues_deadline(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    rendered = render_issue(issue)
    for form in (rendered.html.replace("\u00a0", " "), rendered.text, str(rendered.web).replace("\u00a0", " ")):
        assert "5pm, Friday 15 January 2027" in form
    assert issue.next_issue is not None
    assert issue.next_issue.has_call
    later = Deadline.of(date(2027, 1, 22), time(17), "Europe/London")
    with transaction():
        creating.ensure_next_issue(issue, title="March 2027", deadline=later, actor=d.ruth, now=now)
    assert "5pm, Friday 22 January 2027" in render_issue(issue).text
    assert db.session.scalar(select(func.count()).select_from(Issue)) == 2


def test_a_moved_deadline_ends_the_approval_of_the_issue_that_prints_it(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    assert issue.next_issue is not None
    with transaction():
        creating.change_deadline(
            issue.next_issue, Deadline.of(date(2027, 1, 22), time(17), "Europe/London"), actor=d.ruth, now=now
        )
    assert issue.state is IssueState.DRAFT


def test_a_deadline_that_readers_were_told_is_not_brought_forward_by_accident(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    following = issue.next_issue
    assert following is not None
    with transaction():
        issue.rendition_id = db.session.scalar(select(Rendition.id))
        issue.state, issue.sent_at, issue.started_at, issue.recipients = IssueState.SENT, now, now, 712
    earlier = Deadline.of(date(2027, 1, 8), time(17), "Europe/London")
    typed = "712 people were told 15 January 2027"
    with pytest.raises(Invalid, match=typed), transaction():
        creating.change_deadline(following, earlier, actor=d.ewan, now=now)
    with pytest.raises(Invalid), transaction():
        creating.change_deadline(following, earlier, confirmation="yes", actor=d.ewan, now=now)
    with pytest.raises(NotAllowed), transaction():
        creating.change_deadline(following, earlier, confirmation=typed, actor=d.ruth, now=now)
    assert following.deadline == NEXT_DEADLINE
    with transaction():
        creating.change_deadline(following, earlier, confirmation=f" {typed}. ", actor=d.ewan, now=now)
    assert following.deadline == earlier


def test_an_issue_follows_one_issue_of_its_own_list(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    other = draft(d, now, "June 2027")
    elsewhere = policy_changes(now)
    with transaction():
        foreign = creating.create_issue(elsewhere, title="Elsewhere", actor=d.ruth, now=now)
    for following in (foreign, issue):
        with pytest.raises(Refused), transaction():
            creating.set_next_issue(issue, following, actor=d.ruth, now=now)
    with pytest.raises(Refused, match="already comes after"), transaction():
        creating.set_next_issue(other, issue.next_issue, actor=d.ruth, now=now)
    with transaction():
        creating.set_next_issue(issue, None, actor=d.ruth, now=now)
    assert issue.next_issue is None


def test_the_day_the_issue_is_planned_may_change_without_a_new_approval(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    with transaction():
        creating.change_frame(issue, planned_at=now + timedelta(days=9), keep_planned_at=False, actor=d.ruth, now=now)
    assert (issue.state, issue.planned_at) == (IssueState.APPROVED, now + timedelta(days=9))
    assert NEXT_DEADLINE.words == "5pm, Friday 15 January 2027"


def test_a_forwarded_mail_leads_to_the_sign_up_of_a_public_list(app: Flask, now: datetime) -> None:
    quarterly = larkmere(now)
    december = issue(now, quarterly)
    assert frame(december).own_copy_url == "https://news.example.org/subscribe?list=safeguarding-news"
    with transaction():
        quarterly.public = False
    assert frame(december).own_copy_url == ""
