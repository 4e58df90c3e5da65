"""Every way to send something in: the right section, the right moment, one effect, and no text lost."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter import addresses
from newsletter.db import db, transaction
from newsletter.domain.calls.deadline import counting, reading
from newsletter.domain.calls.deadline.rights import Arrival
from newsletter.domain.calls.decisions import guarding, triage
from newsletter.domain.calls.handing_in import contributing, drafting, withdrawing
from newsletter.domain.calls.handing_in.contributing import Way
from newsletter.domain.calls.partners.senders import Sender
from newsletter.domain.calls.texts import item_pictures, items, revisions
from newsletter.domain.calls.texts.items import ITEMS, Piece
from newsletter.domain.issues import editing
from newsletter.errors import Conflict, Invalid, NotFound, Refused
from newsletter.models import AddressProof, Agency, Contribution, Contributor, Issue, Media, Notice
from newsletter.rendering.blocks import kind as kind_of
from newsletter.states import ContributionSource, ContributionState, IssueState, Role
from tests import contributors, people
from tests.delivery.sending.makers import rendition

SAM = Sender("Sam Okafor", "sam@police.example.org", "Larkmere Police", "01632 960 114")
NEWS = Piece(
    "section",
    {"heading": "One number for domestic abuse", "body": "<p>From 1 February see https://help.example.org/one.</p>"},
)
#: One of each kind of item as people fill it in.
PIECES: dict[str, dict[str, Any]] = {
    "section": dict(NEWS.data),
    "event": {
        "title": "Neglect: two half days", "start": "2027-02-09T09:30", "end": "2027-02-09T12:30", "place": "Online",
        "cost": "Free", "url": "https://training.example.org/neglect", "link_text": "Book a place on neglect",
    },
    "policy_update": {
        "heading": "Thresholds", "what": "<p>Chapter 4 is new.</p>", "live_date": "2027-02",
        "chapters": ["Early help", "Neglect"],
        "link": {"title": "The thresholds document", "url": "https://policies.example.org/thresholds"},
    },
    "ask_views": {
        "heading": "Our priorities", "question": "<p>What should come first?</p>", "closes": "2027-01-09T17:00",
        "url": "mailto:views@example.org", "button": "Tell us what you think",
    },
    "people_news": {
        "heading": "A new scrutineer",
        "items": [{"name": "Nadia Rahman", "role": "Scrutineer", "change": "joins", "date": "2027-02"}],
    },
    "key_dates": {"manual": [{"date": "2027-01-16", "what": "Conference on neglect"}]},
    "findings": {
        "heading": "Six findings",
        "items": [{"subheading": f"Finding {n}", "text": f"<p>What we saw, {n}.</p>"} for n in range(1, 7)],
    },
    "contact": {"heading": "Ask us", "name": "Cara Bell", "role": "Audit officer", "email": "cara@council.example.org"},
    "image_text": {
        "heading": "Our poster", "media": "0123456789ab-100x80.png", "alt": "A poster", "text": "<p>Hang it up.</p>",
    },
}  # fmt: skip


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    """Its deadline is 5pm, Friday 11 December 2026."""
    return people.issue(now, people.larkmere(now))


@pytest.fixture
def sam(december: Issue, now: datetime) -> Contributor:
    return contributor(now)


def contributor(now: datetime, address: str = "sam@police.example.org", name: str = "Sam Okafor") -> Contributor:
    """Somebody of Larkmere Police whose address is proved."""
    with transaction() as session:
        agency = session.scalar(select(Agency)) or Agency(
            name="Larkmere Police", name_key="larkmere police", created_at=now
        )
        session.add(agency)
        session.flush()
        made = Contributor(
            address=address, address_key=addresses.key(address), name=name, agency_id=agency.id, created_at=now,
            approved_at=now, proved_at=now,
        )  # fmt: skip
        session.add(made)
    return made


def at(hour: int, minute: int, second: int = 0) -> datetime:
    """A moment of Friday 11 December 2026, when UK time is UTC."""
    return datetime.fromisoformat(f"2026-12-11T{hour:02}:{minute:02}:{second:02}+00:00")


def send(
    issue: Issue, now: datetime, piece: Piece = NEWS, *, opened: datetime | None = None, **way: Any
) -> Contribution:
    with transaction():
        outcome = contributing.hand_in(issue, piece, SAM, opened_at=opened or now, now=now, way=Way(**way))
        return outcome.contribution


def draft(issue: Issue, who: Contributor, now: datetime, kind: str = "section") -> Contribution:
    with transaction():
        return drafting.start(issue, who, kind, opened_at=now, now=now)


def save(contribution: Contribution, piece: Piece, expected: int, now: datetime) -> bool:
    with transaction():
        return drafting.save(contribution, piece, expected=expected, now=now)


def submit(contribution: Contribution, now: datetime, *, declared: bool = True) -> contributing.Outcome:
    with transaction():
        return drafting.submit(contribution, expected=contribution.revision, declared=declared, now=now)


def templates() -> list[str]:
    return list(db.session.scalars(select(Notice.template).order_by(Notice.id)))


# --- kinds of item ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(ITEMS))
def test_each_kind_of_item_becomes_its_section(december: Issue, now: datetime, kind: str) -> None:
    contribution = send(december, now, Piece(kind, PIECES[kind]))
    made, data = items.as_block(contribution)
    with transaction():
        block = editing.add_block(december, made, data, actor=None, now=now)

    assert block.kind == kind
    assert kind_of(kind).clean(block.data) == data
    assert contribution.title
    assert contribution.body
    for field in ITEMS[kind].fields:
        assert data[field.name] or field.name not in PIECES[kind]


@pytest.mark.parametrize("kind", list(ITEMS))
def test_each_field_of_a_kind_is_asked_once_and_an_empty_form_says_what_is_missing(december: Issue, kind: str) -> None:
    item = ITEMS[kind]
    asked = [field.name for page in item.pages for field in item.fields_on(page)]

    assert sorted(asked) == sorted(field.name for field in item.fields)
    with pytest.raises(Invalid):
        items.checked(Piece(kind, {}), december)


def test_a_section_says_whom_it_is_from_and_links_its_addresses(december: Issue, now: datetime) -> None:
    kind, data = items.as_block(send(december, now))

    assert (kind, data["source_agency"]) == ("section", "Larkmere Police")
    assert '<a href="https://help.example.org/one">https://help.example.org/one</a>.' in data["body"]


def test_a_text_without_fields_becomes_a_section(december: Issue, now: datetime) -> None:
    contribution = send(december, now)
    with transaction():
        contribution.data, contribution.body = {}, "Two days.\n\n- one\n- two"

    assert items.as_block(contribution)[1]["body"] == "<p>Two days.</p><ul><li>one</li><li>two</li></ul>"


def test_words_are_plain_text_with_every_fact(december: Issue, now: datetime) -> None:
    event = send(december, now, Piece("event", PIECES["event"])).body
    findings = send(december, now, Piece("findings", PIECES["findings"])).body

    assert "Begins: 9:30am, Tuesday 9 February 2027" in event
    assert "Cost: Free" in event
    assert "Finding 6\nWhat we saw, 6." in findings


def test_ten_thousand_words_are_refused_in_a_sentence(december: Issue, now: datetime) -> None:
    long = Piece("section", {"heading": "Long", "body": "word " * 10_000})
    with pytest.raises(Invalid, match="Use 400 words or fewer: there are 10,000"):
        send(december, now, long)


def test_nobody_sends_in_a_masthead(december: Issue, now: datetime) -> None:
    with pytest.raises(NotFound):
        send(december, now, Piece("masthead", {}))


# --- who it is from ---------------------------------------------------------------------------------------------


def test_unproved_it_is_kept_apart_and_the_receipt_asks_for_the_proof(december: Issue, now: datetime) -> None:
    contribution = send(december, now)

    assert contribution.state is ContributionState.SUBMITTED
    assert contribution.prove_by == now + timedelta(hours=24)
    assert reading.undecided(december) == []
    assert reading.unproved(december) == [contribution]
    assert templates() == ["contribution_receipt"]
    assert db.session.scalars(select(AddressProof.contribution_id)).all() == [contribution.id]


def test_proved_within_a_day_it_counts_from_its_post(december: Issue) -> None:
    contribution = send(december, at(16, 59))
    with transaction():
        counting.count_from_proof(contribution, at(23, 59))

    assert reading.undecided(december) == [contribution]
    assert contribution.submitted_at == at(16, 59)


def test_proved_after_a_day_it_counts_from_then(december: Issue) -> None:
    contribution = send(december, at(16, 59))
    with transaction():
        counting.count_from_proof(contribution, at(17, 0) + timedelta(days=1))

    assert reading.undecided(december) == []
    assert reading.late(december) == [contribution]
    assert contribution.state is ContributionState.DRAFT


def test_a_contributor_and_an_editor_need_no_proof(december: Issue, sam: Contributor, now: datetime) -> None:
    ruth = people.staff(now)
    by_sam = send(december, now, contributor=sam)
    for_nadia = send(december, now, Piece("contact", PIECES["contact"]), actor=ruth)

    assert reading.undecided(december) == [by_sam, for_nadia]
    assert (by_sam.source, by_sam.agency_id) == (ContributionSource.WEB, sam.agency_id)
    assert for_nadia.source is ContributionSource.STAFF


def test_who_may_not_decide_enters_nothing_for_others(december: Issue, now: datetime) -> None:
    viewer = people.staff(now, "Vera Lane", Role.VIEWER)
    with pytest.raises(Refused):
        send(december, now, actor=viewer)


@pytest.mark.parametrize("typed", ["sam@police.example.org.", "<sam@police.example.org>", " Sam@police.example.org "])
def test_an_address_is_read_as_it_is_meant(december: Issue, now: datetime, typed: str) -> None:
    sender = Sender(SAM.name, typed, SAM.agency)
    with transaction():
        outcome = contributing.hand_in(december, NEWS, sender, opened_at=now, now=now, way=Way())

    assert addresses.key(outcome.contribution.contact_address) == "sam@police.example.org"


def test_a_mail_counts_from_when_it_reached_us(december: Issue) -> None:
    contribution = send(
        december, at(17, 20), source=ContributionSource.MAIL, proved=True, arrived_at=at(16, 59), opened=at(16, 59)
    )

    assert (contribution.state, contribution.submitted_at) == (ContributionState.SUBMITTED, at(16, 59))


# --- drafts -------------------------------------------------------------------------------------------------------


def test_a_draft_is_saved_unfinished_and_read_by_nobody(december: Issue, sam: Contributor, now: datetime) -> None:
    writing = draft(december, sam, now)
    save(writing, Piece("section", {"heading": "", "body": "<p>Half a sen</p>"}), 1, now)

    assert writing.body == "Half a sen"
    assert reading.contributions_to(december) == []
    assert reading.contributions_of([december.mailing_list]) == []
    assert reading.late(december) == []
    assert reading.drafts(december) == 1
    assert reading.own(sam) == [writing]


def test_people_who_write_are_counted_and_not_their_drafts(december: Issue, sam: Contributor, now: datetime) -> None:
    for minutes in range(3):
        draft(december, sam, now + timedelta(minutes=minutes))
    assert reading.drafts(december) == 1
    draft(december, contributors.contributor(now, "Nadia Rahman", "nadia@health.example.org", ""), now)
    assert reading.drafts(december) == 2


def test_every_save_is_kept_and_the_same_twice_is_one(december: Issue, sam: Contributor, now: datetime) -> None:
    writing = draft(december, sam, now)
    first, second = (Piece("section", {"heading": words, "body": ""}) for words in ("One", "Two"))

    assert save(writing, first, 1, now)
    assert not save(writing, first, 1, now)
    assert save(writing, second, 2, now)
    assert [each.title for each in revisions.of(writing)] == ["News", "One", "Two"]


def test_a_second_tab_is_told_and_nothing_is_written_over(december: Issue, sam: Contributor, now: datetime) -> None:
    writing = draft(december, sam, now)
    save(writing, Piece("section", {"heading": "Tab one", "body": ""}), 1, now)

    with pytest.raises(Conflict):
        save(writing, Piece("section", {"heading": "Tab two", "body": ""}), 1, now)
    assert writing.title == "Tab one"


def test_nothing_is_begun_for_an_issue_that_takes_nothing_more(
    december: Issue, sam: Contributor, now: datetime
) -> None:
    with transaction():
        december.state, december.cancelled_at = IssueState.CANCELLED, now

    with pytest.raises(Refused, match="takes nothing more"):
        draft(december, sam, now)


def test_a_double_click_begins_one_draft(december: Issue, sam: Contributor, now: datetime) -> None:
    assert draft(december, sam, now) is draft(december, sam, now)


def test_another_kind_keeps_the_heading_and_the_text(december: Issue, sam: Contributor, now: datetime) -> None:
    writing = draft(december, sam, now)
    save(writing, NEWS, 1, now)
    with transaction():
        drafting.change_kind(writing, "findings", expected=2, now=now)

    assert writing.kind == "findings"
    assert writing.data["heading"] == "One number for domestic abuse"
    assert "From 1 February" in writing.data["intro"]


def test_a_draft_is_handed_in_with_a_copy_and_the_hour_until_which_it_may_change(
    december: Issue, sam: Contributor, now: datetime
) -> None:
    writing = draft(december, sam, now)
    save(writing, NEWS, 1, now)
    first, again = submit(writing, now), submit(writing, now + timedelta(seconds=1))

    assert (first.arrival, first.again, again.again) == (Arrival.IN_TIME, False, True)
    assert writing.edit_until == at(17, 0)
    assert writing.declared_at == now
    assert templates() == ["contribution_receipt"]
    assert reading.undecided(december) == [writing]


def test_what_is_missing_is_said_all_at_once(december: Issue, sam: Contributor, now: datetime) -> None:
    with pytest.raises(Invalid) as caught:
        submit(draft(december, sam, now), now, declared=False)

    assert [each.field for each in caught.value.problems] == ["heading", "body", "declared"]


def test_it_may_be_changed_until_the_deadline_and_stays_fit_to_be_read(
    december: Issue, sam: Contributor, now: datetime
) -> None:
    writing = draft(december, sam, now)
    save(writing, NEWS, 1, now)
    submit(writing, now)

    assert save(writing, Piece("section", {"heading": "A better one", "body": "<p>New.</p>"}), 2, at(16, 59))
    with pytest.raises(Invalid):
        save(writing, Piece("section", {"heading": "", "body": ""}), 3, at(16, 59))
    with pytest.raises(Refused, match="The time to change it is over"):
        save(writing, NEWS, 3, at(17, 30))
    assert writing.title == "A better one"
    assert reading.undecided(december) == [writing]


@pytest.mark.parametrize(
    ("began", "sent", "arrival"),
    [
        (at(16, 50), at(17, 10), Arrival.IN_GRACE),
        (at(16, 50), at(17, 16), Arrival.LATE),
        (at(17, 5), at(17, 6), Arrival.LATE),
    ],
)
def test_who_began_before_the_deadline_has_its_grace(
    december: Issue, sam: Contributor, began: datetime, sent: datetime, arrival: Arrival
) -> None:
    writing = draft(december, sam, began)
    save(writing, NEWS, 1, began)

    assert submit(writing, sent).arrival is arrival
    assert (writing.late, writing.in_grace) == (arrival is Arrival.LATE, arrival is Arrival.IN_GRACE)


def test_a_late_one_is_a_draft_that_the_editors_see(december: Issue, sam: Contributor) -> None:
    writing = draft(december, sam, at(16, 0))
    save(writing, NEWS, 1, at(16, 0))
    submit(writing, at(18, 0))
    submit(writing, at(18, 1))

    assert writing.state is ContributionState.DRAFT
    assert reading.late(december) == [writing]
    assert templates() == ["contribution_late"]


def test_changes_that_were_asked_for_go_back_in(december: Issue, sam: Contributor, now: datetime) -> None:
    writing = draft(december, sam, now)
    save(writing, NEWS, 1, now)
    submit(writing, now)
    with transaction():
        writing.state = ContributionState.CHANGES_REQUESTED
    save(writing, Piece("section", {"heading": "Mended", "body": "<p>New.</p>"}), 2, now)
    submit(writing, at(10, 0))

    assert (writing.state, writing.submitted_at) == (ContributionState.SUBMITTED, now)


# --- taking back -------------------------------------------------------------------------------------------------


def test_a_draft_that_is_withdrawn_stays_private(december: Issue, sam: Contributor, now: datetime) -> None:
    writing = draft(december, sam, now)
    with transaction():
        withdrawing.withdraw(writing, now=now)
        withdrawing.withdraw(writing, now=now)

    assert writing.state is ContributionState.WITHDRAWN
    assert reading.contributions_to(december) == []
    assert reading.drafts(december) == 0


def test_what_was_sent_is_taken_back_at_once(december: Issue, sam: Contributor, now: datetime) -> None:
    sent = send(december, now, contributor=sam)
    with transaction():
        withdrawing.withdraw(sent, now=now + timedelta(hours=1))

    assert reading.undecided(december) == []
    assert reading.contributions_to(december) == [sent]
    with pytest.raises(Refused):
        save(sent, Piece("section", {"heading": "More", "body": ""}), 1, now)


def test_what_was_accepted_is_asked_back_and_the_editors_hear_at_once(
    december: Issue, sam: Contributor, now: datetime
) -> None:
    people.staff(now)
    sent = send(december, now, contributor=sam)
    with transaction():
        triage.place(sent, mail=triage.Mail(send=False), actor=None, now=now)
    with transaction():
        withdrawing.ask(sent, "The date has moved.", now=now)
        withdrawing.ask(sent, "The date has moved.", now=now)

    assert (sent.state, sent.withdrawal_asked_at) == (ContributionState.ACCEPTED, now)
    assert templates() == ["contribution_receipt", "sender_withdraws"]
    with pytest.raises(Refused), transaction():
        withdrawing.withdraw(sent, now=now)


def test_what_was_accepted_and_stands_nowhere_is_taken_back_at_once(
    december: Issue, sam: Contributor, now: datetime
) -> None:
    """Its section was deleted: nothing has to be asked, nothing holds up the issue, and the bin brings none back."""
    sent = send(december, now, contributor=sam)
    with transaction():
        section = triage.place(sent, mail=triage.Mail(send=False), actor=None, now=now)
    with transaction():
        withdrawing.ask(sent, "The date has moved.", now=now)
        assert not withdrawing.can_withdraw(sent)
        editing.delete_block(section, actor=None, now=now)
    assert withdrawing.can_withdraw(sent)
    assert not withdrawing.can_ask(sent)
    with transaction():
        withdrawing.withdraw(sent, now=now)

    assert sent.state is ContributionState.WITHDRAWN
    assert guarding.obstacles(december, now) == []
    assert section.contribution_id is None


def test_what_stands_nowhere_is_left_alone_once_the_issue_is_out(
    december: Issue, sam: Contributor, now: datetime
) -> None:
    sent = send(december, now, contributor=sam)
    with transaction():
        section = triage.place(sent, mail=triage.Mail(send=False), actor=None, now=now)
        editing.delete_block(section, actor=None, now=now)
        december.rendition_id, december.started_at = rendition(now, december).id, now
        december.state = IssueState.SENDING
    assert not withdrawing.can_withdraw(sent)
    with pytest.raises(Refused), transaction():
        withdrawing.withdraw(sent, now=now)


def test_nothing_is_asked_back_once_the_issue_is_cancelled_or_undecided(
    december: Issue, sam: Contributor, now: datetime
) -> None:
    sent = send(december, now, contributor=sam)
    with pytest.raises(Refused), transaction():
        withdrawing.ask(sent, "Please.", now=now)
    with transaction():
        december.state, december.cancelled_at = IssueState.CANCELLED, now
    assert not withdrawing.can_ask(sent)


# --- pictures ----------------------------------------------------------------------------------------------------


def with_picture(issue: Issue, now: datetime, name: str = "0123456789ab-100x80.png") -> Contribution:
    with transaction() as session:
        if session.scalar(select(Media).where(Media.name == name)) is None:
            session.add(
                Media(name=name, content_type="image/png", width=100, height=80, size=3, sha256=b"0" * 32, body=b"png",
                      created_at=now)
            )  # fmt: skip
    return send(issue, now, Piece("image_text", {**PIECES["image_text"], "media": name}), proved=True)


def forget(now: datetime) -> int:
    with transaction():
        return item_pictures.forget_unused(now)


def test_pictures_that_came_with_a_text_go_with_it_and_not_from_under_another(december: Issue, now: datetime) -> None:
    shown, name = with_picture(december, now), "0123456789ab-100x80.png"
    plain = send(december, now, Piece("section", {"heading": "News", "body": "<p>Some.</p>"}), proved=True)
    with transaction():
        plain.pictures = [{"media": name, "alt": "A poster"}]
        plain.state, plain.decided_at = ContributionState.DECLINED, now
    assert forget(now + timedelta(days=29)) == 0
    assert plain.pictures != []
    assert forget(now + timedelta(days=31)) == 0, "another contribution shows it"
    assert (plain.pictures, shown.data["media"]) == ([], name)
    with transaction():
        shown.state, shown.decided_at = ContributionState.DECLINED, now
    assert forget(now + timedelta(days=32)) == 1


def test_pictures_of_what_nobody_uses_are_let_go_and_the_words_stay(december: Issue, now: datetime) -> None:
    sent = with_picture(december, now)
    with transaction():
        sent.state, sent.decided_at = ContributionState.DECLINED, now

    assert forget(now + timedelta(days=29)) == 0
    assert forget(now + timedelta(days=31)) == 1
    assert forget(now + timedelta(days=32)) == 0
    assert db.session.scalars(select(Media.deleted_at)).one() == now + timedelta(days=31)
    assert (sent.data["media"], sent.data["alt"]) == ("", "A poster")


def test_a_picture_that_another_contribution_shows_stays(december: Issue, now: datetime) -> None:
    sent = with_picture(december, now)
    with_picture(december, now + timedelta(minutes=1))
    with transaction():
        sent.state, sent.decided_at = ContributionState.DECLINED, now

    assert forget(now + timedelta(days=31)) == 0
    assert db.session.scalars(select(Media.deleted_at)).one() is None
