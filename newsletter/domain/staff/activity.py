"""The fifth beat of every verb: who did what, when."""

from datetime import datetime
from typing import Any

from ...db import db
from ...models import Account, Activity, Issue, MailingList

#: Who acts when nobody does: a tick, an import at first start.
SYSTEM = "The system"


def record(
    action: str,
    *,
    actor: Account | None,
    now: datetime,
    mailing_list: MailingList | None = None,
    issue: Issue | None = None,
    subject: tuple[str, object] = ("", ""),
    actor_name: str | None = None,
    **detail: Any,
) -> Activity:
    """Add one line to the record of activity, in the running transaction.

    `action` reads as thing.verb ("issue.scheduled"). `subject` is (type, id) of what it was done to, where that
    is neither the list nor the issue. `actor` is None for the system, or for somebody without an account, whom
    `actor_name` then names by what they are ("A subscriber"), never by address. `detail` holds ids, numbers and
    few words: no token, no message body, no address of a subscriber.
    """
    entry = Activity(
        at=now,
        action=action,
        actor_id=actor.id if actor else None,
        actor_name=actor.name if actor else (actor_name or SYSTEM),
        list_id=issue.list_id if issue else (mailing_list.id if mailing_list else None),
        issue_id=issue.id if issue else None,
        subject_type=subject[0],
        subject_id=str(subject[1]),
        detail=detail,
    )
    db.session.add(entry)
    return entry
