"""What each role may do: one table, one question.

A membership gives a role on one list, or on all. Everything is denied that the table does not allow.
"""

from collections.abc import Mapping
from enum import StrEnum

from ...errors import NotAllowed
from ...models import Account, MailingList
from ...states import Role


class Permission(StrEnum):
    VIEW_ISSUES = "view issues"
    EDIT_ISSUES = "edit issues"
    APPROVE_ISSUES = "approve issues"
    SCHEDULE_ISSUES = "schedule issues"
    CONTROL_SENDING = "pause or cancel sending"
    OVERRIDE_GATES = "send past the checks"
    TRIAGE_CONTRIBUTIONS = "decide on contributions"
    VIEW_SUBSCRIBERS = "see subscribers"
    SEE_ADDRESSES = "see subscribers' addresses"
    MANAGE_SUBSCRIBERS = "change subscribers"
    EXPORT_SUBSCRIBERS = "export subscribers"
    VIEW_NOTICES = "see notices"
    READ_MAILBOX = "read the built-in mailbox"
    MANAGE_LISTS = "change lists"
    MANAGE_STAFF = "change staff"
    MANAGE_INSTALLATION = "change the installation"


_VIEWER = frozenset({Permission.VIEW_ISSUES, Permission.VIEW_SUBSCRIBERS})
_EDITOR = _VIEWER | {
    Permission.EDIT_ISSUES,
    Permission.SCHEDULE_ISSUES,
    Permission.CONTROL_SENDING,
    Permission.TRIAGE_CONTRIBUTIONS,
    Permission.SEE_ADDRESSES,
    Permission.MANAGE_SUBSCRIBERS,
    Permission.VIEW_NOTICES,
    Permission.READ_MAILBOX,
}
_APPROVER = _EDITOR | {Permission.APPROVE_ISSUES}
_ADMIN = frozenset(Permission)

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.EDITOR: _EDITOR,
    Role.APPROVER: _APPROVER,
    Role.ADMIN: _ADMIN,
}


def may(actor: Account | None, permission: Permission, mailing_list: MailingList | None = None) -> bool:
    """Whether `actor` may do this on the list.

    Without a list the question is about the installation: only a role on all lists answers yes.
    """
    if actor is None or not actor.active:
        return False
    return any(
        permission in ROLE_PERMISSIONS[membership.role]
        for membership in actor.memberships
        if membership.list_id is None or (mailing_list is not None and membership.list_id == mailing_list.id)
    )


def may_anywhere(actor: Account | None, permission: Permission) -> bool:
    """Whether `actor` may do this on at least one list: whether to show the way there."""
    if actor is None or not actor.active:
        return False
    return any(permission in ROLE_PERMISSIONS[membership.role] for membership in actor.memberships)


def require(actor: Account | None, permission: Permission, mailing_list: MailingList | None = None) -> None:
    """Raise NotAllowed, in a sentence, unless `may`."""
    if not may(actor, permission, mailing_list):
        raise NotAllowed(f"You may not {permission.value}. An administrator can change that.")
