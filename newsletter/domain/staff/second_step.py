"""The second step of an account: asked for at the first sign-in, changed, taken back when a phone is lost."""

from datetime import datetime

from ...models import Account
from . import browser_sessions, one_time_codes
from .activity import record
from .invitations import tell_of_change

_TOLD = "second step"


def has_app(account: Account) -> bool:
    """Whether an app has been connected: without one nobody gets past the password."""
    return account.tf_primary_method == one_time_codes.APP and account.tf_totp_secret is not None


def connect_app(
    account: Account, *, secret: str, step: int, paper_hashes: list[str], keep: str | None, now: datetime
) -> None:
    """Take this app from now on, with new codes on paper. `step` is that of the right code which proved it.

    Other sessions end, and the person is told by mail where it is a change.
    """
    changed = has_app(account)
    account.tf_totp_secret = secret
    account.tf_primary_method = one_time_codes.APP
    account.tf_last_step = step
    account.mf_recovery_codes = paper_hashes
    browser_sessions.revoke(account, now=now, keep=keep)
    if changed:
        tell_of_change(account, _TOLD, now=now)
    record("staff.second_step_connected", actor=account, now=now)


def replace_paper_codes(account: Account, paper_hashes: list[str], *, now: datetime) -> None:
    """Ten new codes; the old ones end."""
    account.mf_recovery_codes = paper_hashes
    record("staff.paper_codes_replaced", actor=account, now=now)


def disconnect_app(account: Account, *, actor: Account | None, now: datetime) -> None:
    """Have the account connect an app anew at its next sign-in: the phone is lost, and the codes with it."""
    account.tf_totp_secret = None
    account.tf_primary_method = None
    account.tf_last_step = None
    account.mf_recovery_codes = None
    browser_sessions.revoke(account, now=now)
    tell_of_change(account, _TOLD, now=now)
    record("staff.second_step_reset", actor=actor, now=now, subject=("account", account.id), name=account.name)


def signed_in(account: Account, *, how: str, now: datetime) -> None:
    """Note a sign-in on the account and in the record. `how`: "app", "paper" or "demo"."""
    account.last_sign_in_at = now
    account.sign_ins += 1
    record("staff.signed_in", actor=account, now=now, how=how)
