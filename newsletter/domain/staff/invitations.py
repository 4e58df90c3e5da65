"""Links that make an account or give a new password: random, used once, known here by a hash only.

The link holds a signed nonce. Where it goes by mail, the nonce is that of the notice's own row, and the link is
made when the mail is: `Signer.sign_id(Purpose.INVITATION, UUID(bytes=notice.nonce))`.
"""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import CursorResult, select, update

from ... import addresses
from ...db import db, kept_if
from ...errors import Invalid, Problem, TokenExpired, TokenInvalid
from ...models import Account, Invitation, MailingList
from ...states import Role
from ...tokens import Purpose, Signer
from ..notices import URGENT, send_notice
from . import accounts, browser_sessions
from .activity import record

STAFF, PASSWORD, SET_UP = "staff", "password", "set_up"
_LIFETIMES = {STAFF: timedelta(days=7), PASSWORD: timedelta(hours=1), SET_UP: timedelta(days=7)}
#: What each role is called where people read it.
ROLE_WORDS = {
    Role.ADMIN: "Administrator",
    Role.APPROVER: "Approver",
    Role.EDITOR: "Editor",
    Role.VIEWER: "Viewer",
}
_INVITATION_TEMPLATE = "staff_invitation"
_PASSWORD_TEMPLATE = "password_reset_link"  # noqa: S105 - a template's name


def invite(
    email: str,
    role: Role,
    mailing_list: MailingList | None,
    *,
    actor: Account | None,
    now: datetime,
    by_mail: bool = True,
) -> tuple[Invitation, str]:
    """Invite somebody to a role on the list (all lists where None), for seven days. Earlier links to them end.

    Returns the invitation and the token of its link (`/join/<token>`), which is kept nowhere. With `by_mail` the
    link goes to them as a notice too. Raises Invalid for an address that is none, or has an account.
    """
    address = addresses.clean(email)
    if accounts.find_account(address) is not None:
        sentence = f"{address} has an account already. Change its role, or switch it on, on the staff page"
        raise Invalid([Problem("email", sentence)])
    for earlier in accounts.open_invitations_for(address, now):
        earlier.revoked_at = now
    nonce = secrets.token_bytes(16)
    if by_mail:
        values = {
            "inviter": actor.name if actor else "",
            "role": ROLE_WORDS[role],
            "list": mailing_list.name if mailing_list else "",
        }
        nonce = send_notice(_INVITATION_TEMPLATE, address, now=now, values=values, priority=URGENT).nonce
    invitation = _add(STAFF, nonce, now, role=role, email=address, list_id=_id(mailing_list), invited_by_id=_id(actor))
    record(
        "staff.invited",
        actor=actor,
        now=now,
        mailing_list=mailing_list,
        subject=("invitation", invitation.id),
        role=role.value,
    )
    return invitation, _token(nonce)


def send_password_link(account: Account, *, actor: Account | None, now: datetime) -> None:
    """Mail the person a link to choose a new password, for one hour. Their second step stays as it is."""
    nonce = send_notice(_PASSWORD_TEMPLATE, account.email, now=now, priority=URGENT).nonce
    _add_password_link(account, nonce, actor=actor, now=now)


def answer_forgotten(address: str, *, allowed: bool, now: datetime) -> None:
    """Somebody at the sign-in page says that they forgot their password: a link goes to the address if one of us has
    it and, by the caller's count, it had not too many.

    For everybody else the same is written, for some account, and taken back: nobody learns from the time it takes
    whose addresses are ours (ASVS 6.3.8).
    """
    found = accounts.find_account(address)
    some = db.session.scalar(select(Account).order_by(Account.id).limit(1))
    account = found or some
    welcome = allowed and found is not None and found.active
    if account is not None:
        with kept_if(welcome):
            send_password_link(account, actor=None, now=now)
    record("staff.password_forgotten", actor=None, actor_name="A visitor", now=now, sent=welcome)


def password_link(account: Account, *, actor: Account | None, now: datetime) -> str:
    """The token of such a link (`/password/<token>`), for whoever runs the machine to pass on; no mail is sent."""
    nonce = secrets.token_bytes(16)
    _add_password_link(account, nonce, actor=actor, now=now)
    return _token(nonce)


def _add_password_link(account: Account, nonce: bytes, *, actor: Account | None, now: datetime) -> None:
    earlier = [one.id for one in accounts.open_invitations_for(account.email, now)]
    db.session.execute(update(Invitation).where(Invitation.id.in_([0, *earlier])).values(revoked_at=now))
    invitation = _add(PASSWORD, nonce, now, role=Role.VIEWER, email=account.email, account_id=account.id)
    record("staff.password_link_made", actor=actor, now=now, subject=("invitation", invitation.id))


