"""A partnership to try the product on: Larkmere, with readers, two issues sent, one in hand, one that asks for news.

Everything is made by the product's own verbs, at the hours at which people would have done it, so that whatever
can be looked at (accounts, consents, the record of activity) is as true as in earnest. Nobody in it is real.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from sqlalchemy import update

from .. import dates
from ..db import db, transaction
from ..domain.calls.decisions import triage
from ..domain.calls.rhythm import cadence
from ..domain.issues import creating, editing
from ..domain.queries import the_organisation
from ..domain.staff import installation, invitations, mailing_lists, passwords
from ..domain.staff.installation import FirstAnswers, OrganisationDetails
from ..domain.subscribers import importing, joining, leaving, preferences, subscribing
from ..domain.subscribers.offering import offers
from ..models import Account, Issue, MailingList, Media, Notice, SignUp, Subscription
from ..states import Cadence, NoticeState, Role, SendingMode
from . import issues, partners, words
from .past import Fiction, send
from .quarters import RHYTHM, ZONE, Quarter
from .readers import Reader, as_csv, readers

_LEFT = 12
_A_DAY = timedelta(days=1)
#: Older than this, a notice of the demo was answered long ago; newer ones are still delivered, to the mailbox.
_FRESH = timedelta(hours=20)
_STAFF = (("Ruth Adeyemi", Role.EDITOR), ("Ewan Marsh", Role.APPROVER), ("Tamsin Orme", Role.VIEWER))


@dataclass(frozen=True)
class Cast:
    """Who and what the demo has once its beginning is made."""

    quarterly: MailingList
    policy: MailingList
    ruth: Account
    ewan: Account
    pictures: dict[str, Media]


def seed_demo(now: datetime, *, subscribers: int = 700) -> bool:
    """Fill an empty database with the demo, as it would stand at `now`. False, and nothing done, if it is not empty.

    `subscribers` is how many get the quarterly newsletter in the end. Opens its own transactions.
    """
    if db.session.scalar(the_organisation()) is not None:
        return False
    current = Quarter.next_after(now)
    earlier, oldest = current.later(-1), current.later(-2)
    cast = _begin(oldest.goes_out - timedelta(days=60))
    everybody = readers(subscribers + _LEFT)
    first = everybody[: len(everybody) * 4 // 5]
    _import(cast, first, oldest.goes_out - timedelta(days=50))

    one = _first_issue(cast, oldest)
    two = _send_oldest(cast, one, oldest)
    with transaction():
        _leave(first[:_LEFT], oldest.goes_out + timedelta(days=3))
    _sign_up(cast, everybody[len(first) :], oldest.goes_out + timedelta(days=10), earlier.goes_out)
    three = _send_earlier(cast, two, earlier, everybody)
    _send_bulletin(
        cast, _working_morning(min(earlier.goes_out + (now - earlier.goes_out) / 4, now - timedelta(days=1)))
    )
    _write_current(cast, three, current, now)
    _settle(now)
    return True


def _begin(at: datetime) -> Cast:
    """Organisation, lists, staff and pictures, half a year and more ago."""
    unknown = passwords.hashed(secrets.token_urlsafe(24))
    with transaction():
        token = installation.set_up_token(at)
        invitation = invitations.read(str(token), invitations.SET_UP, at)
        answers = FirstAnswers(
            organisation=OrganisationDetails(
                words.ORGANISATION, "Millrace House, 4 Weir Street, Larkmere", "newsletter@example.org", "01632 960 100"
            ),
            list_name=words.QUARTERLY,
            cadence=Cadence.QUARTERLY,
            sender_address="newsletter@example.org",
            privacy_notice=words.PRIVACY_NOTICE,
            your_name="Ada Lindqvist",
            your_email="ada.lindqvist@example.org",
        )
        admin = installation.set_up(invitation, answers, password_hash=unknown, now=at)
        organisation = installation.organisation()
        assert organisation is not None
        organisation.demo = True
        # The demo refuses a real mail server; within it everybody may get mail.
        installation.change_sending_mode(SendingMode.EVERYONE, actor=admin, now=at)
        pictures = issues.add_pictures(at)
        quarterly, policy = _lists(admin, pictures, at)
        people = [_join(name, role, admin, unknown, at) for name, role in _STAFF]
        partners.join(quarterly, people[0], at)
        return Cast(quarterly, policy, people[0], people[1], pictures)


def _lists(admin: Account, pictures: dict[str, Media], at: datetime) -> tuple[MailingList, MailingList]:
    quarterly = mailing_lists.all_lists()[0]
    details = replace(
        mailing_lists.details_of(quarterly),
        strapline=words.STRAPLINE,
        frequency="Four times a year",
        why=f"You get this newsletter because you asked for “{words.QUARTERLY}”, which comes out four times a year.",
    )
    mailing_lists.change_list(quarterly, details, actor=admin, now=at)
    quarterly.logo_id = pictures["mark"].id
    cadence.choose(quarterly, RHYTHM, actor=admin, now=at)
    policy = mailing_lists.create_list(
        replace(
            details,
            slug="policy-changes",
            name=words.POLICY,
            sender_name=words.POLICY,
            cadence=Cadence.NONE,
            strapline="What changes in our procedures, when it changes.",
            frequency="About ten times a year",
            why="",
        ),
        actor=admin,
        now=at,
    )
    return quarterly, policy


def _join(name: str, role: Role, admin: Account, unknown: str, at: datetime) -> Account:
    address = f"{name.lower().replace(' ', '.')}@example.org"
    invitation, _token = invitations.invite(address, role, None, actor=admin, now=at, by_mail=False)
    return invitations.accept(invitation, name=name, password_hash=unknown, now=at + timedelta(hours=1))


def _import(cast: Cast, people: list[Reader], at: datetime) -> None:
    source = "Sign-up sheets of the partnership’s conference, kept by the business team"
    importing.import_csv(as_csv(people), cast.quarterly, source=source, actor=cast.ruth, now=at)
    importing.import_csv(as_csv(people[::3]), cast.policy, source=source, actor=cast.ruth, now=at)


def _leave(people: list[Reader], at: datetime) -> None:
    for number, person in enumerate(people):
        for subscription in _subscriptions(person):
            leaving.unsubscribe(subscription, route="one-click", now=at + timedelta(hours=7 * number))


def _subscriptions(person: Reader) -> list[Subscription]:
    subscriber = joining.find_subscriber(person.address)
    return subscriber.subscriptions if subscriber is not None else []


def _sign_up(cast: Cast, people: list[Reader], start: datetime, end: datetime) -> None:
    """The others came one by one, over the form, and confirmed within the hour."""
    with transaction():
        offered = {offer.mailing_list.id: (offer.mailing_list, offer.wording) for offer in offers(start)}
        for number, person in enumerate(people):
            at = start + (end - start) * number / max(1, len(people)) * 0.9
            ticked = [offered[cast.quarterly.id]] + ([offered[cast.policy.id]] if number % 4 == 0 else [])
            subscribing.request_subscription(
                address=person.address,
                lists_with_wordings=ticked,
                name=person.name,
                organisation=person.agency,
                source="sign-up form",
                network="192.0.2.0/24",
                now=at,
            )
            asked = db.session.query(SignUp).order_by(SignUp.id.desc()).first()
            assert asked is not None
            subscribing.confirm(asked, now=at + timedelta(minutes=7 + number % 40))


def _first_issue(cast: Cast, quarter: Quarter) -> Issue:
    at = quarter.goes_out - timedelta(days=55)
    with transaction():
        return creating.create_issue(
            cast.quarterly,
            title=quarter.title,
            planned_at=quarter.goes_out,
            deadline=quarter.deadline,
            actor=cast.ruth,
            now=at,
        )


def _following(issue: Issue, quarter: Quarter, cast: Cast, at: datetime) -> Issue:
    return creating.ensure_next_issue(
        issue,
        title=quarter.title,
        deadline=quarter.deadline,
        planned_at=quarter.goes_out,
        actor=cast.ruth,
        now=at,
    )


def _send_oldest(cast: Cast, issue: Issue, quarter: Quarter) -> Issue:
    """Send it; returns the issue after it."""
    at = quarter.goes_out - timedelta(days=3)
    with transaction():
        issues.write_oldest(issue, quarter, actor=cast.ruth, now=at)
        following = _following(issue, quarter.later(1), cast, at)
    send(issue, quarter.goes_out, editor=cast.ruth, approver=cast.ewan, relay=Fiction())
    return following


def _send_earlier(cast: Cast, issue: Issue, quarter: Quarter, everybody: list[Reader]) -> Issue:
    """Send it to everybody but those who paused; a few do not get it. Returns the issue after it."""
    at = quarter.goes_out - timedelta(days=3)
    with transaction():
        for person in everybody[_LEFT + 40 : _LEFT + 44]:
            subscriber = joining.find_subscriber(person.address)
            if subscriber is not None:
                preferences.pause(subscriber, quarter.day + timedelta(days=30), now=at)
        issues.write_earlier(issue, quarter, actor=cast.ruth, now=at)
        following = _following(issue, quarter.later(1), cast, at)
    gone = tuple(person.address for person in everybody[_LEFT + 5 : _LEFT + 50 : 15])
    silent = (everybody[_LEFT + 33].address,) if len(everybody) > 60 else ()
    send(issue, quarter.goes_out, editor=cast.ruth, approver=cast.ewan, relay=Fiction(gone=gone, silent=silent))
    with transaction():
        partners.open_call(following, cast.ruth, quarter.goes_out + _A_DAY, nothing=words.NOTHING_THIS_TIME)
    return following


def _send_bulletin(cast: Cast, at: datetime) -> None:
    before = at - timedelta(days=2)
    with transaction():
        issue = creating.create_issue(
            cast.policy, title=words.BULLETIN_TITLE, planned_at=at, actor=cast.ruth, now=before
        )
        first = next(block for block in editing.live_blocks(issue) if block.kind == "section")
        (_kind, data), *others = words.BULLETIN
        editing.edit_block(first, data, expected_version=first.version, actor=cast.ruth, now=before)
        for position, (kind, more) in enumerate(others, first.position + 1):
            editing.add_block(issue, kind, more, position=position, actor=cast.ruth, now=before)
        creating.change_frame(
            issue,
            subject="Professional disagreement: two steps instead of four",
            preheader="The chapter is a page shorter, and each step has a day by which you get an answer.",
            actor=cast.ruth,
            now=before,
        )
    send(issue, at, editor=cast.ruth, approver=cast.ewan, relay=Fiction())


def _working_morning(at: datetime) -> datetime:
    """10:30am on that day, or on the Friday before it."""
    day = dates.local(at, ZONE).date()
    day -= timedelta(days=max(0, day.weekday() - 4))
    return dates.to_instant(day, time(10, 30), ZONE)


def _write_current(cast: Cast, issue: Issue, quarter: Quarter, now: datetime) -> None:
    """The issue in hand: written, with two contributions to decide on; and its next one, open for news."""
    closed = quarter.deadline.grace_ends_at
    news_until = min(closed, now) - timedelta(hours=2)
    edited = now - timedelta(hours=1)
    with transaction():
        for number, piece in enumerate(words.WAITING):
            partners.send_in(issue, piece, news_until - timedelta(days=number, hours=3))
        declined = partners.send_in(issue, words.DECLINED, news_until - timedelta(days=4))
        if now > closed + timedelta(hours=1):
            late = partners.send_in(issue, words.LATE, closed + timedelta(minutes=25))
            partners.ask_for_time(late, words.MORE_TIME, closed + timedelta(minutes=28))
        issues.write_current(
            issue, quarter, cast.pictures, actor=cast.ruth, sent_in=news_until - timedelta(days=2), now=edited
        )
        triage.decline(declined, words.DECLINE_REASON, actor=cast.ruth, now=edited)
        following = _following(issue, quarter.later(1), cast, edited)
        partners.open_call(following, cast.ruth, now - timedelta(minutes=50), nothing=words.NOTHING_NEXT_TIME)
        partners.send_in(following, words.FOR_NEXT, now - timedelta(minutes=40))


def _settle(now: datetime) -> None:
    """What the demo's people were told long ago is not told again."""
    with transaction() as session:
        session.execute(
            update(Notice)
            .where(Notice.created_at < now - _FRESH)
            .values(state=NoticeState.ACCEPTED, accepted_at=Notice.created_at, attempts=1)
        )
