"""Agencies on the desk, and on the page of their lead: who is in, who asks, who has left."""

import io
from datetime import datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.calls.partners import agencies, asking_in, contributor_sessions
from newsletter.models import Agency, Contributor, MailingList, Notice
from newsletter.states import Role
from tests import people
from tests.web import desk
from tests.web.public_pages import heading, words


@pytest.fixture
def police(app: Flask, now: datetime) -> Agency:
    people.larkmere(now)
    return people.agency(now)


@pytest.fixture
def nadia(client: FlaskClient, police: Agency, now: datetime) -> Contributor:
    """The lead of Larkmere Police, signed in."""
    lead = people.contributor(now, "Nadia Khan", police, lead=True)
    people.sign_in_contributor(client, lead)
    return lead


def told(template: str) -> list[str]:
    return list(db.session.scalars(select(Notice.address).where(Notice.template == template).order_by(Notice.id)))


# --- the desk ---------------------------------------------------------------------------


def test_an_editor_adds_an_agency_and_invites_its_lead(client: FlaskClient, now: datetime, app: Flask) -> None:
    people.larkmere(now)
    desk.ruth(client, now)
    empty = client.get("/desk/agencies")
    made = client.post("/desk/agencies/new", data={"name": "  Larkmere   Fire ", "scope": ""}, follow_redirects=True)
    agency = db.session.scalars(select(Agency)).one()
    invited = client.post(
        f"/desk/contributors/invite?agency={agency.public_id}",
        data={"email": "Ann Poe <ann@example.org>,", "name": "Ann Poe", "agency": str(agency.public_id), "lead": "y"},
        follow_redirects=True,
    )

    assert "There is no agency yet" in words(empty)
    assert heading(made) == "Larkmere Fire"
    assert "Nobody sends in its news yet" in words(made)
    assert "An invitation is on its way to ann@example.org. We read it as ann@example.org." in invited.text
    assert "Ann Poe ann@example.org Lead Invited, not here yet" in words(invited)
    assert told("contributor_invitation") == ["ann@example.org"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Enter the agency’s name"),
        ({"name": "LARKMERE POLICE"}, "Larkmere Police is there already"),
        ({"name": "x" * 200}, "Use 150 characters or fewer"),
    ],
)
def test_a_name_that_cannot_be_used_is_said_at_its_field(
    client: FlaskClient, police: Agency, now: datetime, fields: dict[str, str], sentence: str
) -> None:
    desk.ruth(client, now)
    page = client.post("/desk/agencies/new", data={"scope": "", **fields})

    assert page.status_code == 422
    assert "<title>Error: Add an agency" in page.text
    assert sentence in page.text
    assert f'value="{fields["name"]}"' in page.text


def test_agencies_are_switched_on_in_a_lists_settings(client: FlaskClient, police: Agency, now: datetime) -> None:
    people.sign_in(client, people.staff(now, role=Role.ADMIN))
    before = client.get("/desk/agencies")
    assert "/desk/agencies" not in client.get("/desk/contributions").text
    form = client.get("/desk/lists/safeguarding-news")
    mailing_list = db.session.scalars(select(MailingList)).one()
    fields = {
        name: getattr(mailing_list, name)
        for name in ("name", "sender_name", "sender_address", "contact_address", "accent", "timezone")
    }
    client.post(
        "/desk/lists/safeguarding-news",
        data={**fields, "cadence": "quarterly", "needs_approval": "y", "uses_agencies": "y"},
    )

    db.session.refresh(mailing_list)
    assert "/desk/agencies" in client.get("/desk/contributions").text
    assert "No list uses agencies yet." in words(before)
    assert "Agencies send in its news" in form.text
    assert mailing_list.uses_agencies
    assert "No list uses agencies yet." not in words(client.get("/desk/agencies"))


def test_who_asks_is_taken_in_with_one_click(client: FlaskClient, police: Agency, now: datetime) -> None:
    desk.ruth(client, now)
    sam = people.contributor(now, "Sam Okafor", approved=False)
    with transaction():
        asking_in.ask(sam, name="Sam Okafor", words="Larkmere Police, community", now=clock.now())
    waiting, page = client.get("/desk/agencies"), client.get(f"/desk/contributors/{sam.public_id}")
    taken = client.post(
        f"/desk/contributors/{sam.public_id}/accept", data={"agency": str(police.public_id)}, follow_redirects=True
    )

    assert "Larkmere Police, community" in words(waiting)
    assert f'value="{police.public_id}" selected' in page.text, "the agency they named is chosen already"
    assert "Sam Okafor is taken in, and told so." in taken.text
    assert told("contributor_welcome") == ["sam@example.org"]


