"""Pages for administrators: first set-up, staff, lists, settings, the mailbox, notices."""

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import clock, dates
from newsletter.db import db, transaction
from newsletter.domain.notices import send_notice
from newsletter.domain.staff import accounts, activity, installation, invitations, mailing_lists
from newsletter.models import Account, Activity, Invitation, MailboxMessage, MailingList, Notice, Organisation
from newsletter.states import Cadence, NoticeState, Role, SendingMode
from newsletter.web.admin.mailbox import with_links
from tests import people
from tests.web.test_signing_in import Browser

PASSWORD = "heron over the millrace"
ANSWERS = {
    "name": "Larkmere Safeguarding Children Partnership",
    "address": "Millrace House, 4 Weir Street, Larkmere",
    "email": "newsletter@example.org",
    "phone": "01632 960 100",
    "list_name": "Safeguarding news",
    "cadence": "quarterly",
    "sender_address": "newsletter@example.org",
    "privacy_notice": "We use your address to send what you tick, and for nothing else.",
    "your_name": "Ruth Adeyemi",
    "your_email": "ruth@example.org",
    "password": PASSWORD,
}


@pytest.fixture
def ruth(app: Flask, client: FlaskClient, now: datetime) -> Account:
    """An administrator of everything, signed in."""
    people.larkmere(now)
    account = people.staff(now, role=Role.ADMIN)
    people.sign_in(client, account)
    return account


@pytest.fixture
def quarterly(ruth: Account) -> MailingList:
    return mailing_lists.find_list("safeguarding-news")


class TestFirstSetUp:
    def test_one_page_makes_everything_and_goes_on_to_the_app(self, app: Flask) -> None:
        with transaction():
            token = installation.set_up_token(clock.now())
        answer = Browser(app).send(f"/set-up/{token}", **ANSWERS)

        assert (answer.status_code, answer.location) == (303, "/sign-in/app")
        organisation, made = db.session.get(Organisation, 1), mailing_lists.find_list("safeguarding-news")
        assert organisation is not None
        assert (organisation.sending_mode, made.cadence) == (SendingMode.TEAM, Cadence.QUARTERLY)
        assert accounts.administrators() == 1
        wording, notice = mailing_lists.current_wording(made), installation.current_privacy_notice()
        assert wording is not None
        assert notice is not None
        assert "Larkmere Safeguarding Children Partnership uses your address" in wording.text
        assert notice.version == 1

    def test_it_works_once_and_a_second_person_gets_a_sentence(self, app: Flask) -> None:
        with transaction():
            token = installation.set_up_token(clock.now())
        Browser(app).send(f"/set-up/{token}", **ANSWERS)
        again = app.test_client().get(f"/set-up/{token}")

        assert again.status_code == 410
        assert "has been used already" in again.text
        assert '<a class="govuk-link govuk-link--no-visited-state" href="/sign-in">Sign in</a>' in again.text
        with transaction():
            assert installation.set_up_token(clock.now()) is None

    def test_every_problem_at_once_and_nothing_half_made(self, app: Flask) -> None:
        with transaction():
            token = installation.set_up_token(clock.now())
        browser = Browser(app)
        wrong = ANSWERS | {"name": "", "email": "noaddress", "sender_address": "a b@example.org", "password": "short"}
        answer = browser.send(f"/set-up/{token}", **wrong)

        assert answer.status_code == 422
        for sentence in ("Enter the name of your organisation", "name@example.org", "without spaces", "12 characters"):
            assert sentence in answer.text
        assert 'value="Ruth Adeyemi"' in answer.text
        assert db.session.get(Organisation, 1) is None
        assert accounts.everybody() == []
        assert browser.send(f"/set-up/{token}", **ANSWERS).status_code == 303

    def test_a_new_link_ends_the_one_before(self, app: Flask) -> None:
        with transaction():
            first = installation.set_up_token(clock.now())
        with transaction():
            second = installation.set_up_token(clock.now())
        guest = app.test_client()

        assert [guest.get(f"/set-up/{token}").status_code for token in (first, second)] == [410, 200]

    @pytest.mark.parametrize("token", ["x", "A" * 70, "%00", "../admin"])
    def test_a_link_that_nobody_made(self, client: FlaskClient, token: str) -> None:
        assert client.get(f"/set-up/{token}").status_code in (400, 404)


