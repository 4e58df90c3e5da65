"""Accounts at the organisation's own sign-in service, and which of ours each may sign in as.

The service vouches for who somebody is; what they may do here stands in memberships, which signing in never changes.
Nobody has an account by signing in: either they have one, or an invitation to the very address that is vouched for.
"""

from datetime import datetime

from sqlalchemy import delete, select

from ...db import db
from ...errors import Invalid, NotAllowed
from ...models import Account, Identity, Invitation
from ...oidc.claims import Claims
from . import accounts, invitations, wording
from .activity import record

_TOLD = "organisation's account"


def sign_in_as(claims: Claims, now: datetime) -> Account:
    """The account of whoever that is, in the running transaction. Raises NotAllowed, with why, where there is none.

    The first time it is found by the address that the service vouches for, and tied to it from then on: an address may
    be given to somebody else one day.
    """
    identity = db.session.scalar(
        select(Identity).where(Identity.issuer == claims.issuer, Identity.subject == claims.subject)
    )
    if identity is None:
        identity = _tie(_by_address(claims, now), claims, now)
    account = accounts.find(identity.account_id)
    if not account.active:
        raise NotAllowed("Your account here is switched off. An administrator can change that.")
    identity.used_at = now
    return account


def of(account: Account) -> Identity | None:
    """What the account is tied to, if it is."""
    return db.session.scalar(select(Identity).where(Identity.account_id == account.id).order_by(Identity.id).limit(1))


def untie(account: Account, *, actor: Account | None, now: datetime) -> bool:
    """Let the account be tied anew at its next sign-in, by its address. Whether it was tied."""
    if of(account) is None:
        return False
    db.session.execute(delete(Identity).where(Identity.account_id == account.id))
    record("staff.identity_untied", actor=actor, now=now, subject=("account", account.id), name=account.name)
    return True


def _by_address(claims: Claims, now: datetime) -> Account:
    if not claims.email:
        raise NotAllowed(
            "Your organisation’s sign-in service does not vouch for your email address, so we cannot tell who you are "
            "here. Ask whoever looks after it."
        )
    account = accounts.find_account(claims.email) or _join(claims, now)
    if account is None:
        raise NotAllowed(
            "Nobody here has the email address that you signed in with. Ask an administrator for an invitation to it."
        )
    return account


def _join(claims: Claims, now: datetime) -> Account | None:
    """The account that an invitation to this very address makes; None without one."""
    open_ones = [one for one in accounts.open_invitations_for(claims.email, now) if one.purpose == invitations.STAFF]
    if not open_ones:
        return None
    newest: Invitation = max(open_ones, key=lambda one: one.id)
    by_address = claims.email.partition("@")[0]
    try:
        name = wording.line(claims.name, field="name", longest=accounts.LONGEST_NAME, missing=by_address)
    except Invalid:
        # What the service calls them cannot stand in a line; they can say how they are called themselves.
        name = by_address
    return invitations.accept(newest, name=name, password_hash=None, now=now)


def _tie(account: Account, claims: Claims, now: datetime) -> Identity:
    if not account.active:
        raise NotAllowed("Your account here is switched off. An administrator can change that.")
    known = db.session.scalar(
        select(Identity.id).where(Identity.account_id == account.id, Identity.issuer == claims.issuer)
    )
    if known is not None:
        raise NotAllowed(
            "The account with your email address belongs to another person at your organisation’s sign-in service. "
            "An administrator can untie it with `newsletter staff untie`."
        )
    identity = Identity(account_id=account.id, issuer=claims.issuer, subject=claims.subject, linked_at=now, used_at=now)
    db.session.add(identity)
    db.session.flush()
    invitations.tell_of_change(account, _TOLD, now=now)
    record("staff.identity_tied", actor=account, now=now)
    return identity