def test_refusing_wants_a_reason(client: FlaskClient, police: Agency, now: datetime) -> None:
    desk.ruth(client, now)
    sam = people.contributor(now, "Sam Okafor", approved=False)
    with transaction():
        asking_in.ask(sam, name="Sam Okafor", words="A shop", now=clock.now())
    without = client.post(f"/desk/contributors/{sam.public_id}/refuse", data={"reason": " "})
    client.post(f"/desk/contributors/{sam.public_id}/refuse", data={"reason": "For partners only."})

    assert without.status_code == 422
    assert "Say why. They read these words." in without.text
    assert told("contributor_refused") == ["sam@example.org"]


def test_staff_sign_somebody_out_end_them_and_take_it_back(client: FlaskClient, police: Agency, now: datetime) -> None:
    desk.ruth(client, now)
    sam = people.contributor(now, "Sam Okafor", police)
    other = client.application.test_client()
    people.sign_in_contributor(other, sam)
    at = f"/desk/contributors/{sam.public_id}"
    assert "On 1 device" in words(client.get(at))

    client.post(f"{at}/sign-out")
    assert other.get("/contribute/account").status_code == 302
    assert "can no longer sign in" in client.post(f"{at}/end", follow_redirects=True).text
    assert "Let them sign in again" in words(client.get(at))
    client.post(f"{at}/resume")
    db.session.refresh(sam)
    assert sam.ended_at is None
    assert client.post(f"{at}/no-such-act").status_code == 404


def test_moving_somebody_to_another_agency(client: FlaskClient, police: Agency, now: datetime) -> None:
    desk.ruth(client, now)
    sam, schools = people.contributor(now, "Sam Okafor", police), people.agency(now, "Larkmere Schools")
    page = client.post(
        f"/desk/contributors/{sam.public_id}", data={"name": "Sam O.", "agency": str(schools.public_id), "lead": "y"},
        follow_redirects=True,
    )  # fmt: skip
    forged = client.post(f"/desk/contributors/{sam.public_id}", data={"name": "S", "agency": "somewhere"})

    db.session.refresh(sam)
    assert page.status_code == 200
    assert (sam.name, sam.agency_id, sam.lead) == ("Sam O.", schools.id, True)
    assert forged.status_code == 422


def test_somebody_is_forgotten_after_a_page_that_says_what_goes(
    client: FlaskClient, police: Agency, now: datetime
) -> None:
    desk.ruth(client, now)
    sam = people.contributor(now, "Sam Okafor", police)
    at = f"/desk/contributors/{sam.public_id}/forget"
    asked = client.get(at)
    assert db.session.scalars(select(Contributor.name)).all() == ["Sam Okafor"]
    done = client.post(at, follow_redirects=True)
    other = client.application.test_client()
    people.sign_in(other, people.staff(now, "Mo Ali", Role.EDITOR, on=people.policy_changes(now)))
    tom = people.contributor(now, "Tom Reed", police)

    assert heading(asked) == "Forget Sam Okafor?"
    assert "Forgotten." in done.text
    assert "sam@example.org" not in done.text
    assert other.post(f"/desk/contributors/{tom.public_id}/forget").status_code == 403


def test_an_editor_of_another_list_sees_nothing_of_it(client: FlaskClient, app: Flask, now: datetime) -> None:
    quarterly, other = people.larkmere(now), people.policy_changes(now)
    with transaction():
        own = agencies.create("Larkmere Libraries", quarterly, actor=None, now=now)
    sam = people.contributor(now, "Sam Okafor", own)
    people.sign_in(client, people.staff(now, "Mo Ali", Role.EDITOR, on=other))

    assert "Larkmere Libraries" not in client.get("/desk/agencies").text
    assert "sam@example.org" not in client.get("/desk/contributors").text
    for path in (f"/desk/agencies/{own.public_id}", f"/desk/contributors/{sam.public_id}"):
        assert client.get(path).status_code == 403
        assert client.post(f"{path}/end").status_code == 403


# --- a list of them ---------------------------------------------------------------------------


def test_a_list_is_looked_through_brought_in_and_undone(client: FlaskClient, police: Agency, now: datetime) -> None:
    desk.ruth(client, now)
    raw = "agency,name,email\nLarkmere Fire,Ann Poe,ann@example.org\nLarkmere Police,Tom Réed,tom@example.org\n"
    looked = client.post(
        "/desk/agencies/import",
        data={"scope": "", "file": (io.BytesIO(raw.encode("utf-16")), "list.csv"), "do": "look"},
        content_type="multipart/form-data",
    )
    nothing_yet = agencies.find_by_name("Larkmere Fire")
    done = client.post(
        "/desk/agencies/import", data={"scope": "", "text": raw, "do": "take-in", "invite": "y"}, follow_redirects=True
    )
    undo = client.post(f"{done.request.path}/undo", follow_redirects=True)

    assert "1 new agency and 2 new people." in words(looked)
    assert "Tom Réed" in words(looked)
    assert nothing_yet is None
    assert heading(done) == "The list is in"
    assert told("contributor_invitation") == ["ann@example.org", "tom@example.org"]
    assert "Undone: 2 people have no access." in undo.text


