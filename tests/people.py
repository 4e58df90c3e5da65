"""The Larkmere partnership, as rows: makers that tests call, each with the fewest words."""

from datetime import datetime, time, timedelta

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from newsletter import addresses, clock
from newsletter.config import current_settings
from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.calls.partners import agencies, contributor_sessions
from newsletter.domain.staff import browser_sessions
from newsletter.models import (
    Account,
    Agency,
    ConsentWording,
    Contributor,
    Issue,
    MailingList,
    Membership,
    Organisation,
    PrivacyNotice,
    Subscriber,
    Subscription,
)
from newsletter.states import Cadence, Role, SendingMode, SubscriptionState
from newsletter.web.sessions import CookieAndRow


def larkmere(now: datetime) -> MailingList:
    """The organisation, its privacy notice, and the quarterly list "Safeguarding news". Sends to everyone."""
    with transaction() as session:
        session.add(
            Organisation(
                name="Larkmere Safeguarding Children Partnership",
                address="Millrace House, 4 Weir Street, Larkmere",
                email="newsletter@example.org",
                phone="01632 960 100",
                sending_mode=SendingMode.EVERYONE,
                created_at=now,
            )
        )
        session.add(PrivacyNotice(version=1, text="We use your address to send what you tick.", published_at=now))
        return _list(now, "safeguarding-news", "Safeguarding news", Cadence.QUARTERLY)


def policy_changes(now: datetime) -> MailingList:
    """The list without a rhythm, beside the quarterly."""
    with transaction():
        return _list(now, "policy-changes", "Policy changes", Cadence.NONE)


def list_beside(now: datetime, slug: str) -> MailingList:
    """One more list without a rhythm."""
    with transaction():
        return _list(now, slug, slug.capitalize(), Cadence.NONE)


def _list(now: datetime, slug: str, name: str, cadence: Cadence) -> MailingList:
    mailing_list = MailingList(
        slug=slug,
        name=name,
        strapline="What has changed, what we found and what we need from you.",
        frequency="Four times a year" if cadence is Cadence.QUARTERLY else "About ten times a year",
        cadence=cadence,
        sender_name=name,
        sender_address="newsletter@example.org",
        contact_address="newsletter@example.org",
        why=f"You get this newsletter because you asked for “{name}”.",
        created_at=now,
    )
    db.session.add(mailing_list)
    db.session.flush()
    db.session.add(
        ConsentWording(
            list_id=mailing_list.id,
            version=1,
            text=f"The Larkmere partnership uses your address to send “{name}”, and for nothing else.",
            language="en-GB",
            published_at=now,
        )
    )
    return mailing_list


def staff(
    now: datetime, name: str = "Ruth Adeyemi", role: Role = Role.EDITOR, on: MailingList | None = None
) -> Account:
    """A member of staff with one role, on all lists unless `on` names one. No password is set."""
    address = f"{name.split()[0].lower()}@example.org"
    with transaction() as session:
        account = Account(
            email=address, email_key=addresses.key(address), name=name, fs_uniquifier=f"fs-{address}", created_at=now
        )
        session.add(account)
        session.flush()
        session.add(Membership(account_id=account.id, list_id=on.id if on else None, role=role, created_at=now))
    return account


def subscribers(now: datetime, mailing_list: MailingList, number: int) -> list[Subscription]:
    """`number` people, reader1@example.org and on, active on the list."""
    made = []
    with transaction() as session:
        for count in range(1, number + 1):
            address = f"reader{count}@example.org"
            person = Subscriber(address=address, address_key=addresses.key(address), created_at=now)
            subscription = Subscription(
                subscriber=person,
                list_id=mailing_list.id,
                state=SubscriptionState.ACTIVE,
                joined_at=now,
                source="test",
            )
            session.add_all([person, subscription])
            made.append(subscription)
    return made


def issue(now: datetime, mailing_list: MailingList, title: str = "December 2026", slug: str = "december-2026") -> Issue:
    """An issue in draft, planned for the week after next; on a quarterly list with a deadline on Friday at 5pm."""
    day = now.date() + timedelta(days=(4 - now.weekday()) % 7)
    has_call = mailing_list.cadence is Cadence.QUARTERLY
    with transaction() as session:
        made = Issue(
            list_id=mailing_list.id,
            slug=slug,
            title=title,
            subject=f"{mailing_list.name}: {title}",
            planned_at=now + timedelta(days=14),
            has_call=has_call,
            created_at=now,
        )
        if has_call:
            made.deadline = Deadline.of(day, time(17), "Europe/London")
        session.add(made)
    return made


def sign_in(client: FlaskClient, account: Account) -> None:
    """Sign this client in as `account`: a real session row and its cookie, without password and code.

    The client then carries its CSRF token too, in a header, so a test posts what a person fills in and no more.
    """
    with transaction():
        session_id = browser_sessions.start(account, now=clock.now())
    carry(client, sid=session_id)


def agency(now: datetime, name: str = "Larkmere Police") -> Agency:
    """An agency that sends news to all lists."""
    with transaction():
        return agencies.create(name, None, actor=None, now=now)


def contributor(
    now: datetime, name: str = "Sam Okafor", of: Agency | None = None, *, lead: bool = False, approved: bool = True
) -> Contributor:
    """Somebody who sends in news and has proved their address: sam@example.org."""
    address = f"{name.split()[0].lower()}@example.org"
    with transaction() as session:
        made = Contributor(
            address=address,
            address_key=addresses.key(address),
            name=name,
            agency_id=of.id if of else None,
            lead=lead,
            created_at=now,
            approved_at=now if approved else None,
            proved_at=now,
        )
        session.add(made)
    return made


def sign_in_contributor(client: FlaskClient, who: Contributor) -> None:
    """Sign this client in as `who`, in a browser that says that its forms are on our own pages."""
    with transaction():
        session_id = contributor_sessions.start(who, now=clock.now())
    for domain in ("localhost", current_settings().public_host):
        client.set_cookie(
            "__Host-contributor" if current_settings().https else "contributor", session_id, domain=domain
        )
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"


def with_token(client: FlaskClient) -> None:
    """Let this client, signed in as nobody, send forms: it has opened a page and has its CSRF token."""
    carry(client)


def carry(client: FlaskClient, **content: str) -> None:
    """Give the client our cookie with this content, and the CSRF token that goes with it."""
    interface = client.application.session_interface
    assert isinstance(interface, CookieAndRow)
    nonce = "0123456789abcdef"
    cookie = interface.write({"csrf_token": nonce, **content})
    for domain in ("localhost", current_settings().public_host):
        client.set_cookie(interface.cookie_name, cookie, domain=domain)
    secret = client.application.config["SECRET_KEY"]
    client.environ_base["HTTP_X_CSRFTOKEN"] = URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(nonce)
