"""Signing up on the web: the same answer for everybody, and a button that nobody presses by looking."""

import re
import threading
import uuid
from collections import Counter
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.subscribers import offering, preferences, subscribing, suppressing
from newsletter.models import Consent, ConsentWording, LimitCounter, MailingList, Notice, SignUp, Subscriber
from newsletter.states import Role, SuppressionReason
from newsletter.tokens import Purpose
from newsletter.web.limits import cut_short, network_of
from newsletter.web.public import asking
from tests import people
from tests.dump import dump
from tests.web.public_pages import Visitor, form_token, heading, signed, words

TOM = "tom.example@example.org"
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now - 3 * DAY)


@pytest.fixture
def tom(client: FlaskClient, quarterly: MailingList, now: datetime) -> Visitor:
    return Visitor(client, now)


def notices() -> list[tuple[str, str]]:
    db.session.rollback()
    return [(one.template, one.address) for one in db.session.scalars(select(Notice).order_by(Notice.id))]


def ask(now: datetime, address: str = TOM) -> SignUp:
    with transaction():
        subscribing.request_subscription(
            address=address,
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            source="sign-up form",
            now=now,
        )
    return db.session.scalars(select(SignUp).where(SignUp.address == address)).one()


TICKED = {"lists": "safeguarding-news"}


def test_a_list_that_is_not_public_is_joined_by_no_form(tom: Visitor, now: datetime) -> None:
    """Whoever knows its name, alone or among others; as by the public forms of other programs before it."""
    policy = people.policy_changes(now - 3 * DAY)
    with transaction():
        policy.public = False
    assert "policy-changes" not in tom.open("/subscribe?list=policy-changes").text.partition("<main")[2]
    alone = tom.send("/subscribe", {"email": TOM, "lists": "policy-changes"})
    among = tom.send("/subscribe", {"email": TOM, "lists": ["safeguarding-news", "policy-changes"]})
    assert (alone.status_code, among.status_code) == (422, 422)
    assert notices() == []
    assert db.session.scalars(select(SignUp)).all() == []


def test_tom_signs_up(tom: Visitor) -> None:
    page = tom.open("/subscribe")
    assert heading(page) == "Get Safeguarding news by email"
    assert "The Larkmere partnership uses your address to send “Safeguarding news”, and for nothing else." in words(
        page
    )
    assert " checked" not in page.text, "no box is ticked for anybody"
    sent = tom.send("/subscribe", {"email": " Tom.Example@Example.ORG ", **TICKED})
    assert (sent.status_code, heading(sent)) == (200, "Check your inbox")
    assert "Tom.Example@example.org" in words(sent)
    assert notices() == [("confirm_subscription", "Tom.Example@example.org")]
    assert db.session.scalars(select(Subscriber)).all() == []