def test_lines_that_cannot_be_used_are_listed_and_the_text_is_kept(
    client: FlaskClient, police: Agency, now: datetime
) -> None:
    desk.ruth(client, now)
    text = "agency,name,email\nLarkmere Fire,Ann,ann@\nLarkmere Fire,Bo,\nLarkmere Fire,Cy,cy@example.org"
    for do in ("look", "take-in"):
        page = client.post("/desk/agencies/import", data={"scope": "", "text": text, "do": do})
        assert page.status_code == 422
        assert "<title>Error: " in page.text
        assert "2 lines cannot be used" in words(page)
        assert "Line 2: " in words(page)
        assert "cy@example.org" in page.text

    assert agencies.all_agencies() == [police]


# --- the lead ---------------------------------------------------------------------------


def test_a_lead_invites_a_colleague(client: FlaskClient, nadia: Contributor) -> None:
    page = client.post(
        "/contribute/agency/invite", data={"email": "tom@example.org", "name": "Tom"}, follow_redirects=True
    )
    wrong = client.post("/contribute/agency/invite", data={"email": "tom@", "name": "Tom"})

    assert "Tom tom@example.org Invited, not here yet" in words(page)
    assert told("contributor_invitation") == ["tom@example.org"]
    assert wrong.status_code == 422
    assert "<title>Error: " in wrong.text


def test_a_lead_looks_after_a_colleague(client: FlaskClient, nadia: Contributor, police: Agency, now: datetime) -> None:
    tom = people.contributor(now, "Tom Reed", police)
    with transaction():
        contributor_sessions.start(tom, now=clock.now())
    at = f"/contribute/agency/{tom.public_id}"

    assert "Signed in on 1 device." in words(client.get(at))
    for word, sentence in (
        ("sign-out", "is signed out everywhere"),
        ("lead", "may invite and end people now"),
        ("no-lead", "no longer looks after the others"),
        ("end", "can no longer sign in"),
        ("resume", "can sign in again"),
    ):
        assert sentence in client.post(f"{at}/{word}", follow_redirects=True).text
    done = client.post(f"{at}/hand-over", data={"to": str(nadia.public_id)}, follow_redirects=True)
    assert "0 texts are Nadia Khan’s now." in done.text


def test_a_lead_finds_nobody_of_another_agency(client: FlaskClient, nadia: Contributor, now: datetime) -> None:
    sam = people.contributor(now, "Sam Okafor", people.agency(now, "Larkmere Schools"))
    at = f"/contribute/agency/{sam.public_id}"

    assert client.get(at).status_code == 404
    assert [client.post(f"{at}/{word}").status_code for word in ("end", "lead", "sign-out", "hand-over")] == [404] * 4
    db.session.refresh(sam)
    assert sam.ended_at is None


def test_who_leads_nobody_has_no_such_page(client: FlaskClient, police: Agency, now: datetime) -> None:
    people.sign_in_contributor(client, people.contributor(now, "Tom Reed", police))

    assert client.get("/contribute/agency").status_code == 404
    assert client.post("/contribute/agency/invite", data={"email": "x@example.org"}).status_code == 404
    assert told("contributor_invitation") == []


def test_a_lead_can_not_write_to_a_whole_town(client: FlaskClient, nadia: Contributor, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in_contributor(client, nadia)
        statuses = [
            client.post("/contribute/agency/invite", data={"email": f"p{number}@example.org"}).status_code
            for number in range(31)
        ]

    assert statuses == [303] * 30 + [429]


def test_somebody_nobody_invited_asks_the_editors(client: FlaskClient, police: Agency, now: datetime) -> None:
    people.staff(now)
    people.sign_in_contributor(client, people.contributor(now, "Sam Okafor", approved=False))
    empty = client.post("/contribute/ask", data={"name": "Sam Okafor", "words": ""})
    asked = client.post(
        "/contribute/ask", data={"name": "Sam Okafor", "words": "Larkmere Police"}, follow_redirects=True
    )

    assert empty.status_code == 422
    assert "Enter the name of your agency or team" in empty.text
    assert "The editors are told. They write to you." in asked.text
    assert told("contributor_asked") == ["ruth@example.org"]
