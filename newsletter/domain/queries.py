"""Selects that several rooms ask for, under names."""

from sqlalchemy import Select, select

from ..models import Account, Issue, Membership, Organisation, PrivacyNotice
from ..states import Role


def the_organisation() -> Select[Organisation]:
    """The publisher: one row, or none before the first set-up."""
    return select(Organisation).where(Organisation.id == 1)


def newest_privacy_version() -> Select[int]:
    """The number of the privacy notice in force; no row before the first is published."""
    return select(PrivacyNotice.version).order_by(PrivacyNotice.version.desc()).limit(1)


def accounts_on(list_id: int) -> Select[Account]:
    """Active staff with any role on the list, or on all lists; each once, by name."""
    return (
        select(Account)
        .where(
            Account.active,
            Account.id.in_(
                select(Membership.account_id).where(
                    (Membership.list_id == list_id) | (Membership.list_id.is_(None)),
                )
            ),
        )
        .order_by(Account.name, Account.id)
    )


def administrators() -> Select[Account]:
    """Active accounts that may administer everything; each once, by name."""
    everything = select(Membership.account_id).where(Membership.list_id.is_(None), Membership.role == Role.ADMIN)
    return select(Account).where(Account.active, Account.id.in_(everything)).order_by(Account.name, Account.id)


def issue_before(issue_id: int) -> Select[Issue]:
    """The issue that prints this one's deadline as that of its next issue, if there is one."""
    return select(Issue).where(Issue.next_issue_id == issue_id)
