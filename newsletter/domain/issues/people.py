"""Whom among the staff an issue concerns."""

from datetime import datetime
from typing import Any

from ...db import db
from ...models import Account, Issue, MailingList
from ..notices import send_notice
from ..queries import accounts_on
from ..staff.permissions import Permission, may

#: What the record of activity calls somebody at the command line of the machine itself.
SYSTEM_ADMINISTRATOR = "System administrator"


def who_may(permission: Permission, mailing_list: MailingList) -> list[Account]:
    """Active staff who may do this on the list, by name."""
    everybody = db.session.scalars(accounts_on(mailing_list.id))
    return [account for account in everybody if may(account, permission, mailing_list)]


def tell(template: str, people: list[Account], issue: Issue, *, now: datetime, **values: Any) -> None:
    """One notice about the issue to each of `people`. `values` are what its template needs beside the issue."""
    shared = {"issue_id": issue.id, "title": issue.title, "slug": issue.slug, "list": issue.mailing_list.name}
    for account in people:
        send_notice(template, account.email, now=now, values={**shared, "name": account.name, **values}, issue=issue)
