"""The publisher: made once by the first set-up, changed by its administrators."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from ... import addresses
from ...db import db
from ...errors import Conflict
from ...models import Account, Invitation, Organisation, PrivacyNotice
from ...states import Cadence, Role, SendingMode
from . import accounts, invitations, mailing_lists, wording
from .activity import record

_LONGEST_NOTICE = 20_000


@dataclass(frozen=True)
class OrganisationDetails:
    """What stands about the publisher in the footer of pages and mails, as typed."""

    name: str
    address: str
    email: str
    phone: str = ""


@dataclass(frozen=True)
class FirstAnswers:
    """What the first set-up asks, as typed."""

    organisation: OrganisationDetails
    list_name: str
    cadence: Cadence
    sender_address: str
    privacy_notice: str
    your_name: str
    your_email: str


def organisation() -> Organisation | None:
    """The publisher, or None before the first set-up."""
    return db.session.get(Organisation, 1)


def set_up_token(now: datetime) -> str | None:
    """In the running transaction: a one-time token for `/set-up/<token>`, or None once somebody has set us up."""
    return None if organisation() is not None else invitations.set_up_link(now)


def set_up(invitation: Invitation, answers: FirstAnswers, *, password_hash: str, now: datetime) -> Account:
    """Make organisation, privacy notice, first list and first administrator, together or not at all.

    New installations send to their team only. Raises Invalid with every problem, Conflict when it was done before.
    """
    if organisation() is not None:
        raise Conflict("This newsletter has been set up already: sign in.")
    invitations.use(invitation, now)
    problems = wording.Problems()
    details = problems.of(lambda: checked(answers.organisation), answers.organisation)
    address = problems.of(lambda: addresses.clean(answers.your_email, field="your_email"), "")
    name = problems.of(
        lambda: wording.line(
            answers.your_name, field="your_name", longest=accounts.LONGEST_NAME, missing="Enter your name"
        ),
        "",
    )
    notice = problems.of(lambda: _notice(answers.privacy_notice), "")
    first_list = problems.of(
        lambda: mailing_lists.checked(
            mailing_lists.ListDetails(
                slug=wording.slug_of(answers.list_name) or "news",
                name=answers.list_name,
                cadence=answers.cadence,
                sender_name=answers.list_name,
                sender_address=answers.sender_address,
                contact_address=answers.organisation.email,
            ),
            renamed={"name": "list_name", "sender_name": "list_name", "contact_address": "email"},
        ),
        None,
    )
    problems.raise_any()
    assert first_list is not None
    account = accounts.add_account(email=address, name=name, password_hash=password_hash, now=now)
    accounts.give_role(account, Role.ADMIN, None, now=now)
    establish(details, notice, actor=account, now=now)
    db.session.flush()
    mailing_lists.add(first_list, details.name, actor=account, now=now)
    invitation.account_id = account.id
    return account


def establish(
    details: OrganisationDetails, privacy_notice: str, *, actor: Account | None, now: datetime
) -> Organisation:
    """Make the publisher and its privacy notice without a list or an administrator: a set-up by script.

    It sends to its team only. Raises Invalid with every problem, Conflict when there is a publisher already.
    """
    if organisation() is not None:
        raise Conflict("This newsletter has been set up already.")
    problems = wording.Problems()
    clean = problems.of(lambda: checked(details), details)
    notice = problems.of(lambda: _notice(privacy_notice), "")
    problems.raise_any()
    made = Organisation(**vars(clean), sending_mode=SendingMode.TEAM, created_at=now)
    db.session.add_all([made, PrivacyNotice(version=1, text=notice, published_at=now)])
    record("installation.set_up", actor=actor, now=now)
    return made


def checked(details: OrganisationDetails) -> OrganisationDetails:
    """The details, cleaned. Raises Invalid with every problem."""
    problems = wording.Problems()
    clean = OrganisationDetails(
        name=problems.of(
            lambda: wording.line(
                details.name, field="name", longest=200, missing="Enter the name of your organisation or partnership"
            ),
            "",
        ),
        address=problems.of(
            lambda: wording.text(
                details.address,
                field="address",
                longest=500,
                missing="Enter a postal address: the law asks that a newsletter says who sends it",
            ),
            "",
        ),
        email=problems.of(lambda: addresses.clean(details.email, field="email"), ""),
        phone=problems.of(lambda: wording.line(details.phone, field="phone", longest=40), ""),
    )
    problems.raise_any()
    return clean


def change_organisation(details: OrganisationDetails, *, actor: Account | None, now: datetime) -> None:
    """Put new details in place. Raises Invalid."""
    row = _required()
    clean = checked(details)
    changed = [name for name, value in vars(clean).items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, getattr(clean, name))
    if changed:
        record("installation.changed", actor=actor, now=now, fields=changed)


def change_sending_mode(mode: SendingMode, *, actor: Account | None, now: datetime) -> None:
    """Who may get mail from here: nothing, team, everyone. Saying so ends the reminder that it was restored."""
    row = _required()
    before, row.sending_mode = row.sending_mode, mode
    row.restored_at = row.backup_made_at = None
    if before is not mode:
        record("installation.sending_mode_changed", actor=actor, now=now, before=before.value, after=mode.value)


def current_privacy_notice() -> PrivacyNotice | None:
    """The newest version: the one that new consents name."""
    return db.session.scalar(select(PrivacyNotice).order_by(PrivacyNotice.version.desc()).limit(1))


def publish_privacy_notice(typed: str, *, actor: Account | None, now: datetime) -> PrivacyNotice:
    """A new version, unless the words are the same. Earlier ones stay: consents name them. Raises Invalid."""
    words = _notice(typed)
    current = current_privacy_notice()
    if current is not None and current.text == words:
        return current
    version = 1 + (db.session.scalar(select(func.max(PrivacyNotice.version))) or 0)
    notice = PrivacyNotice(version=version, text=words, published_at=now)
    db.session.add(notice)
    db.session.flush()
    record("installation.privacy_notice_published", actor=actor, now=now, subject=("privacy_notice", version))
    return notice


def _notice(typed: str) -> str:
    return wording.text(
        typed,
        field="privacy_notice",
        longest=_LONGEST_NOTICE,
        missing="Enter your privacy notice: what you use people's addresses for, how long, and whom to ask",
    )


def _required() -> Organisation:
    row = organisation()
    if row is None:
        raise Conflict("Set up your newsletter first.")
    return row
