"""Who gets an issue. One definition, used to count, to show and to freeze.

The definition is approved with the words; its members are counted anew whenever somebody asks, and frozen once, at
launch. Those who are paused or suppressed are frozen too and skipped when their turn comes, with the reason, so that
the accounts say why somebody got nothing.
"""

from typing import Any

from sqlalchemy import Select, func, select

from ...db import db
from ...models import Issue, Subscription
from ...states import SubscriptionState


def audience_definition(issue: Issue) -> dict[str, Any]:
    """What is approved: which list, and which of its subscriptions. JSON values."""
    return {"list_id": issue.list_id, "state": SubscriptionState.ACTIVE.value}


def recipients_select(issue: Issue) -> Select[int]:
    """The ids of the subscriptions that the definition means at this moment."""
    return select(Subscription.id).where(
        Subscription.list_id == issue.list_id,
        Subscription.state == SubscriptionState.ACTIVE,
        Subscription.subscriber_id.is_not(None),
    )


def count(issue: Issue) -> int:
    """How many people that is now."""
    return db.session.scalar(select(func.count()).select_from(recipients_select(issue).subquery())) or 0