def set_up_link(now: datetime) -> str:
    """A token for the first set-up; the one before it ends."""
    db.session.execute(
        update(Invitation)
        .where(Invitation.purpose == SET_UP, Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    nonce = secrets.token_bytes(16)
    _add(SET_UP, nonce, now, role=Role.ADMIN)
    return _token(nonce)


def revoke(invitation: Invitation, *, actor: Account | None, now: datetime) -> None:
    """Make the link useless. One that was used stays as it is."""
    if invitation.accepted_at is None and invitation.revoked_at is None:
        invitation.revoked_at = now
        record("staff.invitation_revoked", actor=actor, now=now, subject=("invitation", invitation.id))


def waiting(now: datetime) -> list[Invitation]:
    """Invitations of staff that nobody has used yet, newest first."""
    return list(
        db.session.scalars(
            select(Invitation)
            .where(
                Invitation.purpose == STAFF,
                Invitation.accepted_at.is_(None),
                Invitation.revoked_at.is_(None),
                Invitation.expires_at > now,
            )
            .order_by(Invitation.id.desc())
        )
    )


def read(token: str, purpose: str, now: datetime) -> Invitation:
    """The invitation that a link leads to. Raises TokenInvalid, or TokenExpired for one that is over or used."""
    nonce = _signer().read_id(Purpose.INVITATION, token).bytes
    found = db.session.scalar(
        select(Invitation).where(Invitation.nonce_hash == _hash(nonce), Invitation.purpose == purpose)
    )
    if found is None:
        raise TokenInvalid("This link cannot be used. Copy the whole of it from the email, or ask for a new one.")
    if found.accepted_at is not None:
        raise TokenExpired("This link has been used already. Sign in instead.")
    if found.revoked_at is not None:
        raise TokenExpired("A newer link has taken the place of this one, or it was taken back. Ask for a new one.")
    if now >= found.expires_at:
        raise TokenExpired("This link has expired. Ask for a new one.")
    return found


def accept(invitation: Invitation, *, name: str, password_hash: str | None, now: datetime) -> Account:
    """Make the account that the invitation is for. The password, if any, was hashed before. Raises Invalid."""
    use(invitation, now)
    account = accounts.add_account(email=str(invitation.email), name=name, password_hash=password_hash, now=now)
    mailing_list = db.session.get(MailingList, invitation.list_id) if invitation.list_id else None
    accounts.give_role(account, invitation.role, mailing_list, now=now)
    invitation.account_id = account.id
    record("staff.joined", actor=account, now=now, mailing_list=mailing_list, role=invitation.role.value)
    return account


def change_password_by_link(invitation: Invitation, *, password_hash: str, now: datetime) -> Account:
    """Give the account its new password and end every session of it."""
    use(invitation, now)
    account = accounts.find(invitation.account_id or 0)
    set_password(account, password_hash=password_hash, keep=None, now=now)
    return account


def set_password(account: Account, *, password_hash: str, keep: str | None, now: datetime) -> None:
    """Put a new password in place; every session ends but the one whose id is `keep`. They are told by mail."""
    account.password = password_hash
    browser_sessions.revoke(account, now=now, keep=keep)
    tell_of_change(account, "password", now=now)
    record("staff.password_changed", actor=account, now=now)


def tell_of_change(account: Account, what: str, *, now: datetime) -> None:
    """Mail the person what has changed ("password", "second step"), so that a thief is noticed."""
    send_notice("account_changed", account.email, now=now, values={"what": what}, priority=URGENT)


def use(invitation: Invitation, now: datetime) -> None:
    """Mark the link used, in the running transaction. Raises TokenExpired for whoever comes second."""
    result = db.session.execute(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))
        .values(accepted_at=now)
    )
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise TokenExpired("This link has been used already. Sign in instead.")
    db.session.refresh(invitation)


def _add(
    purpose: str,
    nonce: bytes,
    now: datetime,
    *,
    role: Role,
    email: str | None = None,
    list_id: int | None = None,
    invited_by_id: int | None = None,
    account_id: int | None = None,
) -> Invitation:
    invitation = Invitation(
        purpose=purpose,
        email=email,
        role=role,
        list_id=list_id,
        nonce_hash=_hash(nonce),
        invited_by_id=invited_by_id,
        account_id=account_id,
        created_at=now,
        expires_at=now + _LIFETIMES[purpose],
    )
    db.session.add(invitation)
    db.session.flush()
    return invitation


def _id(row: MailingList | Account | None) -> int | None:
    return row.id if row is not None else None


def _hash(nonce: bytes) -> bytes:
    return hashlib.sha256(nonce).digest()


def _signer() -> Signer:
    signer: Signer = current_app.extensions["newsletter_signer"]
    return signer


def _token(nonce: bytes) -> str:
    return _signer().sign_id(Purpose.INVITATION, uuid.UUID(bytes=nonce))
