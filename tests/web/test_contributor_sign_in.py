"""Contributors sign in without a password, and nobody else does: the mail, its button, its six digits."""

import re
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.domain.calls.partners import contributors, proving
from newsletter.domain.subscribers import suppressing
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Activity, AddressProof, Contribution, Contributor, ContributorSession, MailingList, Notice
from newsletter.states import ContributionState, ProofPurpose, SuppressionReason
from newsletter.web.contribute.access import GUARD, current_contributor
from tests import people
from tests.web.public_pages import Visitor, heading, words

OURS = {"Sec-Fetch-Site": "same-origin"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sam(app: Flask, now: datetime) -> Contributor:
    """Sam sends in the news of Larkmere Police."""
    people.larkmere(now)
    return people.contributor(now, "Sam Okafor", people.agency(now))


@pytest.fixture
def visitor(client: FlaskClient, now: datetime) -> Visitor:
    return Visitor(client, now)


def ask(visitor: Visitor, address: str, **more: object) -> TestResponse:
    return visitor.send("/contribute/sign-in", {"email": address, **more})


def mail(relay: MemoryRelay, now: datetime) -> tuple[str, str]:
    """The newest mail's link (its path) and code."""
    deliver_notices(now)
    text = message_from_bytes(relay.accepted[-1].message, policy=policy.default).get_body(("plain",))
    assert text is not None
    content = text.get_content()
    link = re.search(r"https://\S+/contribute/prove/\S+", content)
    code = re.search(r"^ +(\d{3} \d{3})\s*$", content, re.MULTILINE)
    assert link and code, content
    return urlsplit(link[0]).path, code[1]


def signed_in(visitor: Visitor, moment: datetime | None = None) -> bool:
    with visitor.at(moment or visitor.now + 2 * MINUTE):
        return visitor.client.get("/contribute/account").status_code == 200


def proofs() -> list[AddressProof]:
    return list(db.session.scalars(select(AddressProof).order_by(AddressProof.id)))


def test_the_link_shows_a_button_and_the_button_signs_in(
    visitor: Visitor, sam: Contributor, relay: MemoryRelay
) -> None:
    page = ask(visitor, "sam@example.org")
    link, _code = mail(relay, visitor.now + MINUTE)

    looked = visitor.open(link)
    done = visitor.send(link)

    assert page.status_code == 303
    assert heading(looked) == "Sign in to send news"
    assert "s…@example.org" in words(looked)
    assert looked.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in looked.headers
    assert done.status_code == 303
    cookie = done.headers["Set-Cookie"]
    assert cookie.startswith("__Host-contributor=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=72000"} <= {
        part.strip() for part in cookie.split(";")
    }
    assert signed_in(visitor)


def test_a_mail_filter_that_opens_the_link_or_posts_to_it_blindly_does_nothing(
    visitor: Visitor, sam: Contributor, relay: MemoryRelay, app: Flask
) -> None:
    ask(visitor, "sam@example.org")
    link, _code = mail(relay, visitor.now + MINUTE)
    scanner = Visitor(app.test_client(), visitor.now + MINUTE)

    opened = [scanner.open(link, method).status_code for method in ("GET", "HEAD", "GET")]
    posted = scanner.open(link, "POST")

    assert opened == [200, 200, 200]
    assert posted.status_code == 400
    assert proofs()[0].used_at is None
    assert visitor.send(link).status_code == 303


def test_a_second_press_says_when_the_first_one_was(
    visitor: Visitor, sam: Contributor, relay: MemoryRelay, app: Flask
) -> None:
    ask(visitor, "sam@example.org")
    link, _code = mail(relay, visitor.now + MINUTE)
    visitor.send(link)
    other = Visitor(app.test_client(), visitor.now + MINUTE)

    again, elsewhere = visitor.open(link), other.open(link)

    assert heading(again) == heading(elsewhere) == "This was used already"
    assert "You are signed in on this device." in words(again)
    assert "this one at" in words(elsewhere)
    assert "Send me a new link" in words(elsewhere)
    assert not signed_in(other)
    assert db.session.scalar(select(func.count()).select_from(ContributorSession)) == 1


@pytest.mark.parametrize("by", ["link", "code"])
def test_pressed_twice_before_the_answer_came_it_is_one_effect_and_signs_in(
    visitor: Visitor, sam: Contributor, relay: MemoryRelay, app: Flask, by: str
) -> None:
    """A browser without JavaScript throws the first answer away, with its cookie."""
    where = ask(visitor, "sam@example.org").headers["Location"]
    link, code = mail(relay, visitor.now + MINUTE)
    button = link if by == "link" else where
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', visitor.open(button).text))
    answers = []
    for _press in range(2):
        answers.append(visitor.open(button, "POST", data={**hidden, "code": code}))
        visitor.client.delete_cookie("__Host-contributor")
    assert [one.status_code for one in answers] == [303, 303]
    assert answers[0].headers["Set-Cookie"] == answers[1].headers["Set-Cookie"]
    assert db.session.scalar(select(func.count()).select_from(ContributorSession)) == 1
    other = Visitor(app.test_client(), visitor.now)
    assert other.open(button, "POST", data={**hidden, "page": "x" * 22, "code": code}).status_code == 200
    later = Visitor(app.test_client(), visitor.now + 2 * MINUTE)
    assert later.open(button, "POST", data={**hidden, "code": code}).status_code == 200, "a minute is over"
    assert not signed_in(other)
    assert not signed_in(later)


def test_the_code_works_where_it_was_asked_for_and_the_link_is_used_with_it(
    visitor: Visitor, sam: Contributor, relay: MemoryRelay, app: Flask
) -> None:
    """Asked on the desk's computer, read on the phone."""
    page = ask(visitor, "sam@example.org", next="/contribute/december-2026")
    where = page.headers["Location"]
    link, code = mail(relay, visitor.now + MINUTE)
    phone = Visitor(app.test_client(), visitor.now + MINUTE)

    done = visitor.open(
        where, "POST", data={"code": f" {code.replace(' ', '-')} ", "next": "/contribute/december-2026"}
    )

    assert done.status_code == 303
    assert done.headers["Location"] == "/contribute/december-2026"
    assert signed_in(visitor)
    assert heading(phone.open(link)) == "This was used already"
    assert not signed_in(phone)


def test_the_link_on_another_device_signs_that_one_in(
    visitor: Visitor, sam: Contributor, relay: MemoryRelay, app: Flask
) -> None:
    where = ask(visitor, "sam@example.org").headers["Location"]
    link, code = mail(relay, visitor.now + MINUTE)
    phone = Visitor(app.test_client(), visitor.now + MINUTE)
    phone.send(link)

    assert signed_in(phone)
    assert not signed_in(visitor)
    assert heading(visitor.open(where)) == "This was used already"
    assert visitor.open(where, "POST", data={"code": code}).status_code == 200
    assert not signed_in(visitor)


def test_five_wrong_codes_end_it_and_a_new_one_is_offered_in_place(
    visitor: Visitor, sam: Contributor, relay: MemoryRelay
) -> None:
    where = ask(visitor, "sam@example.org").headers["Location"]
    link, code = mail(relay, visitor.now + MINUTE)
    wrong = "000 000" if code != "000 000" else "000 001"

    statuses = [visitor.open(where, "POST", data={"code": wrong}).status_code for _try in range(5)]
    over = visitor.open(where, "POST", data={"code": code})

    assert statuses == [422, 422, 422, 422, 410]
    assert heading(over) == "Five wrong codes"
    assert visitor.send(link, page="/contribute/sign-in").status_code == 410
    assert not signed_in(visitor)

    fresh = visitor.open(f"/contribute/proof/{proofs()[0].public_id}/again", "POST")
    _link, new_code = mail(relay, visitor.now + MINUTE)
    assert visitor.open(fresh.headers["Location"], "POST", data={"code": new_code}).status_code == 303
    assert signed_in(visitor)


def test_whoever_guesses_on_and_on_is_stopped_for_the_day_and_the_link_still_works(
    visitor: Visitor, sam: Contributor, relay: MemoryRelay, app: Flask
) -> None:
    guesser = Visitor(app.test_client(), visitor.now)
    tried = []
    for hour in range(6):
        guesser.now = visitor.now + timedelta(hours=hour)
        where = ask(guesser, "sam@example.org").headers["Location"]
        _link, code = mail(relay, guesser.now + MINUTE)
        wrong = "000 000" if code != "000 000" else "000 001"
        tried += [guesser.open(where, "POST", data={"code": wrong}).status_code for _try in range(5)]

    assert tried[:20].count(429) == 0
    assert set(tried[20:]) == {429}
    assert guesser.open(where, "POST", data={"code": code}).status_code == 429, "even the right one, today"
    link, _code = mail(relay, guesser.now + MINUTE)
    visitor.now = guesser.now
    assert visitor.send(link).status_code == 303


def test_half_an_hour_later_it_has_expired(visitor: Visitor, sam: Contributor, relay: MemoryRelay) -> None:
    where = ask(visitor, "sam@example.org").headers["Location"]
    link, code = mail(relay, visitor.now + MINUTE)
    end = proofs()[0].expires_at
    visitor.now = end - timedelta(seconds=1)
    assert heading(visitor.open(link)) == "Sign in to send news"

    visitor.now = end

    assert end - proofs()[0].created_at == timedelta(minutes=30)
    assert [visitor.open(link).status_code, visitor.open(where).status_code] == [410, 410]
    assert heading(visitor.open(link)) == "This link has expired"
    assert visitor.open(where, "POST", data={"code": code}).status_code == 410
    assert not signed_in(visitor, end)


def test_a_newer_mail_replaces_an_older_one(visitor: Visitor, sam: Contributor, relay: MemoryRelay) -> None:
    first = ask(visitor, "sam@example.org").headers["Location"]
    old_link, old_code = mail(relay, visitor.now + MINUTE)
    ask(visitor, " SAM@EXAMPLE.ORG ")
    link, _code = mail(relay, visitor.now + MINUTE)

    assert heading(visitor.open(old_link)) == "There is a newer email"
    assert visitor.open(first, "POST", data={"code": old_code}).status_code == 410
    assert visitor.send(link).status_code == 303


def test_a_mail_that_waited_too_long_is_not_sent(visitor: Visitor, sam: Contributor, relay: MemoryRelay) -> None:
    ask(visitor, "sam@example.org")
    ask(visitor, "sam@example.org")

    assert deliver_notices(visitor.now + MINUTE) == 1, "the one that was replaced has no reason any more"
    ask(visitor, "sam@example.org")
    assert deliver_notices(visitor.now + timedelta(hours=1)) == 0


# --- whether an address is known shows nowhere ----------------------------------------------------------------


def shape(response: TestResponse) -> tuple[object, ...]:
    """An answer without what differs by chance: ids and tokens."""
    text = re.sub(r"[0-9a-f-]{36}|value=\"[^\"]{40,}\"", "*", response.text)
    location = re.sub(r"[0-9a-f-]{36}", "*", response.headers.get("Location", ""))
    return response.status_code, location, text.replace("stranger", "sam-------"[:3].ljust(8)), len(response.headers)


@pytest.mark.parametrize("address", ["stranger@example.org", "left@example.org", "asked-us-not-to@example.org"])
def test_every_address_gets_the_same_answers(
    app: Flask, now: datetime, sam: Contributor, relay: MemoryRelay, address: str
) -> None:
    """Known or not, ended or unwelcome: the same pages, the same rows but for the mail that was refused."""
    left = people.contributor(now, "Left Behind")
    with transaction():
        contributors.end(left, by=None, now=now)
        suppressing.suppress("asked-us-not-to@example.org", SuppressionReason.NOT_ME, now=now)
    known, other = Visitor(app.test_client(), now), Visitor(app.test_client(), now)

    answers = []
    for visitor, whose in ((known, "sam@example.org"), (other, address)):
        asked = ask(visitor, whose)
        page = visitor.open(asked.headers["Location"])
        wrong = visitor.open(asked.headers["Location"], "POST", data={"code": "12"})
        answers.append([shape(asked), shape(page)[:2], shape(wrong)[:2], words(page).replace(whose, "*")])

    assert answers[0] == answers[1]
    assert [one.purpose for one in proofs()] == [ProofPurpose.SIGN_IN] * 2


def test_a_known_and_an_unknown_address_cost_the_same_work(app: Flask, now: datetime, sam: Contributor) -> None:
    """Statements sent to the database, not seconds: the same for both."""
    from sqlalchemy import event

    counted: list[list[str]] = []

    def count(address: str) -> list[str]:
        statements: list[str] = []

        def note(_c: object, _cur: object, statement: str, *_more: object) -> None:
            statements.append(statement.split("(")[0].split("\n")[0])

        visitor = Visitor(app.test_client(), now)
        visitor.open("/contribute/sign-in")
        event.listen(db.engine, "before_cursor_execute", note)
        ask(visitor, address)
        event.remove(db.engine, "before_cursor_execute", note)
        return statements

    counted = [count("sam@example.org"), count("stranger@example.org")]
    assert counted[0] == counted[1]


# --- what is typed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("sam@example.org.", "sam@example.org"),
        ("  sam@example.org ;", "sam@example.org"),
        ("Sam Okafor <sam@example.org>", "sam@example.org"),
        ("mailto:sam@example.org", "sam@example.org"),
        ("(sam@example.org),", "sam@example.org"),
        ("<sam@example.org>", "sam@example.org"),
    ],
)
def test_what_came_along_with_an_address_is_left_out_and_said(
    visitor: Visitor, sam: Contributor, typed: str, read: str
) -> None:
    page = visitor.open(ask(visitor, typed).headers["Location"])

    assert proofs()[0].address == read
    assert proofs()[0].contributor_id == sam.id
    assert "We left out what does not belong to the address" in words(page)