class TestInvitations:
    def test_by_link_to_a_colleague_with_a_role(self, app: Flask, client: FlaskClient, ruth: Account) -> None:
        answer = client.post("/desk/staff/invite", data={"email": "Ewan@Example.org", "role": "approver", "scope": ""})
        found = re.search(r"https://news\.example\.org(/join/[\w-]+)", answer.text)
        assert found, answer.text
        joining = Browser(app)
        page = joining.open(found.group(1))
        assert "Approver" in page
        assert joining.send(found.group(1), name="Ewan Brodie", password=PASSWORD).location == "/sign-in/app"

        ewan = accounts.find_account("ewan@example.org")
        assert ewan is not None
        assert [(one.role, one.list_id) for one in ewan.memberships] == [(Role.APPROVER, None)]
        assert joining.open(found.group(1), 410)

    def test_the_mail_holds_the_same_link_and_the_table_holds_none(self, client: FlaskClient, ruth: Account) -> None:
        answer = client.post("/desk/staff/invite", data={"email": "ewan@example.org", "role": "editor", "scope": ""})
        found = re.search(r"/join/([\w-]+)", answer.text)
        assert found
        invitation = invitations.read(found.group(1), invitations.STAFF, clock.now())
        notice = db.session.scalar(select(Notice).where(Notice.template == "staff_invitation"))

        assert notice is not None
        assert found.group(1) not in str(notice.values)
        assert invitation.email == notice.address == "ewan@example.org"

    def test_for_one_list_by_its_own_administrator(
        self, app: Flask, client: FlaskClient, now: datetime, ruth: Account, quarterly: MailingList
    ) -> None:
        other = people.policy_changes(now)
        people.sign_in(client, people.staff(now, "Nadia Khan", Role.ADMIN, on=quarterly))
        data = {"email": "ewan@example.org", "role": "editor"}

        assert client.post("/desk/staff/invite", data=data | {"scope": quarterly.slug}).status_code == 200
        assert client.post("/desk/staff/invite", data=data | {"scope": ""}).status_code == 422
        assert client.post("/desk/staff/invite", data=data | {"scope": other.slug}).status_code == 422
        assert client.post(f"/desk/staff/{ruth.id}/disable").status_code == 403

    def test_taken_back_expired_or_replaced_it_says_so(self, app: Flask, client: FlaskClient, ruth: Account) -> None:
        with transaction():
            first, first_token = invitations.invite("a@example.org", Role.EDITOR, None, actor=ruth, now=clock.now())
        with transaction():
            _second, second_token = invitations.invite("a@example.org", Role.EDITOR, None, actor=ruth, now=clock.now())
        with transaction():
            old = clock.now() - timedelta(days=8)
            _third, third_token = invitations.invite("b@example.org", Role.EDITOR, None, actor=ruth, now=old)
        guest = app.test_client()

        assert first.revoked_at is not None
        assert [guest.get(f"/join/{token}").status_code for token in (first_token, second_token, third_token)] == [
            410,
            200,
            410,
        ]
        waiting = invitations.waiting(clock.now())
        client.post(f"/desk/staff/invitations/{waiting[0].id}/revoke")
        assert guest.get(f"/join/{second_token}").status_code == 410

    def test_somebody_who_has_an_account_is_not_invited_again(self, client: FlaskClient, ruth: Account) -> None:
        answer = client.post("/desk/staff/invite", data={"email": "RUTH@example.org", "role": "viewer", "scope": ""})

        assert answer.status_code == 422
        assert "has an account already" in answer.text

    @pytest.mark.parametrize("password", ["short", "password1234", "qwertyuiop12", "ewanewanewan", "abcabcabcabc"])
    def test_a_password_that_is_easy_to_guess(self, app: Flask, ruth: Account, password: str) -> None:
        with transaction():
            _one, token = invitations.invite("ewan@example.org", Role.EDITOR, None, actor=ruth, now=clock.now())
        answer = Browser(app).send(f"/join/{token}", name="Ewan Brodie", password=password)

        assert answer.status_code == 422
        assert password not in answer.text
        assert accounts.find_account("ewan@example.org") is None


