"""Who gets an issue. One definition, used to count, to show and to freeze.

The definition is approved with the words; its members are counted anew whenever somebody asks, and frozen once, at
launch. Those who are paused or suppressed are frozen too and skipped when their turn comes, with the reason, so that
the accounts say why somebody got nothing.

An issue goes to its whole list, or to a part of it: then it has a copy of a saved audience's conditions, so that
nobody who changes the saved one changes what was approved.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from ...db import db
from ...errors import Refused
from ...i18n import gettext as _
from ...models import Account, Audience, Issue, IssueAudience
from ...states import SubscriptionState
from ..staff import activity
from ..subscribers import audiences
from .transitions import lock, require_editable
from .voiding import touch


def audience_definition(issue: Issue) -> dict[str, Any]:
    """What is approved: which list, which of its subscriptions, and which part of them. JSON values."""
    whole: dict[str, Any] = {"list_id": issue.list_id, "state": SubscriptionState.ACTIVE.value}
    part = part_of(issue)
    return {**whole, "conditions": part.conditions, "name": part.name} if part else whole


def recipients_select(issue: Issue) -> Select[int]:
    """The ids of the subscriptions that the definition means at this moment."""
    part = part_of(issue)
    return audiences.members(issue.mailing_list, part.conditions if part else ())


def count(issue: Issue) -> int:
    """How many people that is now."""
    return db.session.scalar(select(func.count()).select_from(recipients_select(issue).subquery())) or 0


def part_of(issue: Issue) -> IssueAudience | None:
    """The part of its list that the issue goes to; None for all of it."""
    return db.session.get(IssueAudience, issue.id)


def nobody_words(issue: Issue) -> str:
    """The sentence that says why there is nobody to send to."""
    part = part_of(issue)
    if part is not None:
        return _("Nobody is in “{audience}” now: choose who gets the issue.").format(audience=part.name)
    return _("Nobody is subscribed to {list} yet.").format(list=issue.mailing_list.name)


def choose(issue: Issue, saved: Audience | None, *, actor: Account | None, now: datetime) -> bool:
    """Send the issue to this part of its list, or to all of it. Whether that is another than before.

    An approval ends by it. Raises Refused for an audience of another list, and once the words are locked.
    """
    lock(issue)
    require_editable(issue)
    if saved is not None and saved.list_id != issue.list_id:
        raise Refused(_("This audience belongs to another list."))
    part = part_of(issue)
    if saved is None and part is None:
        return False
    if saved is not None and part is not None and (part.name, part.conditions) == (saved.name, saved.conditions):
        return False
    if part is not None:
        db.session.delete(part)
        db.session.flush()
    if saved is not None:
        db.session.add(
            IssueAudience(
                issue_id=issue.id, audience_id=saved.id, name=saved.name, conditions=list(saved.conditions), at=now
            )
        )
    name = saved.name if saved else _("Everybody on the list")
    touch(issue, _("Who gets it was changed to “{audience}”.").format(audience=name), actor=actor, now=now)
    activity.record("issue.audience_chosen", actor=actor, now=now, issue=issue, audience=saved.name if saved else None)
    return True