def test_ten_lists_are_asked_for_as_one_is(tom: Visitor, now: datetime) -> None:
    """The whole site waits for whoever writes: a sign-up asks the database little, however many lists there are."""
    said: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *words: said.append(words[2]))

    def asked_for(address: str) -> list[str]:
        token = form_token(tom.open("/subscribe"))
        db.session.expunge_all()
        with tom.at(now + 30 * SECOND):
            said.clear()
            answer = tom.client.post("/subscribe", data={**TICKED, "email": address, "form": token})
        assert heading(answer) == "Check your inbox"
        return [each for each in said if not each.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE"))]

    one = asked_for("one@example.org")
    for number in range(9):
        people.list_beside(now - DAY, f"changes-{number}")
    assert len(asked_for("ten@example.org")) == len(one)
    assert len(one) <= 11, one


def test_no_public_page_sets_a_cookie(tom: Visitor) -> None:
    for path in ("/subscribe", "/check-inbox", "/privacy", "/accessibility"):
        assert "Set-Cookie" not in tom.open(path).headers, path
    assert "Set-Cookie" not in tom.send("/subscribe", {"email": TOM, **TICKED}).headers


@pytest.mark.parametrize(
    ("data", "sentence", "field"),
    [
        ({"email": "", **TICKED}, "Enter an email address", "#email"),
        ({"email": "tom@", **TICKED}, "Enter an email address in the form name@example.org", "#email"),
        ({"email": "tom@example.org\r\nBcc: x@example.org", **TICKED}, "cannot hold line breaks", "#email"),
        ({"email": TOM}, "Choose at least one newsletter", "#lists"),
        ({"email": TOM, "lists": "no-such-list"}, "valid choice", "#lists"),
        ({"email": TOM, **TICKED, "name": "n" * 101}, "Enter a name of 100 characters or fewer", "#name"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_lost(
    tom: Visitor, data: dict[str, object], sentence: str, field: str
) -> None:
    page = tom.send("/subscribe", {**data, "organisation": "Oakfield School"})
    assert page.status_code == 422
    assert f'href="{field}"' in page.text
    assert sentence in words(page)
    assert 'value="Oakfield School"' in page.text
    assert "<title>Error: " in page.text
    assert notices() == []


def headers_of(answer: TestResponse) -> list[tuple[str, str]]:
    """But for the request's id, which is drawn and says nothing."""
    return [(name, value) for name, value in answer.headers if name != "X-Request-ID"]


def test_everybody_gets_the_same_answer(tom: Visitor, now: datetime) -> None:
    """New, pending, subscribed, suppressed, of no domain, over every limit: status, headers, body."""
    with transaction():
        suppressing.suppress("gone@example.org", SuppressionReason.COMPLAINT, now=now)
    pending = ask(now, "pend@example.org")
    subscribed = ask(now, "have@example.org")
    with transaction():
        subscribing.confirm(subscribed, now=now)
    answers = {}
    for address in ("newe@example.org", "pend@example.org", "have@example.org", "gone@example.org", "none@nodomain.zz"):
        answer = tom.send("/subscribe", {"email": address, **TICKED})
        answers[address] = (answer.status_code, headers_of(answer), answer.text.replace(address, "ADDRESS"))
    for _repeat in range(8):
        answer = tom.send("/subscribe", {"email": "newe@example.org", **TICKED})
    over_the_limit = (answer.status_code, headers_of(answer), answer.text.replace("newe@example.org", "ADDRESS"))
    trapped = tom.send("/subscribe", {"email": "trap@example.org", **TICKED, "website": "http://spam.example"})
    caught = (trapped.status_code, headers_of(trapped), trapped.text.replace("trap@example.org", "ADDRESS"))
    lengths = {
        tuple(value for name, value in headers if name == "Content-Length") for _s, headers, _t in answers.values()
    }
    assert len(lengths) == 1
    assert len({status for status, _headers, _text in answers.values()}) == 1
    assert len({text for _status, _headers, text in answers.values()} | {over_the_limit[2], caught[2]}) == 1
    assert len({str(headers) for _status, headers, _text in answers.values()} | {str(over_the_limit[1])}) == 1
    assert sorted(notices()) == [
        ("confirm_subscription", "have@example.org"),
        ("confirm_subscription", "newe@example.org"),
        ("confirm_subscription", "none@nodomain.zz"),
        ("confirm_subscription", "pend@example.org"),
    ]
    assert pending.confirmed_at is None


def test_the_same_for_who_is_subscribed_and_gets_told_by_mail(tom: Visitor, now: datetime) -> None:
    subscribed = ask(now - 2 * DAY)
    with transaction():
        subscribing.confirm(subscribed, now=now - 2 * DAY)
    known = tom.send("/subscribe", {"email": TOM, **TICKED})
    unknown = tom.send("/subscribe", {"email": "ann.example@example.org", **TICKED})
    assert known.text.replace(TOM, "X") == unknown.text.replace("ann.example@example.org", "X")
    assert notices()[1:] == [
        ("already_subscribed", TOM),
        ("confirm_subscription", "ann.example@example.org"),
    ]


def test_send_it_again_works_once_and_says_the_same_to_everybody(tom: Visitor, now: datetime) -> None:
    tom.send("/subscribe", {"email": TOM, **TICKED})
    answers = [
        tom.send("/check-inbox", {"email": address}, page="/subscribe")
        for address in (TOM, TOM, TOM, "nob.example@example.org")
    ]
    assert [(answer.status_code, heading(answer)) for answer in answers] == [(200, "Check your inbox")] * 4
    assert answers[0].text == answers[2].text
    assert answers[0].text.replace(TOM, "X") == answers[3].text.replace("nob.example@example.org", "X")
    assert notices() == [("confirm_subscription", TOM)] * 2


def test_a_form_that_was_open_for_a_day_is_shown_again_with_everything_in_it(tom: Visitor) -> None:
    page = tom.send("/subscribe", {"email": TOM, **TICKED, "name": "Tom"}, reads_for=DAY)
    assert page.status_code == 400
    assert "Press Subscribe once more." in words(page)
    assert f'value="{TOM}"' in page.text
    assert re.search(r'value="safeguarding-news"[^>]* checked', page.text)
    assert notices() == []


@pytest.mark.parametrize("token", ["", "x", "A" * 600, "\0"])
def test_a_form_that_is_not_ours_does_nothing(tom: Visitor, token: str) -> None:
    with tom.at(tom.now):
        page = tom.client.post("/subscribe", data={"email": TOM, **TICKED, "form": token})
    assert page.status_code == 400
    assert notices() == []


def test_a_machine_that_fills_the_trap_sends_nobody_a_mail(tom: Visitor) -> None:
    assert tom.send("/subscribe", {"email": TOM, **TICKED, "website": "x"}).status_code == 200
    assert notices() == []


def test_who_is_very_quick_is_believed_three_times_an_hour(tom: Visitor) -> None:
    for number in range(6):
        tom.send("/subscribe", {"email": f"r{number}@example.org", **TICKED}, reads_for=SECOND)
    assert [address for _template, address in notices()] == [f"r{number}@example.org" for number in range(3)]


def test_one_place_signs_up_forty_an_hour_whatever_it_says_about_itself(tom: Visitor) -> None:
    """X-Forwarded-For from nobody we trust is nothing but words."""
    for number in range(45):
        tom.send(
            "/subscribe",
            {"email": f"reader{number}@agency{number}.example.org", **TICKED},
            headers={"X-Forwarded-For": f"198.51.100.{number}"},
        )
    assert len(notices()) == 40
    tom.now += HOUR
    tom.send("/subscribe", {"email": "late@example.org", **TICKED})
    assert notices()[-1] == ("confirm_subscription", "late@example.org")


def test_limits_count_an_ipv6_network_as_one_and_keep_no_address(tom: Visitor) -> None:
    for number in range(4):
        tom.send(
            "/subscribe",
            {"email": f"r{number}@example.org", **TICKED},
            reads_for=SECOND,
            environ_overrides={"REMOTE_ADDR": f"2001:db8:1:2::{number + 1:x}"},
        )
    assert len(notices()) == 3
    keys = db.session.scalars(select(LimitCounter.key)).all()
    assert not [key for key in keys if "2001" in key or "example" in key or "r0" in key]


@pytest.mark.parametrize(
    ("remote", "network", "evidence"),
    [
        ("192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.77", "192.0.2.0/24"),
        (None, "unknown", ""),
        ("nonsense", "unknown", ""),
    ],
)
def test_networks(remote: str | None, network: str, evidence: str) -> None:
    assert (network_of(remote), cut_short(remote)) == (network, evidence)


def test_who_read_the_old_words_agreed_to_the_old_words(tom: Visitor, quarterly: MailingList, now: datetime) -> None:
    token = form_token(tom.open("/subscribe"))
    with transaction() as session:
        session.add(
            ConsentWording(
                list_id=quarterly.id, version=2, text="New.", language="en-GB", published_at=now + timedelta(minutes=5)
            )
        )
    with tom.at(now + timedelta(minutes=10)):
        tom.client.post("/subscribe", data={"email": TOM, **TICKED, "form": token})
    (choice,) = db.session.scalars(select(SignUp)).one().choices
    assert choice.wording.version == 1


def test_nobody_can_sign_up_before_there_is_anything_to_sign_up_for(client: FlaskClient, now: datetime) -> None:
    page = Visitor(client, now).open("/subscribe")
    assert (page.status_code, "Nobody can sign up here yet" in words(page)) == (200, True)
    assert client.post("/subscribe", data={"email": TOM}).status_code == 200


# --- the links in the confirmation ----------------------------------------------------------------------------


@pytest.fixture
def link(tom: Visitor, now: datetime) -> str:
    return "/confirm/" + signed(tom.client, Purpose.CONFIRM, ask(now))


def test_a_scanner_that_looks_changes_nothing(tom: Visitor, link: str) -> None:
    before = dump()
    for method in ("GET", "HEAD", "GET", "HEAD", "GET", "OPTIONS", "HEAD"):
        assert tom.open(link, method).status_code == 200
    assert dump() == before
    page = tom.open(link)
    assert heading(page) == "1 step left"
    assert "Safeguarding news" in words(page)
    assert "to…le@example.org" in words(page)
    assert TOM not in page.text
    assert page.text.count("<button") == 1
    assert not re.search(r"<script(?![^>]* src=)|http-equiv=.refresh|onload|onsubmit", page.text)


def test_tom_presses_the_button_twice(tom: Visitor, link: str) -> None:
    first, second = tom.send(link), tom.send(link, page="/subscribe")
    assert [(page.status_code, heading(page)) for page in (first, second)] == [
        (200, "You are subscribed"),
        (200, "You have confirmed already"),
    ]
    assert db.session.scalar(select(func.count(Consent.id))) == 1
    assert heading(tom.open(link)) == "You have confirmed already"


def test_fifty_presses_at_once_are_one_consent(app: Flask, tom: Visitor, link: str) -> None:
    token = form_token(tom.open(link))
    answers: list[int] = []
    ready = threading.Barrier(50)

    def press() -> None:
        client = app.test_client()
        ready.wait()
        with app.app_context():
            answers.append(client.post(link, data={"form": token}).status_code)

    threads = [threading.Thread(target=press) for _ in range(50)]
    with tom.at(tom.now + SECOND):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [200] * 50
    db.session.rollback()
    assert db.session.scalar(select(func.count(Consent.id))) == 1
    assert db.session.scalar(select(func.count(Subscriber.id))) == 1


def test_a_press_without_our_form_does_nothing(tom: Visitor, link: str) -> None:
    before = dump()
    with tom.at(tom.now):
        page = tom.client.post(link)
    assert (page.status_code, heading(page)) == (400, "1 step left")
    assert dump() == before


def test_an_expired_link_explains_itself_and_offers_another(tom: Visitor, link: str) -> None:
    tom.now += 8 * DAY
    before = dump()
    page = tom.open(link)
    assert (page.status_code, heading(page)) == (410, "This link has expired")
    assert dump() == before
    assert tom.send(link).status_code == 410
    assert tom.send(f"{link}/again", page=link).status_code == 200
    assert len(notices()) == 2
    newest = db.session.scalars(select(SignUp).order_by(SignUp.id.desc())).first()
    assert newest is not None
    tom.send("/confirm/" + signed(tom.client, Purpose.CONFIRM, newest))
    assert db.session.scalars(select(Subscriber.address)).all() == [TOM]
    assert heading(tom.open(link)) == "There is a newer link"


def test_this_was_not_me(tom: Visitor, link: str, now: datetime) -> None:
    sign_up = db.session.scalars(select(SignUp)).one()
    away = "/not-me/" + signed(tom.client, Purpose.NOT_ME, sign_up)
    before = dump()
    for method in ("GET", "HEAD", "OPTIONS"):
        assert tom.open(away, method).status_code == 200
    assert dump() == before
    for _twice in range(2):
        assert heading(tom.send(away, page="/subscribe")) == "We will not ask again"
    assert (tom.open(link).status_code, heading(tom.open(link))) == (410, "This address asked us not to write")
    tom.now += 2 * DAY
    assert heading(tom.send("/subscribe", {"email": TOM, **TICKED})) == "Check your inbox"
    assert notices() == [("confirm_subscription", TOM)]


@pytest.mark.parametrize("after", ["", ".", ")", ">", "%3E", ",", "%0A"])
def test_what_mail_programs_glue_to_a_link_does_not_matter(tom: Visitor, link: str, after: str) -> None:
    assert heading(tom.open(link + after)) == "1 step left"


@pytest.mark.parametrize("path", ["confirm", "not-me", "u", "preferences", "your-data"])
@pytest.mark.parametrize("token", ["x", "A" * 65, "A" * 600, "%00", "..%2F..", "é", "😀", "-_-"])
def test_a_link_that_is_none_is_answered_in_words(tom: Visitor, path: str, token: str) -> None:
    before = dump()
    for method in ("GET", "POST"):
        page = tom.open(f"/{path}/{token}", method)
        assert page.status_code == 404
        assert heading(page) in ("We do not know this link", "Page not found")
    assert dump() == before


def test_a_link_of_one_kind_opens_no_page_of_another(tom: Visitor, link: str, now: datetime) -> None:
    sign_up = db.session.scalars(select(SignUp)).one()
    pages = {Purpose.CONFIRM: "confirm", Purpose.NOT_ME: "not-me", Purpose.PREFERENCES: "preferences"}
    pages[Purpose.OWN_DATA] = "your-data"
    for purpose in Purpose:
        token = signed(tom.client, purpose, sign_up)
        opened = [page for own, page in pages.items() if tom.open(f"/{page}/{token}").status_code != 404]
        assert opened == [
            page
            for own, page in pages.items()
            if own is purpose and purpose is not Purpose.PREFERENCES and purpose is not Purpose.OWN_DATA
        ]


def test_pages_behind_a_link_are_kept_nowhere(tom: Visitor, link: str) -> None:
    headers = tom.open(link).headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Robots-Tag"].startswith("noindex")
    assert "X-Robots-Tag" not in tom.open("/subscribe").headers
    assert len(link) < 250


# --- what helps, and where else the form may stand ----------------------------------------------------------------


def test_a_slip_is_asked_about_and_mended_with_one_press(tom: Visitor) -> None:
    typed: dict[str, object] = {"email": "tom@gmial.com", "name": "Tom Example", "sector": "health", **TICKED}
    sent = tom.send("/subscribe", typed)
    assert "Did you mean tom@gmail.com?" in words(sent)
    fields = dict(
        re.findall(
            r'type="hidden" name="(\w+)" value="([^"]*)"',
            sent.text.partition("Did you mean")[2].partition("</form>")[0],
        )
    )
    assert (fields["name"], fields["lists"], fields["sector"]) == ("Tom Example", "safeguarding-news", "health")
    with tom.at(tom.now + 60 * SECOND):
        assert heading(tom.client.post("/subscribe", data=fields)) == "Check your inbox"
    assert notices() == [("confirm_subscription", "tom@gmial.com"), ("confirm_subscription", "tom@gmail.com")]
    assert {one.sector for one in db.session.scalars(select(SignUp))} == {"health"}


def test_correcting_the_address_keeps_what_else_was_typed(tom: Visitor) -> None:
    again = tom.send("/subscribe", {"email": TOM, "name": "Tom", "sector": "police", "do": "correct", **TICKED})
    assert "Correct what is wrong, then press Subscribe." in words(again)
    assert 'value="Tom"' in again.text and " checked" in again.text and 'value="police" selected' in again.text
    assert notices() == []


def test_the_page_after_the_form_says_the_same_to_everybody_but_for_what_they_typed(tom: Visitor) -> None:
    """What is asked about a slip depends on the letters alone, never on who is subscribed."""
    first = tom.send("/subscribe", {"email": "tom@gmial.com", **TICKED})
    second = tom.send("/subscribe", {"email": "tom@gmial.com", **TICKED})
    assert words(first) == words(second)
    assert len(notices()) == 1


def test_a_form_on_another_site_leads_to_ours_with_what_was_typed(tom: Visitor) -> None:
    elsewhere = {"Origin": "https://www.Larkmere.example"}
    with tom.at(tom.now):
        ours = tom.client.post("/subscribe", data={"email": TOM, "from": "1", **TICKED}, headers=elsewhere)
    assert (ours.status_code, "One more press." in words(ours)) == (200, True)
    assert f'value="{TOM}"' in ours.text and " checked" in ours.text
    assert "frame-ancestors 'none'" in ours.headers["Content-Security-Policy"]
    assert notices() == [], "nothing is sent before the words were read on our own page"
    with tom.at(tom.now + 30 * SECOND):
        data = {"email": TOM, "from": "www.larkmere.example", "form": form_token(ours), **TICKED}
        assert heading(tom.client.post("/subscribe", data=data)) == "Check your inbox"
    assert db.session.scalars(select(SignUp.source)).one() == "form on www.larkmere.example"


@pytest.mark.parametrize("site", ["<script>", "a b", "x" * 200, "javascript:alert(1)", "1", "é.example", "-a.example"])
def test_what_is_no_name_of_a_site_is_not_kept(tom: Visitor, site: str) -> None:
    tom.send("/subscribe", {"email": TOM, "from": site, **TICKED})
    assert db.session.scalars(select(SignUp.source)).one() == "sign-up form"


def test_who_somebody_is_they_change_by_a_fresh_link_alone(tom: Visitor, app: Flask, now: datetime) -> None:
    asked = ask(now)
    with transaction():
        subscribing.confirm(asked, now=now)
    person = db.session.scalars(select(Subscriber)).one()
    with transaction():
        notice = preferences.send_fresh_link(person, now=now)
        assert notice is not None
        token = app.extensions["newsletter_signer"].sign_id(Purpose.OWN_DATA, uuid.UUID(bytes=notice.nonce))
    path = f"/your-data/{token}/details"
    assert heading(tom.open(path)) == "About you"
    assert tom.send(path, {"name": "x" * 101}).status_code == 422
    done = tom.send(path, {"name": " Tom  Example ", "organisation": "Larkmere Police", "sector": "police"})
    assert done.status_code == 303
    db.session.rollback()
    assert (person.name, person.organisation, person.sector) == ("Tom Example", "Larkmere Police", "police")
    assert "Police" in words(tom.open(f"/your-data/{token}"))
    with tom.at(now + 2 * HOUR):
        assert tom.client.get(path).status_code == 410


# --- floods -------------------------------------------------------------------------------------------------------


def test_ten_thousand_requests_send_one_mail_an_address_and_tell_staff_once(
    app: Flask, tom: Visitor, now: datetime
) -> None:
    """From one network and from many, at one address and at many. Other pages answer all the while."""
    people.staff(now - DAY, "Ewan Brodie", Role.ADMIN)
    with tom.at(now):
        token = form_token(tom.client.get("/subscribe"))
    with tom.at(now + 10 * SECOND):
        for place in range(100):
            network = f"198.51.100.{place}" if place % 2 else f"2001:db8::{place:x}"
            with app.test_request_context("/subscribe", method="POST", environ_base={"REMOTE_ADDR": network}):
                for count in range(100):
                    if asking.may_ask(f"victim{(place + count) % 150}@example.org", now=clock.now()):
                        with transaction():
                            subscribing.request_subscription(
                                address=f"victim{(place + count) % 150}@example.org",
                                lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
                                source="sign-up form", now=clock.now(),
                            )  # fmt: skip
            if place % 25 == 0:
                assert tom.client.get("/privacy").status_code == 200
        answer = tom.client.post("/subscribe", data={"email": TOM, "form": token, **TICKED})
        assert heading(answer) == "Check your inbox"
    sent = Counter(notices())
    assert sent.pop(("sign_up_flood", "ewan@example.org")) == 1
    assert set(sent.values()) == {1} and 0 < len(sent) <= 250, "the limit of one domain"