class TestStaff:
    def test_a_changed_role_signs_them_out(
        self, app: Flask, client: FlaskClient, now: datetime, ruth: Account, quarterly: MailingList
    ) -> None:
        ewan = people.staff(now, "Ewan Brodie", Role.EDITOR)
        his = app.test_client()
        people.sign_in(his, ewan)
        client.post(f"/desk/staff/{ewan.id}/role?on={quarterly.slug}", data={"role": "approver"})

        assert his.get("/desk/account").status_code == 302
        assert sorted((one.list_id or 0, one.role) for one in ewan.memberships) == [
            (0, Role.EDITOR),
            (quarterly.id, Role.APPROVER),
        ]

    def test_switched_off_and_on(self, app: Flask, client: FlaskClient, now: datetime, ruth: Account) -> None:
        ewan = people.staff(now, "Ewan Brodie", Role.EDITOR)
        his = app.test_client()
        people.sign_in(his, ewan)
        assert "Switch Ewan Brodie’s account off?" in client.get(f"/desk/staff/{ewan.id}/disable").text
        assert ewan.active
        client.post(f"/desk/staff/{ewan.id}/disable")
        assert (ewan.active, his.get("/desk/account").status_code) == (False, 302)
        client.post(f"/desk/staff/{ewan.id}/enable")
        assert ewan.active

    @pytest.mark.parametrize("step", ["disable", "role"])
    def test_the_last_administrator_stays(self, client: FlaskClient, ruth: Account, step: str) -> None:
        answer = client.post(f"/desk/staff/{ruth.id}/{step}", data={"role": "viewer"})

        assert answer.status_code == 409
        assert "Somebody has to administer everything" in answer.text
        assert client.get("/desk/staff").status_code == 200

    def test_a_lost_phone(self, client: FlaskClient, now: datetime, ruth: Account) -> None:
        ewan = people.staff(now, "Ewan Brodie", Role.EDITOR)
        with transaction():
            ewan.tf_primary_method, ewan.tf_totp_secret, ewan.mf_recovery_codes = "authenticator", "{}", ["00"]
        client.post(f"/desk/staff/{ewan.id}/second-step")

        assert (ewan.tf_primary_method, ewan.tf_totp_secret, ewan.mf_recovery_codes) == (None, None, None)

    def test_everything_is_noted_without_a_secret(self, client: FlaskClient, ruth: Account) -> None:
        client.post("/desk/staff/invite", data={"email": "ewan@example.org", "role": "editor", "scope": ""})
        entry = db.session.scalars(select(Activity).order_by(Activity.id.desc())).first()

        assert entry is not None
        assert (entry.action, entry.actor_name, entry.detail) == ("staff.invited", "Ruth Adeyemi", {"role": "editor"})
        assert "Staff: invited" in client.get("/desk/activity").text

    def test_the_activity_is_in_words(self, client: FlaskClient, ruth: Account, now: datetime) -> None:
        detail = {"at": now.isoformat(), "own_work": False, "content_hash": "a09f0afee38d" + "0" * 52}
        with transaction():
            activity.record("issue.approved", actor=ruth, now=now, **detail)
        page = client.get("/desk/activity").text

        assert f"at: {dates.moment(now, 'Europe/London')}; own work: no; content hash: a09f0afee38d…" in page