@pytest.mark.parametrize(
    "typed", ["", "   ", "sam", "sam@", "two@example.org three@example.org", "a@b\r\nBcc: x@y.org"]
)
def test_what_is_no_address_is_said_at_the_field(visitor: Visitor, sam: Contributor, typed: str) -> None:
    page = ask(visitor, typed)

    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert 'id="email-error"' in page.text
    assert proofs() == []


def test_asking_too_often_is_refused_alike_for_all(visitor: Visitor, sam: Contributor) -> None:
    statuses = {
        address: [ask(visitor, address).status_code for _time in range(7)]
        for address in ("sam@example.org", "stranger@example.org")
    }

    assert statuses["sam@example.org"] == statuses["stranger@example.org"] == [303] * 6 + [429]


def test_a_form_that_was_open_since_yesterday_keeps_what_was_typed(visitor: Visitor, sam: Contributor) -> None:
    page = visitor.send("/contribute/sign-in", {"email": "sam@example.org"}, reads_for=timedelta(hours=25))

    assert page.status_code == 400
    assert 'value="sam@example.org"' in page.text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://elsewhere.example.org/contribute",
        "//elsewhere.example.org/contribute",
        "/desk",
        "/contribute\\..\\x",
        "javascript:alert(1)",
        "/contribute@evil",
    ],
)
def test_signing_in_leads_to_our_own_pages_only(
    visitor: Visitor, sam: Contributor, relay: MemoryRelay, wanted: str
) -> None:
    where = ask(visitor, "sam@example.org").headers["Location"]
    _link, code = mail(relay, visitor.now + MINUTE)

    done = visitor.open(where, "POST", data={"code": code, "next": wanted})

    assert done.headers["Location"] == "/contribute/mine"


