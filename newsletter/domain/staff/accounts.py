"""Who works on the newsletter: invited by a link, given a role, switched off when they leave.

Whoever changes what an account may do ends its sessions. There is always one administrator of everything left.
"""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from ... import addresses
from ...db import db
from ...errors import Conflict, Invalid, NotFound, Problem
from ...models import Account, Invitation, MailingList, Membership, Organisation
from ...states import Role
from .. import queries
from . import browser_sessions, wording
from .activity import record

LONGEST_NAME = 100


def find_account(address: str) -> Account | None:
    """The account of an email address, in whatever case it is written; None for what no address can be."""
    if not address.isprintable():
        return None
    return db.session.scalar(select(Account).where(Account.email_key == addresses.key(address.strip())))


def add_account(*, email: str, name: str, password_hash: str | None, now: datetime) -> Account:
    """A new account without any role. `email` is clean; the password was hashed before. Raises Invalid."""
    if find_account(email) is not None:
        raise Invalid([Problem("email", f"{email} has an account already")])
    account = Account(
        email=email,
        email_key=addresses.key(email),
        name=wording.line(name, field="name", longest=LONGEST_NAME, missing="Enter your name"),
        password=password_hash,
        fs_uniquifier=secrets.token_hex(32),
        created_at=now,
    )
    db.session.add(account)
    db.session.flush()
    return account


def give_role(account: Account, role: Role, mailing_list: MailingList | None, *, now: datetime) -> Membership:
    """The account's role on the list (all lists where None), new or changed, without any further word."""
    membership = membership_on(account, mailing_list)
    if membership is None:
        membership = Membership(list_id=mailing_list.id if mailing_list else None, created_at=now)
        account.memberships.append(membership)
    membership.role = role
    db.session.flush()
    return membership


def membership_on(account: Account, mailing_list: MailingList | None) -> Membership | None:
    """The membership that was given on this list itself, or on all lists where None."""
    list_id = mailing_list.id if mailing_list else None
    return next((one for one in account.memberships if one.list_id == list_id), None)


def change_role(
    account: Account, role: Role | None, mailing_list: MailingList | None, *, actor: Account | None, now: datetime
) -> None:
    """Give the account this role on the list (on all lists where None), or take its role there away.

    Ends its sessions. Raises Conflict where nobody would be left to administer everything.
    """
    _one_at_a_time()
    before = membership_on(account, mailing_list)
    before_role = before.role if before else None
    if role is before_role:
        return
    if role is None and before is not None:
        account.memberships.remove(before)
    elif role is not None:
        give_role(account, role, mailing_list, now=now)
    db.session.flush()
    _require_an_administrator()
    browser_sessions.revoke(account, now=now)
    _record("staff.role_changed", account, actor, now, mailing_list, before=before_role, after=role)


def disable(account: Account, *, actor: Account | None, now: datetime) -> None:
    """Switch the account off: nobody signs in with it until it is switched on. What they did stays under their name.

    Raises Conflict for the last administrator.
    """
    _one_at_a_time()
    if not account.active:
        return
    account.active = False
    db.session.flush()
    _require_an_administrator()
    browser_sessions.revoke(account, now=now)
    _revoke_invitations(account.email, now)
    _record("staff.disabled", account, actor, now)


def enable(account: Account, *, actor: Account | None, now: datetime) -> None:
    """Switch the account on again, with the roles it had."""
    if not account.active:
        account.active = True
        _record("staff.enabled", account, actor, now)


def administrators() -> int:
    """How many active accounts may administer everything."""
    return db.session.scalar(select(func.count()).select_from(queries.administrators().subquery())) or 0


def everybody() -> list[Account]:
    """Every account, by name."""
    return list(db.session.scalars(select(Account).order_by(func.lower(Account.name), Account.id)))


def find(account_id: int) -> Account:
    """The account. Raises NotFound."""
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound("There is no such person here.")
    return account


def _one_at_a_time() -> None:
    """Two administrators who take each other's role away at once: the second waits here, then counts without."""
    db.session.execute(select(Organisation.id).with_for_update())


def _require_an_administrator() -> None:
    if administrators() == 0:
        raise Conflict("Somebody has to administer everything: give another person that role first.")


def _revoke_invitations(address: str, now: datetime) -> None:
    for invitation in open_invitations_for(address, now):
        invitation.revoked_at = now


def open_invitations_for(address: str, now: datetime) -> list[Invitation]:
    """Links to this address that can still be used."""
    return [
        one
        for one in db.session.scalars(
            select(Invitation).where(
                Invitation.email.is_not(None), Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None)
            )
        )
        if one.email is not None and addresses.key(one.email) == addresses.key(address) and now < one.expires_at
    ]


def _record(
    action: str,
    account: Account,
    actor: Account | None,
    now: datetime,
    mailing_list: MailingList | None = None,
    **detail: Any,
) -> None:
    record(
        action,
        actor=actor,
        now=now,
        mailing_list=mailing_list,
        subject=("account", account.id),
        name=account.name,
        **detail,
    )
