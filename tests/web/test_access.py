"""Who may see which page, and that looking changes nothing: walked over every route there is."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from werkzeug.routing import AnyConverter, Rule, UUIDConverter

from newsletter import clock
from newsletter.config import current_settings
from newsletter.db import db, transaction
from newsletter.domain.issues.documents import keeping, read_text
from newsletter.domain.notices import send_notice
from newsletter.domain.staff import installation, invitations
from newsletter.domain.staff.permissions import Permission
from newsletter.models import Account, Block, Contribution, InboundMessage, MailboxMessage, SignUp, Subscription
from newsletter.states import InboundState, Role
from newsletter.tokens import Purpose, Signer, unsubscribe_token
from newsletter.web.access import access_of
from tests import people
from tests.scanner import dump

#: What each role may do, said once more than the code says it: a change there has to be meant here too.
MAY: dict[Role, set[Permission]] = {
    Role.VIEWER: {Permission.VIEW_ISSUES, Permission.VIEW_SUBSCRIBERS},
    Role.EDITOR: {
        Permission.VIEW_ISSUES,
        Permission.VIEW_SUBSCRIBERS,
        Permission.EDIT_ISSUES,
        Permission.SCHEDULE_ISSUES,
        Permission.CONTROL_SENDING,
        Permission.TRIAGE_CONTRIBUTIONS,
        Permission.SEE_ADDRESSES,
        Permission.MANAGE_SUBSCRIBERS,
        Permission.VIEW_NOTICES,
        Permission.READ_MAILBOX,
    },
    Role.ADMIN: set(Permission),
}
MAY[Role.APPROVER] = MAY[Role.EDITOR] | {Permission.APPROVE_ISSUES}

#: Pages that would be a key in the wrong hands, and what opens them.
GUARDED = {
    "admin.staff": Permission.MANAGE_STAFF,
    "admin.invite": Permission.MANAGE_STAFF,
    "admin.disable": Permission.MANAGE_STAFF,
    "admin.change_role": Permission.MANAGE_STAFF,
    "admin.reset_second_step": Permission.MANAGE_STAFF,
    "admin.send_password_link": Permission.MANAGE_STAFF,
    "admin.edit_list": Permission.MANAGE_LISTS,
    "admin.list_wording": Permission.MANAGE_LISTS,
    "admin.sending_mode": Permission.MANAGE_INSTALLATION,
    "admin.organisation": Permission.MANAGE_INSTALLATION,
    "admin.privacy_notice": Permission.MANAGE_INSTALLATION,
    "admin.activity": Permission.MANAGE_INSTALLATION,
    "admin.mailbox": Permission.READ_MAILBOX,
    "admin.mailbox_message": Permission.READ_MAILBOX,
    "admin.notices": Permission.VIEW_NOTICES,
    "admin.inbound": Permission.VIEW_NOTICES,
    "admin.inbound_message": Permission.VIEW_NOTICES,
    "admin.look_again": Permission.VIEW_NOTICES,
}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
ONE_CLICK = "public.unsubscribe"
#: Rooms whose forms need no token. The first knows nobody by a cookie; the second takes what is not known to come from
#: its own pages as sent by nobody (test_contributor_sign_in.py).
COOKIELESS = ("public.", "contribute.")


@pytest.fixture
def sample(app: Flask, now: datetime) -> dict[str, Any]:
    """One of each thing that an address can name, by the name it has in routes."""
    quarterly = people.larkmere(now)
    issue, subscription = people.issue(now, quarterly), people.subscribers(now, quarterly, 1)[0]
    account = people.staff(now, "Ewan Brodie", Role.ADMIN)
    with transaction() as session:
        block = Block(
            issue_id=issue.id,
            position=1,
            kind="section",
            data={"heading": "News", "body": "<p>New.</p>"},
            updated_at=now,
        )
        message = MailboxMessage(
            at=now, sender="n@example.org", recipient="reader1@example.org", subject="x", source=b"Subject: x\r\n\r\nx"
        )
        notice = send_notice("fresh_link", "reader1@example.org", now=clock.now())
        came_back = InboundMessage(
            digest=bytes(32),
            source="INBOX",
            received_at=now,
            state=InboundState.QUARANTINED,
            kind="unknown",
            raw=b"From: mailer-daemon@example.org\r\n\r\nx",
        )
        session.add_all([block, message, came_back])
        session.flush()
        read = keeping.keep_document(issue, read_text("News\n\nText."), name="news.txt", actor=account, now=clock.now())
        _invitation, join = invitations.invite("a@example.org", Role.EDITOR, None, actor=account, now=clock.now())
        set_up = invitations.set_up_link(clock.now())
    subscriber = subscription.subscriber
    signer: Signer = app.extensions["newsletter_signer"]
    public_id = subscription.public_id
    return {
        "slug": issue.slug,
        "block_id": str(block.id),
        "read_id": str(read.public_id),
        "key": {
            "admin.mailbox": message.id,
            "admin.notice": notice.id,
            "admin.inbound": came_back.id,
            "admin.": account.id,
        },
        "name": "none.png",
        "id": str(block.id),
        "token": {
            "public.unsubscribe": unsubscribe_token(current_settings().secret_keys, public_id),
            "public.preferences": signer.sign_id(Purpose.PREFERENCES, public_id),
            "public.join_list": signer.sign_id(Purpose.PREFERENCES, public_id),
            "public.leave_all": signer.sign_id(Purpose.PREFERENCES, public_id),
            "public.": signer.sign_id(Purpose.CONFIRM, public_id),
            "admin.accept_invitation": join,
            "admin.set_up": set_up,
            "": signer.sign_id(Purpose.INVITATION, uuid.UUID(int=1)),
        },
        "list": quarterly.slug,
        "list_id": quarterly.id,
        "public_id": subscriber.public_id if subscriber else "",
    }


def address(app: Flask, rule: Rule, sample: dict[str, Any]) -> str:
    """The rule's address with the sample's things in it."""
    values: dict[str, Any] = {}
    for name in rule.arguments:
        value: Any = sample.get(name, "1")
        if isinstance(value, dict):
            value = next((one for start, one in value.items() if rule.endpoint.startswith(start)), "1")
        if (name, rule.endpoint) == ("name", "public.join_list"):
            value = sample["list"]
        if name == "slug" and rule.endpoint in ("admin.edit_list", "admin.list_wording"):
            value = sample["list"]
        converter = rule._converters[name]
        if isinstance(converter, UUIDConverter) and value == "1":
            value = uuid.UUID(int=1)
        values[name] = sorted(converter.items)[0] if isinstance(converter, AnyConverter) else value
    return app.url_map.bind("localhost").build(rule.endpoint, values)


def rules(app: Flask, method: str) -> Iterator[Rule]:
    return (rule for rule in app.url_map.iter_rules() if rule.methods and method in rule.methods)


def test_every_page_says_who_may_see_it(app: Flask) -> None:
    """What says nothing is closed; it should not be there at all."""
    silent = [rule.endpoint for rule in app.url_map.iter_rules() if access_of(rule.endpoint) is None]

    assert silent == []


def test_pages_that_are_keys_are_guarded_as_meant(app: Flask) -> None:
    assert {endpoint: access_of(endpoint) for endpoint in GUARDED} == GUARDED


def test_nothing_of_the_desk_is_open(app: Flask) -> None:
    open_ = [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/desk") and _open(rule)]

    assert open_ == []


def _open(rule: Rule) -> bool:
    return access_of(rule.endpoint) == "public"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_is_led_to_sign_in(app: Flask, client: FlaskClient, sample: dict[str, Any], method: str) -> None:
    people.with_token(client)
    seen = {
        rule.rule: client.open(address(app, rule, sample), method=method).status_code
        for rule in rules(app, method)
        if not _open(rule)
    }

    assert seen
    assert set(seen.values()) == {302}, {rule: status for rule, status in seen.items() if status != 302}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_role_sees_what_its_table_says(
    app: Flask, now: datetime, sample: dict[str, Any], role: Role, method: str
) -> None:
    """What the table denies is 403, for every route; what it allows is anything else."""
    account = people.staff(now, "Ruth Adeyemi", role)
    wrong = {}
    for rule in rules(app, method):
        permission = access_of(rule.endpoint)
        if not isinstance(permission, Permission) or (method == "POST" and permission in MAY[role]):
            continue
        # Signed in anew for each: some of these pages end sessions.
        client = app.test_client()
        people.sign_in(client, account)
        status = client.open(address(app, rule, sample), method=method).status_code
        if (status == 403) is (permission in MAY[role]):
            wrong[f"{method} {rule.rule}"] = status

    assert wrong == {}


def test_a_role_on_one_list_opens_no_issue_of_another(app: Flask, now: datetime, sample: dict[str, Any]) -> None:
    """Changed ids in addresses: every page of an issue refuses the editor of another list (403, or 404)."""
    other = people.policy_changes(now)
    client = app.test_client()
    people.sign_in(client, people.staff(now, "Nadia Khan", Role.ADMIN, on=other))
    wrong = {}
    for method in ("GET", "POST"):
        for rule in rules(app, method):
            if rule.endpoint.startswith("editor.") and "slug" in rule.arguments:
                status = client.open(address(app, rule, sample), method=method).status_code
                if status not in (403, 404):
                    wrong[f"{method} {rule.rule}"] = status

    assert wrong == {}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_leaves_the_database_unchanged(app: Flask, now: datetime, sample: dict[str, Any], method: str) -> None:
    """Every page, by an administrator and by nobody, with addresses that lead somewhere."""
    administrator, guest = app.test_client(), app.test_client()
    people.sign_in(administrator, people.staff(now, "Ruth Adeyemi", Role.ADMIN))
    before, wrote, failed, here = dump(), set(), {}, ""

    def note(connection: Any, cursor: Any, statement: str, *_more: Any) -> None:
        if statement.lstrip().split(" ")[0].upper() in ("INSERT", "UPDATE", "DELETE"):
            wrote.add(here)

    event.listen(db.engine, "before_cursor_execute", note)
    for client in (administrator, guest):
        for rule in rules(app, "GET"):
            here = f"{method} {rule.rule}"
            status = client.open(address(app, rule, sample), method=method).status_code
            # Only migrations make a database ready; this one was made at once.
            if status >= 500 and rule.endpoint != "health.ready":
                failed[here] = status
    event.remove(db.engine, "before_cursor_execute", note)

    assert wrote == set()
    assert dump() == before
    assert failed == {}


def test_the_sample_opens_most_pages(app: Flask, client: FlaskClient, now: datetime, sample: dict[str, Any]) -> None:
    """The walk above would prove little on pages that are not found."""
    people.sign_in(client, people.staff(now, "Ruth Adeyemi", Role.ADMIN))
    statuses = {rule.rule: client.get(address(app, rule, sample)).status_code for rule in rules(app, "GET")}
    found = [rule for rule, status in statuses.items() if status in (200, 302, 303)]

    assert len(found) > 0.6 * len(statuses), {rule: status for rule, status in statuses.items() if status > 399}


def test_every_form_needs_its_token(app: Flask, now: datetime, sample: dict[str, Any]) -> None:
    client = app.test_client()
    people.sign_in(client, people.staff(now, "Ruth Adeyemi", Role.ADMIN))
    del client.environ_base["HTTP_X_CSRFTOKEN"]
    before = dump()
    statuses = {
        rule.rule: client.post(address(app, rule, sample)).status_code
        for rule in rules(app, "POST")
        if not rule.endpoint.startswith(COOKIELESS)
    }

    assert set(statuses.values()) == {400}, {name: status for name, status in statuses.items() if status != 400}
    assert dump() == before


def test_forms_on_other_sites_are_refused_everywhere(app: Flask, now: datetime, sample: dict[str, Any]) -> None:
    """The second wall: all but the one address that a machine posts to."""
    client = app.test_client()
    people.sign_in(client, people.staff(now, "Ruth Adeyemi", Role.ADMIN))
    before = dump()
    statuses = {
        rule.rule: client.post(address(app, rule, sample), headers={"Sec-Fetch-Site": "cross-site"}).status_code
        for rule in rules(app, "POST")
        if rule.endpoint != ONE_CLICK
    }

    assert set(statuses.values()) == {400}, {name: status for name, status in statuses.items() if status != 400}
    assert dump() == before


def test_a_token_of_another_browser_is_none(app: Flask, now: datetime) -> None:
    people.larkmere(now)
    account = people.staff(now, role=Role.ADMIN)
    one, other = app.test_client(), app.test_client()
    people.sign_in(one, account)
    page = other.get("/sign-in").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    one.environ_base["HTTP_X_CSRFTOKEN"] = token

    assert one.post("/desk/account/sign-out-others").status_code == 400


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 303), ("none", 303), ("same-site", 400), ("cross-site", 400)]
)
def test_a_browser_that_says_the_form_was_elsewhere(
    app: Flask, client: FlaskClient, now: datetime, site: str, status: int
) -> None:
    people.larkmere(now)
    people.sign_in(client, people.staff(now))

    assert client.post("/desk/account/sign-out-others", headers={"Sec-Fetch-Site": site}).status_code == status


def test_the_sample_is_whole(sample: dict[str, Any]) -> None:
    for model in (Account, Subscription, Block, MailboxMessage):
        assert db.session.scalars(select(model)).first() is not None
    assert installation.organisation() is not None
    assert (SignUp.__tablename__, Contribution.__tablename__) == ("sign_up", "contribution")