# --- sessions -------------------------------------------------------------------------------------------------------


def test_a_session_ends_after_twenty_hours(client: FlaskClient, sam: Contributor, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in_contributor(client, sam)
    visitor = Visitor(client, now)

    assert signed_in(visitor, now + timedelta(hours=20) - timedelta(microseconds=1))
    assert not signed_in(visitor, now + timedelta(hours=20))


def test_whoever_is_not_signed_in_is_led_there_and_back(visitor: Visitor, sam: Contributor) -> None:
    led = visitor.open("/contribute/account?x=1")

    assert led.status_code == 302
    assert led.headers["Location"] == "/contribute/sign-in?next=/contribute/account?x%3D1"


def test_signing_out_ends_this_browser_alone(app: Flask, sam: Contributor, now: datetime) -> None:
    here, there = Visitor(app.test_client(), now), Visitor(app.test_client(), now)
    with time_machine.travel(now, tick=False):
        people.sign_in_contributor(here.client, sam)
        people.sign_in_contributor(there.client, sam)
    kept = here.client.get_cookie("__Host-contributor", domain="localhost")
    assert kept is not None

    page = here.open("/contribute/sign-out", "POST", follow_redirects=True)

    assert heading(page) == "You are signed out"
    assert not signed_in(here)
    here.client.set_cookie("__Host-contributor", kept.value, domain="localhost")
    assert not signed_in(here), "the cookie that was kept opens nothing either"
    assert signed_in(there)


def test_signing_out_everywhere_ends_all_browsers_and_waiting_links(
    app: Flask, sam: Contributor, now: datetime, relay: MemoryRelay
) -> None:
    here, there = Visitor(app.test_client(), now), Visitor(app.test_client(), now)
    with time_machine.travel(now, tick=False):
        people.sign_in_contributor(here.client, sam)
        people.sign_in_contributor(there.client, sam)
    ask(there, "sam@example.org")
    link, _code = mail(relay, now + MINUTE)

    done = here.open("/contribute/account/sign-out-everywhere", "POST")

    assert done.status_code == 303
    assert not signed_in(here)
    assert not signed_in(there)
    assert heading(there.open(link)) == "This link was taken back"


def test_access_that_ends_while_signed_in_ends_at_the_next_click(
    client: FlaskClient, sam: Contributor, now: datetime, relay: MemoryRelay
) -> None:
    visitor = Visitor(client, now)
    with time_machine.travel(now, tick=False):
        people.sign_in_contributor(client, sam)
    assert signed_in(visitor)

    with transaction():
        contributors.end(sam, by=None, now=now + MINUTE)

    assert visitor.open("/contribute/account").status_code == 302
    assert visitor.open("/contribute/account", "POST", data={"name": "x"}).status_code == 303
    ask(visitor, "sam@example.org")
    link, _code = mail(relay, now + 2 * MINUTE)
    page = visitor.send(link)
    assert page.status_code == 403
    assert heading(page) == "Your access has ended"
    assert "Set-Cookie" not in page.headers
    assert not signed_in(visitor)


def test_one_browser_may_be_staff_and_contributor(client: FlaskClient, sam: Contributor, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now))
        people.sign_in_contributor(client, sam)
        client.post("/contribute/sign-out")
        desk, room = client.get("/desk").status_code, client.get("/contribute/account").status_code

    assert (desk, room) == (200, 302)