class TestLists:
    FORM = {
        "name": "Policy changes",
        "cadence": "none",
        "sender_name": "Policy changes",
        "sender_address": "policy@example.org",
        "contact_address": "policy@example.org",
        "accent": "#7a1f5c",
        "timezone": "Europe/London",
        "public": "y",
    }

    def test_a_new_one_gets_a_short_name_and_words_to_agree_to(self, client: FlaskClient, ruth: Account) -> None:
        answer = client.post("/desk/lists/new", data=self.FORM)

        assert (answer.status_code, answer.location) == (303, "/desk/lists/policy-changes/wording")
        wording = mailing_lists.current_wording(mailing_lists.find_list("policy-changes"))
        assert wording is not None
        assert wording.version == 1

    def test_new_words_are_a_new_version_and_the_same_words_are_not(
        self, client: FlaskClient, quarterly: MailingList
    ) -> None:
        url = f"/desk/lists/{quarterly.slug}/wording"
        for words in (
            "We send you the newsletter.",
            "We send you the newsletter.",
            "We send you news, and that is all.",
        ):
            client.post(url, data={"wording": words})
        current = mailing_lists.current_wording(quarterly)

        assert current is not None
        assert (current.version, current.text) == (3, "We send you news, and that is all.")

    def test_all_that_is_wrong_is_said_at_once(self, client: FlaskClient, quarterly: MailingList) -> None:
        wrong = {
            "name": "",
            "accent": "teal",
            "sender_address": "x",
            "timezone": "Mars/Olympus",
            "sender_name": "a\x85b",
        }
        answer = client.post(f"/desk/lists/{quarterly.slug}", data=self.FORM | wrong)

        assert answer.status_code == 422
        for sentence in (
            "Enter the newsletter’s name",
            "A colour is written",
            "time zone such as",
            "control characters",
        ):
            assert sentence in answer.text
        assert quarterly.name == "Safeguarding news"

    def test_a_list_of_somebody_else(self, client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
        other = people.policy_changes(now)
        people.sign_in(client, people.staff(now, "Nadia Khan", Role.ADMIN, on=other))

        assert client.get(f"/desk/lists/{quarterly.slug}").status_code == 403
        assert client.post(f"/desk/lists/{quarterly.slug}", data=self.FORM).status_code == 403
        assert client.get("/desk/lists/new").status_code == 403
        assert client.get("/desk/settings/organisation").status_code == 403
        assert quarterly.name not in client.get("/desk/lists").text


class TestSettings:
    def test_who_gets_mail_and_what_was_held_for_it(self, client: FlaskClient, ruth: Account, now: datetime) -> None:
        with transaction() as session:
            held = send_notice("confirm_subscription", "reader@example.org", now=clock.now())
            held.state = NoticeState.HELD
            session.flush()
        client.post("/desk/settings/sending", data={"mode": "everyone"})

        assert held.state is NoticeState.QUEUED
        assert "Everyone who subscribed gets mail from here" in client.get("/desk/settings").text

    def test_the_privacy_notice_keeps_its_versions(self, client: FlaskClient, ruth: Account) -> None:
        client.post("/desk/settings/privacy", data={"privacy_notice": "One.\r\n\r\nTwo."})
        current = installation.current_privacy_notice()

        assert current is not None
        assert (current.version, current.text) == (2, "One.\n\nTwo.")

    def test_the_publisher(self, client: FlaskClient, ruth: Account) -> None:
        data = {"name": "Larkmere", "address": "4 Weir Street", "email": "hello@example.org", "phone": ""}
        assert client.post("/desk/settings/organisation", data=data).status_code == 303
        assert client.post("/desk/settings/organisation", data=data | {"email": ""}).status_code == 422


MAIL = b"""From: newsletter@example.org\r
To: helen@example.org\r
Subject: Please confirm\r
Message-ID: <%s>\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=x\r
\r
--x\r
Content-Type: text/plain; charset=utf-8\r
\r
Confirm: https://news.example.org/confirm/abc.\r
--x\r
Content-Type: text/html; charset=utf-8\r
\r
<html><body><h1>Confirm</h1><script>alert(1)</script></body></html>\r
--x--\r
"""


def kept(recipient: str = "helen@example.org", message_id: str = "m1@example.org") -> MailboxMessage:
    with transaction() as session:
        row = MailboxMessage(
            at=clock.now(),
            sender="newsletter@example.org",
            recipient=recipient,
            subject="Please confirm",
            source=MAIL % message_id.encode(),
        )
        session.add(row)
    return row


class TestMailbox:
    def test_a_mail_in_each_of_its_forms(self, client: FlaskClient, ruth: Account) -> None:
        path = f"/desk/mailbox/{kept().id}"

        assert re.search("<iframe[^>]* data-opens", client.get(path).text)
        text = client.get(f"{path}?view=text").text
        assert '<a href="https://news.example.org/confirm/abc" rel="noreferrer">' in text
        assert "Please confirm" in client.get(f"{path}?view=headers").text
        assert "boundary=x" in client.get(f"{path}?view=source").text
        assert client.get(f"{path}/source").data.startswith(b"From: newsletter@example.org")

    def test_its_html_cannot_run_anything(self, client: FlaskClient, ruth: Account) -> None:
        answer = client.get(f"/desk/mailbox/{kept().id}/html")

        assert answer.headers["Content-Security-Policy"] == (
            "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
            "frame-ancestors 'self'"
        )
        assert 'sandbox="allow-same-origin"' in client.get(f"/desk/mailbox/{kept().id}").text

    def test_found_by_recipient_and_a_page_at_a_time(self, client: FlaskClient, ruth: Account) -> None:
        with transaction() as session:
            for number in range(51):
                session.add(
                    MailboxMessage(
                        at=clock.now(),
                        sender="n@example.org",
                        recipient=f"r{number}@example.org",
                        subject="x",
                        source=b"",
                    )
                )
        kept("Helen.Price@example.org")
        found = client.get("/desk/mailbox?to=helen.p").text
        first = client.get("/desk/mailbox").text
        older = re.search(r'href="(/desk/mailbox\?before=\d+)"', first)

        assert "1 mail to “helen.p”" in found
        assert "Helen.Price@example.org" in found
        assert older
        assert "r0@example.org" in client.get(older.group(1)).text
        assert "No mail to “100%”" in client.get("/desk/mailbox?to=100%25").text

    def test_emptied_after_a_question(self, client: FlaskClient, ruth: Account) -> None:
        kept()
        assert "1 mail is thrown away" in client.get("/desk/mailbox/empty").text
        assert client.post("/desk/mailbox/empty").status_code == 303
        assert db.session.scalars(select(MailboxMessage)).all() == []

    def test_a_key_in_the_mailbox_is_not_for_colleagues(
        self, app: Flask, client: FlaskClient, now: datetime, ruth: Account
    ) -> None:
        """An editor reads the mailbox, and does not become an administrator by somebody's invitation in it."""
        with transaction():
            invitations.invite("ewan@example.org", Role.ADMIN, None, actor=ruth, now=clock.now())
        notice = db.session.scalars(select(Notice)).one()
        row = kept("ewan@example.org", notice.message_id)
        editor = app.test_client()
        people.sign_in(editor, people.staff(now, "Nadia Khan", Role.EDITOR))

        for part in ("", "?view=text", "/html", "/source"):
            assert editor.get(f"/desk/mailbox/{row.id}{part}").status_code == 403
            assert client.get(f"/desk/mailbox/{row.id}{part}").status_code == 200
        assert editor.get(f"/desk/mailbox/{kept().id}").status_code == 200

    def test_links_in_text_are_links_and_nothing_else_is(self) -> None:
        assert with_links("See <b> (https://a.example/x?y=1&z=2).") == (
            'See &lt;b&gt; (<a href="https://a.example/x?y=1&amp;z=2" rel="noreferrer">https://a.example/x?y=1&amp;z=2</a>).'
        )


class TestNotices:
    def test_state_answer_and_another_try(self, client: FlaskClient, ruth: Account) -> None:
        with transaction():
            row = send_notice("fresh_link", "helen@example.org", now=clock.now())
            row.state, row.reply = NoticeState.REFUSED, "550 5.1.1 no such person"
        page = client.get(f"/desk/notices/{row.id}").text
        assert "550 5.1.1 no such person" in page
        assert "/your-data/" not in page
        assert client.post(f"/desk/notices/{row.id}/retry").status_code == 303
        assert row.state is NoticeState.QUEUED
        assert client.post(f"/desk/notices/{row.id}/retry").status_code == 409

    def test_those_of_another_list_are_not_there(
        self, client: FlaskClient, now: datetime, ruth: Account, quarterly: MailingList
    ) -> None:
        other = people.policy_changes(now)
        with transaction():
            row = send_notice("contribution_receipt", "helen@example.org", now=clock.now(), mailing_list=quarterly)
        people.sign_in(client, people.staff(now, "Nadia Khan", Role.EDITOR, on=other))

        assert client.get(f"/desk/notices/{row.id}").status_code == 404
        assert "helen@example.org" not in client.get("/desk/notices").text


def test_an_invitation_is_one_row_for_one_person(app: Flask, ruth: Account) -> None:
    with transaction():
        invitations.invite("a@example.org", Role.EDITOR, None, actor=ruth, now=clock.now(), by_mail=False)

    assert len(db.session.scalars(select(Invitation)).all()) == 1
    assert db.session.scalars(select(Notice)).all() == []
