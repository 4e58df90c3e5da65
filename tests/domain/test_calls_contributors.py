"""Agencies and their people: invited, taken in, moved, handed on, ended, by whoever may."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery.notices.notice_values import values_of
from newsletter.domain.calls.partners import (
    agencies,
    agency_import,
    asking_in,
    contributor_sessions,
    contributors,
    proving,
)
from newsletter.domain.subscribers import forgetting
from newsletter.errors import Invalid, NotAllowed, Refused
from newsletter.models import Account, Activity, AddressProof, Agency, Contribution, Contributor, MailingList, Notice
from newsletter.states import ContributionState, ProofPurpose, Role
from tests import people

HOUR = timedelta(hours=1)


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def police(quarterly: MailingList, now: datetime) -> Agency:
    return people.agency(now, "Larkmere Police")


@pytest.fixture
def ruth(quarterly: MailingList, now: datetime) -> Account:
    return people.staff(now)


def notices(template: str) -> list[Notice]:
    return list(db.session.scalars(select(Notice).where(Notice.template == template)))


# --- names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("again", ["larkmere police", "  Larkmere   Police ", "LARKMERE\tPOLICE", "Ｌarkmere Police"])
def test_one_agency_of_a_name_however_it_is_spelled(police: Agency, now: datetime, again: str) -> None:
    with pytest.raises(Invalid, match="is there already"), transaction():
        agencies.create(again, None, actor=None, now=now)

    assert agencies.find_by_name(again) is police


@pytest.mark.parametrize("name", ["", "   ", "x" * 151, "two\nlines\x00"])
def test_a_name_that_cannot_be_used_is_said(quarterly: MailingList, now: datetime, name: str) -> None:
    with pytest.raises(Invalid), transaction():
        agencies.create(name, None, actor=None, now=now)


def test_an_agency_may_change_the_spelling_of_its_own_name(police: Agency, ruth: Account, now: datetime) -> None:
    with transaction():
        agencies.change(police, "LARKMERE Police", None, actor=ruth, now=now)

    assert police.name == "LARKMERE Police"


# --- inviting ---------------------------------------------------------------------------------------------------


def test_whoever_is_invited_has_a_link_for_two_weeks(police: Agency, ruth: Account, now: datetime) -> None:
    with transaction():
        sam = contributors.invite(" sam@example.org. ", police, name="Sam Okafor", by=ruth, now=now)

    proof = db.session.scalars(select(AddressProof)).one()
    assert (sam.address, sam.agency, sam.approved_at, sam.proved_at) == ("sam@example.org", police, now, None)
    assert proof.expires_at == now + timedelta(days=14)
    assert notices("contributor_invitation")[0].values == {
        "by": "Ruth Adeyemi",
        "agency": "Larkmere Police",
        "proof": str(proof.public_id),
    }


def test_inviting_twice_is_said_and_inviting_somebody_elses_person_too(
    police: Agency, ruth: Account, now: datetime
) -> None:
    schools = people.agency(now, "Larkmere Schools")
    people.contributor(now, "Sam Okafor", police)
    for agency, sentence in ((police, "for Larkmere Police already"), (schools, "for somebody else already")):
        with pytest.raises(Invalid, match=sentence), transaction():
            contributors.invite("SAM@example.org", agency, by=ruth, now=now)


def test_somebody_who_left_is_back_when_invited(police: Agency, ruth: Account, now: datetime) -> None:
    sam = people.contributor(now, "Sam Okafor", police)
    schools = people.agency(now, "Larkmere Schools")
    with transaction():
        contributors.end(sam, by=ruth, now=now)
    with transaction():
        contributors.invite("sam@example.org", schools, by=ruth, now=now + HOUR)

    assert (sam.ended_at, sam.agency) == (None, schools)


def test_whom_the_editors_ended_a_lead_does_not_take_back(police: Agency, ruth: Account, now: datetime) -> None:
    sam = people.contributor(now, "Sam Okafor", police)
    lead = people.contributor(now, "Lena Roth", police, lead=True)
    for by in (ruth, lead):
        with transaction():
            contributors.end(sam, by=by, now=now)
        if by is ruth:
            with pytest.raises(Refused, match=r"The editors ended the access of Sam Okafor\. Ask them"), transaction():
                contributors.invite(sam.address, police, by=lead, now=now)
            with pytest.raises(Refused, match="The editors ended"), transaction():
                contributors.resume(sam, by=lead, now=now)
        with transaction():
            contributors.resume(sam, by=by, now=now)
        assert sam.ended_at is None


def test_an_invitation_names_the_call_that_is_open(
    quarterly: MailingList, police: Agency, ruth: Account, now: datetime
) -> None:
    issue = people.issue(now, quarterly)

    def invited(address: str) -> dict[str, Any]:
        with transaction():
            contributors.invite(address, police, by=ruth, now=now)
        return values_of(db.session.query(Notice).filter_by(address=address).one(), now)

    assert "deadline" not in invited("sam@example.org")
    with transaction():
        issue.call_opened_at = now
    made = invited("lena@example.org")
    assert (made["issue"], made["deadline"]) == (
        "Safeguarding news, December 2026", "5pm, Friday 11 December 2026 (UK time)"
    )  # fmt: skip


def test_a_lead_invites_for_their_own_agency_and_no_other(police: Agency, now: datetime) -> None:
    schools = people.agency(now, "Larkmere Schools")
    lead = people.contributor(now, "Nadia Khan", police, lead=True)
    with transaction():
        made = contributors.invite("sam@example.org", police, by=lead, now=now)
    for agency in (schools, None):
        with pytest.raises(NotAllowed), transaction():
            contributors.invite("tom@example.org", agency, by=lead, now=now)

    assert made.agency is police
    assert made.invited_by_id is None


@pytest.mark.parametrize("who", ["not a lead", "ended", "not taken in", "of another agency"])
def test_who_is_no_lead_of_the_agency_touches_nobody(police: Agency, now: datetime, who: str) -> None:
    other = people.agency(now, "Larkmere Schools")
    sam = people.contributor(now, "Sam Okafor", police)
    actor = people.contributor(
        now,
        "Nadia Khan",
        other if who == "of another agency" else police,
        lead=who != "not a lead",
        approved=who != "not taken in",
    )
    if who == "ended":
        with transaction():
            contributors.end(actor, by=None, now=now)

    acts = (
        lambda: contributors.invite("x@example.org", police, by=actor, now=now),
        lambda: contributors.end(sam, by=actor, now=now),
        lambda: contributors.resume(sam, by=actor, now=now),
        lambda: contributors.sign_out_everywhere(sam, by=actor, now=now),
        lambda: contributors.invite_again(sam, by=actor, now=now),
        lambda: contributors.change(sam, name="S", agency=police, lead=True, by=actor, now=now),
        lambda: contributors.hand_over(sam, actor, by=actor, now=now),
    )
    for act in acts:
        with pytest.raises(NotAllowed), transaction():
            act()


def test_staff_of_one_list_look_after_its_agencies_alone(quarterly: MailingList, police: Agency, now: datetime) -> None:
    other = people.policy_changes(now)
    nadia = people.staff(now, "Nadia Khan", Role.EDITOR, on=other)
    viewer = people.staff(now, "Ewan Brodie", Role.VIEWER)
    with transaction():
        own = agencies.create("Larkmere Libraries", quarterly, actor=None, now=now)

    assert [agencies.may_manage(nadia, one) for one in (own, police)] == [False, True]
    assert [agencies.may_manage(viewer, one) for one in (own, police)] == [False, False]
    with pytest.raises(NotAllowed), transaction():
        agencies.create("Larkmere Fire", quarterly, actor=nadia, now=now)
    with pytest.raises(NotAllowed), transaction():
        agencies.end(own, actor=nadia, now=now)


# --- ending -------------------------------------------------------------------------------------------------------


def test_ending_somebody_ends_what_they_could_do_and_keeps_what_they_sent(
    quarterly: MailingList, police: Agency, ruth: Account, now: datetime
) -> None:
    sam, text = sent_by(people.contributor(now, "Sam Okafor", police), quarterly, now)
    with transaction():
        session = contributor_sessions.start(sam, now=now)
        proof = proving.send_proof(sam.address, ProofPurpose.SIGN_IN, now=now)
    with transaction():
        contributors.end(sam, by=ruth, now=now + HOUR)
        contributors.end(sam, by=ruth, now=now + HOUR)

    assert contributor_sessions.signed_in_by(session, now + HOUR) is None
    assert proving.state_of(proof, now) is proving.ProofState.REVOKED
    assert text.contributor_id == sam.id
    assert [one.action for one in db.session.scalars(select(Activity))].count("contributor.ended") == 1


def sent_by(person: Contributor, mailing_list: MailingList, now: datetime) -> tuple[Contributor, Contribution]:
    issue = people.issue(now, mailing_list)
    with transaction() as session:
        text = Contribution(
            reference="K7M3-9QXT", issue_id=issue.id, state=ContributionState.SUBMITTED, title="One number",
            body="Ring us.", contact_address=person.address, contributor_id=person.id, agency_id=person.agency_id,
            opened_at=now, created_at=now, submitted_at=now, proved_at=now,
        )  # fmt: skip
        session.add(text)
    return person, text


def test_what_somebody_sent_is_handed_to_a_colleague_and_to_nobody_else(
    quarterly: MailingList, police: Agency, ruth: Account, now: datetime
) -> None:
    sam, text = sent_by(people.contributor(now, "Sam Okafor", police), quarterly, now)
    tom = people.contributor(now, "Tom Reed", police)
    stranger = people.contributor(now, "Nadia Khan", people.agency(now, "Larkmere Schools"))
    with transaction():
        contributors.end(sam, by=ruth, now=now)
    for heir in (stranger, sam):
        with pytest.raises(Refused), transaction():
            contributors.hand_over(sam, heir, by=ruth, now=now)
    with transaction():
        assert contributors.hand_over(sam, tom, by=ruth, now=now) == 1

    db.session.refresh(text)
    assert (text.contributor_id, text.agency_id) == (tom.id, police.id)


def test_an_agency_that_leaves_takes_its_people_along_and_brings_them_back(
    police: Agency, ruth: Account, now: datetime
) -> None:
    sam, tom = people.contributor(now, "Sam Okafor", police), people.contributor(now, "Tom Reed", police)
    with transaction():
        contributors.end(tom, by=ruth, now=now)
    with transaction():
        agencies.end(police, actor=ruth, now=now + HOUR)
    assert sam.ended_at is not None
    assert agencies.all_agencies() == []
    with pytest.raises(Refused), transaction():
        contributors.invite("x@example.org", police, by=ruth, now=now + HOUR)

    with transaction():
        agencies.resume(police, actor=ruth, now=now + 2 * HOUR)

    assert sam.ended_at is None
    assert tom.ended_at == now, "he had left before"


def test_a_lead_cannot_end_or_demote_themselves(police: Agency, now: datetime) -> None:
    lead = people.contributor(now, "Nadia Khan", police, lead=True)
    with pytest.raises(Refused), transaction():
        contributors.end(lead, by=lead, now=now)
    with pytest.raises(Refused), transaction():
        contributors.change(lead, name="N", agency=police, lead=False, by=lead, now=now)


# --- asking -------------------------------------------------------------------------------------------------------


def test_who_asks_waits_for_staff_who_take_them_in_with_one_click(police: Agency, ruth: Account, now: datetime) -> None:
    sam = people.contributor(now, "Sam Okafor", approved=False)
    with transaction():
        asking_in.ask(sam, name="Sam Okafor", words="larkmere POLICE, the community team", now=now)
        asking_in.ask(sam, name="Sam Okafor", words="Larkmere Police, community team", now=now)

    assert [one.address for one in notices("contributor_asked")] == ["ruth@example.org"], "told once"
    assert asking_in.waiting() == [sam]
    assert asking_in.likely_agency(sam) is police

    with transaction():
        asking_in.accept(sam, police, actor=ruth, now=now)
        asking_in.accept(sam, police, actor=ruth, now=now)
    assert (sam.agency, sam.approved_at) == (police, now)
    assert len(notices("contributor_welcome")) == 1
    assert asking_in.waiting() == []
    with pytest.raises(Refused), transaction():
        asking_in.refuse(sam, "No.", actor=ruth, now=now)


def test_who_is_refused_reads_why_and_has_no_access(quarterly: MailingList, ruth: Account, now: datetime) -> None:
    sam = people.contributor(now, "Sam Okafor", approved=False)
    with transaction():
        asking_in.ask(sam, name="Sam Okafor", words="A shop", now=now)
    with pytest.raises(Invalid), transaction():
        asking_in.refuse(sam, " ", actor=ruth, now=now)
    with transaction():
        asking_in.refuse(sam, "This is for partner agencies.", actor=ruth, now=now)

    assert sam.ended_at == now
    assert notices("contributor_refused")[0].values == {"reason": "This is for partner agencies."}
    with pytest.raises(Refused), transaction():
        asking_in.accept(sam, None, actor=ruth, now=now)


@pytest.mark.parametrize(("name", "words"), [("", "Larkmere Police"), ("Sam", ""), ("Sam", "x" * 501)])
def test_what_is_missing_when_asking_is_said(quarterly: MailingList, now: datetime, name: str, words: str) -> None:
    sam = people.contributor(now, "Sam Okafor", approved=False)
    with pytest.raises(Invalid), transaction():
        asking_in.ask(sam, name=name, words=words, now=now)


# --- a list of them ---------------------------------------------------------------------------------------------------

LIST = """Agency,Name,Email,Lead
Larkmere Police,Sam Okafor,sam@example.org,yes
 larkmere  police ,Tom Reed,tom@example.org.,