def test_who_signs_in_as_somebody_else_here_is_no_longer_the_first(
    client: FlaskClient, sam: Contributor, now: datetime, relay: MemoryRelay
) -> None:
    people.contributor(now, "Nadia Khan")
    visitor = Visitor(client, now)
    with time_machine.travel(now, tick=False):
        people.sign_in_contributor(client, sam)
    ask(visitor, "nadia@example.org")
    link, _code = mail(relay, now + MINUTE)

    visitor.send(link)

    assert "nadia@example.org" in words(visitor.open("/contribute/account"))
    assert db.session.scalar(select(func.count()).select_from(ContributorSession)) == 1


# --- forms on other pages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "theirs"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://news.example.org"}, True),
        ({"Origin": "https://elsewhere.example.org"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_a_change_counts_as_theirs_only_from_our_own_page(
    app: Flask, client: FlaskClient, sam: Contributor, now: datetime, headers: dict[str, str], theirs: bool
) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in_contributor(client, sam)
        del client.environ_base["HTTP_SEC_FETCH_SITE"]
        answer = client.post("/contribute/account", data={"name": "Sam O."}, headers=headers)

    db.session.refresh(sam)
    assert (answer.status_code, sam.name) == ((303, "Sam O.") if theirs else (400, "Sam Okafor"))


def test_an_old_browser_that_says_nothing_has_the_token_of_its_session(
    app: Flask, client: FlaskClient, sam: Contributor, now: datetime
) -> None:
    other = app.test_client()
    with time_machine.travel(now, tick=False):
        for each in (client, other):
            people.sign_in_contributor(each, sam)
            del each.environ_base["HTTP_SEC_FETCH_SITE"]
        tokens = [
            re.findall(rf'name="{GUARD}" value="([0-9a-f]+)"', each.get("/contribute/account").text)[0]
            for each in (client, other)
        ]
        strange = client.post("/contribute/account", data={"name": "Sam P.", GUARD: tokens[1]}).status_code
        own = client.post("/contribute/account", data={"name": "Sam O.", GUARD: tokens[0]}).status_code

    assert tokens[0] != tokens[1]
    assert (strange, own) == (400, 303)


def test_an_error_of_the_rooms_pages_needs_nobody_signed_in(app: Flask, sam: Contributor) -> None:
    with app.test_request_context("/contribute", method="POST"):
        assert current_contributor() is None


# --- write now, prove later -------------------------------------------------------------------------------------------


def sent_in(now: datetime, address: str = "cara@council.example.org") -> Contribution:
    """A text whose sender's address nobody has proved."""
    mailing_list = db.session.scalars(select(MailingList)).first() or people.larkmere(now)
    issue = people.issue(now, mailing_list)
    with transaction() as session:
        made = Contribution(
            reference="K7M3-9QXT", issue_id=issue.id, state=ContributionState.SUBMITTED, title="Training on neglect",
            body="Two half days.", contact_name="Cara Bell", contact_address=address, contact_phone="01632 960 117",
            opened_at=now, created_at=now, submitted_at=now, prove_by=now + timedelta(hours=24),
        )  # fmt: skip
        session.add(made)
        session.flush()
        proving.send_proof(address, ProofPurpose.CONTRIBUTION, contribution=made, now=now)
    return made


def test_the_link_proves_what_was_sent_and_makes_its_sender_somebody(
    visitor: Visitor, relay: MemoryRelay, app: Flask, now: datetime
) -> None:
    text = sent_in(now)
    link, _code = mail(relay, now)
    page = visitor.open(link)

    done = visitor.send(link)

    db.session.refresh(text)
    cara = text.contributor
    assert heading(page) == "Is this from you?"
    assert done.headers["Location"].startswith("/contribution/")
    assert text.proved_at == visitor.now + timedelta(seconds=30)
    assert cara is not None
    assert (cara.address, cara.name, cara.phone, cara.approved_at) == (
        "cara@council.example.org", "Cara Bell", "01632 960 117", None,
    )  # fmt: skip
    assert signed_in(visitor)


def test_the_code_proves_what_a_known_person_sent_and_gives_it_to_their_agency(
    visitor: Visitor, relay: MemoryRelay, sam: Contributor, now: datetime
) -> None:
    text = sent_in(now, "SAM@example.org")
    _link, code = mail(relay, now)

    visitor.open(f"/contribute/code/{proofs()[0].public_id}", "POST", data={"code": code})

    db.session.refresh(text)
    assert (text.contributor_id, text.agency_id) == (sam.id, sam.agency_id)
    assert text.proved_at is not None


def test_after_a_day_the_text_is_kept_and_counts_from_when_it_is_proved(
    visitor: Visitor, relay: MemoryRelay, app: Flask, now: datetime
) -> None:
    text = sent_in(now)
    link, _code = mail(relay, now)
    visitor.now = now + timedelta(hours=24)

    over = visitor.open(link)
    again = visitor.open(f"/contribute/proof/{proofs()[0].public_id}/again", "POST")
    _link, code = mail(relay, visitor.now + MINUTE)
    visitor.open(again.headers["Location"], "POST", data={"code": code})

    db.session.refresh(text)
    assert over.status_code == 410
    assert "is saved either way" in words(over)
    assert (text.proved_at, text.submitted_at) == (visitor.now, visitor.now)
    assert proofs()[1].expires_at - visitor.now == timedelta(hours=24)


def test_signing_in_proves_nothing_that_somebody_else_may_have_sent(
    visitor: Visitor, relay: MemoryRelay, sam: Contributor, now: datetime
) -> None:
    """Anybody can type Sam's address. Only Sam can say that it was Sam."""
    text = sent_in(now, "sam@example.org")
    ask(visitor, "sam@example.org")
    deliver_notices(now + MINUTE)
    link = next(path for envelope in relay.accepted if (path := _sign_in_link(envelope.message)) is not None)
    visitor.send(link)

    db.session.refresh(text)
    assert signed_in(visitor)
    assert (text.proved_at, text.contributor_id) == (None, None)
    waiting = visitor.open("/contribute/mine").text
    assert "Is this from you?" in waiting and text.title in waiting
    claimed = visitor.open(f"/contribute/mine/{text.public_id}/from-me", "POST", headers=OURS)
    assert claimed.status_code == 303
    db.session.refresh(text)
    assert (text.contributor_id, text.proved_at) == (sam.id, visitor.now)
    assert "Is this from you?" not in visitor.open("/contribute/mine").text


def test_what_somebody_else_sent_is_nobodys_to_claim(visitor: Visitor, relay: MemoryRelay, sam: Contributor) -> None:
    """Neither shown nor taken, whoever knows where its button leads."""
    theirs = sent_in(visitor.now)
    ask(visitor, "sam@example.org")
    link, _code = mail(relay, visitor.now + MINUTE)
    visitor.send(link)
    assert theirs.title not in visitor.open("/contribute/mine").text
    answer = visitor.open(f"/contribute/mine/{theirs.public_id}/from-me", "POST", headers=OURS)
    assert answer.headers["Location"].endswith("/contribute/mine")
    db.session.refresh(theirs)
    assert (theirs.proved_at, theirs.contributor_id) == (None, None)


def _sign_in_link(raw: bytes) -> str | None:
    message = message_from_bytes(raw, policy=policy.default)
    if "sign in" not in str(message["Subject"]):
        return None
    body = message.get_body(("plain",))
    found = re.search(r"https://\S+(/contribute/prove/\S+)", body.get_content()) if body else None
    return found[1] if found else None


def test_neither_the_link_nor_the_code_stands_in_the_database(
    visitor: Visitor, sam: Contributor, relay: MemoryRelay, app: Flask
) -> None:
    ask(visitor, "sam@example.org")
    link, code = mail(relay, visitor.now + MINUTE)
    with db.engine.connect() as connection:
        dumped = "\n".join(
            repr(tuple(row)) for table in db.metadata.sorted_tables for row in connection.execute(table.select())
        )

    assert link.rsplit("/", 1)[1] not in dumped
    assert code.replace(" ", "") not in dumped.replace("0" * 20, "")
    assert db.session.scalars(select(Notice.values)).one().keys() == {"proof"}


def test_nothing_of_a_person_stands_in_the_record(
    visitor: Visitor, relay: MemoryRelay, app: Flask, now: datetime
) -> None:
    people.larkmere(now)
    ask(visitor, "stranger@example.org")
    link, _code = mail(relay, now + MINUTE)
    done = visitor.send(link)

    assert done.headers["Location"] == "/contribute/ask"
    assert "stranger" not in repr([(one.actor_name, one.detail) for one in db.session.scalars(select(Activity))])