Larkmere Schools,,Nadia Khan <nadia@example.org>,
Larkmere Fire
"""


def test_a_list_is_taken_in_whole_and_undone(police: Agency, ruth: Account, now: datetime) -> None:
    plan = agency_import.plan(LIST, ruth)
    assert plan.problems == []
    assert plan.new_agencies == ["Larkmere Schools", "Larkmere Fire"]
    assert [(one.name, one.address, one.lead) for one in plan.new_people] == [
        ("Sam Okafor", "sam@example.org", True),
        ("Tom Reed", "tom@example.org", False),
        ("Nadia Khan", "nadia@example.org", False),
    ]
    assert db.session.scalars(select(Contributor)).all() == [], "looking changes nothing"

    with transaction():
        _done, entry = agency_import.take_in(LIST, None, invite=True, actor=ruth, now=now)
    assert [one.name for one in agencies.all_agencies()] == ["Larkmere Fire", "Larkmere Police", "Larkmere Schools"]
    assert [one.name for one in agencies.people_of(police)] == ["Sam Okafor", "Tom Reed"]
    assert len(notices("contributor_invitation")) == 3
    assert agency_import.plan(LIST, ruth).anything is False

    with transaction():
        assert agency_import.undo(entry, actor=ruth, now=now + HOUR) == 3
        assert agency_import.undo(entry, actor=ruth, now=now + HOUR) == 0
    assert agencies.all_agencies() == [police]
    assert agencies.people_of(police) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Larkmere Police,Sam,sam@", "in the form name@example.org"),
        (",Sam,sam@example.org", "name of the agency is missing"),
        ("Larkmere Police,Sam,", "has no email address"),
        ("Larkmere Police,Tom,tom@example.org\nLarkmere Police,Tom,TOM@example.org", "stands in line 2 already"),
        ("Larkmere Schools,Mo,mo@example.org", "sends news for Larkmere Police at the moment"),
        ("x" * 151 + ",Sam,sam@example.org", "characters or fewer"),
        ("x" * 140_000 + ",Sam,sam@example.org", "This line cannot be read"),
    ],
)
def test_one_wrong_line_keeps_all_of_it_out(police: Agency, ruth: Account, now: datetime, line: str, why: str) -> None:
    people.contributor(now, "Mo Ali", police)
    text = f"agency,name,email\n{line}\nLarkmere Fire,Ann,ann@example.org\n"

    plan = agency_import.plan(text, None)
    assert [sentence for _number, sentence in plan.problems if why in sentence]
    with pytest.raises(Invalid, match="Line "), transaction():
        agency_import.take_in(text, None, invite=True, actor=ruth, now=now)

    assert agencies.find_by_name("Larkmere Fire") is None


def test_a_list_brings_nobody_to_an_agency_of_another_list(quarterly: MailingList, now: datetime) -> None:
    mo = people.staff(now, "Mo Ali", Role.EDITOR, on=people.policy_changes(now))
    with transaction():
        agencies.create("Larkmere Libraries", quarterly, actor=None, now=now)

    plan = agency_import.plan("Larkmere Libraries, Ann Poe, ann@example.org", mo)
    assert plan.problems == [(1, "You do not look after Larkmere Libraries")]


def test_without_a_header_things_are_told_by_their_look(quarterly: MailingList) -> None:
    plan = agency_import.plan("Larkmere Police; sam@example.org; Sam Okafor; lead\nLarkmere Fire;ann@example.org", None)

    assert [(one.agency, one.name, one.address, one.lead) for one in plan.new_people] == [
        ("Larkmere Police", "Sam Okafor", "sam@example.org", True),
        ("Larkmere Fire", "", "ann@example.org", False),
    ]


@pytest.mark.parametrize("text", ["", "\n \n", "agency,email\n"])
def test_a_list_of_nothing_is_said(quarterly: MailingList, text: str) -> None:
    with pytest.raises(Invalid, match="Paste a list"):
        agency_import.plan(text, None)


def test_sessions_and_proofs_that_are_long_over_are_forgotten(quarterly: MailingList, now: datetime) -> None:
    sam = people.contributor(now)
    with transaction():
        contributor_sessions.start(sam, now=now)
        proving.send_proof(sam.address, ProofPurpose.SIGN_IN, now=now)
    with transaction():
        assert contributor_sessions.forget_ended(now + timedelta(hours=20)) == 1
        assert proving.forget_old(now + timedelta(days=30)) == 0
        assert proving.forget_old(now + timedelta(days=31)) == 1


# --- forgetting ---------------------------------------------------------------------------------------------------


def test_a_contributor_who_is_forgotten_is_named_nowhere_and_their_texts_stay_the_agencys(
    quarterly: MailingList, police: Agency, ruth: Account, now: datetime
) -> None:
    asking = people.contributor(now, "Samuel Okafor", approved=False)
    with transaction():
        asking_in.ask(asking, name="Samuel Okafor", words="Larkmere Police, Okafor’s team", now=now)
        asking_in.accept(asking, police, actor=ruth, now=now)
    sam, text = sent_by(asking, quarterly, now)
    with transaction():
        contributor_sessions.start(sam, user_agent="Okafor’s own browser", now=now)
        proving.send_proof(sam.address, ProofPurpose.SIGN_IN, now=now)
    with transaction():
        erased = forgetting.erase_address("SAMUEL@example.org", route="command line", now=now + HOUR)

    dumped = people_dump()
    assert (erased.contributors, erased.contributions) == (1, 1)
    assert "samuel" not in dumped.lower()
    assert "okafor" not in dumped.lower()
    db.session.refresh(text)
    assert (text.title, text.agency_id, text.contributor_id, text.contact_address) == (
        "One number",
        police.id,
        None,
        "",
    )


def people_dump() -> str:
    with db.engine.connect() as connection:
        return "\n".join(
            repr(tuple(row)) for table in db.metadata.sorted_tables for row in connection.execute(table.select())
        )
