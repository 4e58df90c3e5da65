"""Who could see people's data in a time: what is asked first when data are lost (UK GDPR art. 33)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from ...db import db
from ...models import Account, Activity

#: What each says of an account that had a role at some time before it.
_CHANGED = ("staff.role_changed", "staff.disabled", "staff.enabled")
_SIGNED_IN, _EXPORTED = "staff.signed_in", "subscribers.exported"


@dataclass(frozen=True)
class Had:
    """One account: whether it can sign in today and as what, and what the record says of the time."""

    account: Account
    sign_ins: int
    last_sign_in: datetime | None
    exports: int
    #: Changes of its role, and being switched off or on, in the time, oldest first.
    changes: tuple[Activity, ...]


def had_access(since: datetime, until: datetime) -> list[Had]:
    """Everybody who has a role today, or signed in or had it changed in the time; by name.

    Colleagues who were erased since are named no more; the record still counts what they did.
    """
    in_time = (Activity.at >= since, Activity.at < until)
    by_actor = select(Activity.actor_id, func.count(), func.max(Activity.at)).where(*in_time)
    by_actor = by_actor.group_by(Activity.actor_id)
    sign_ins = db.session.execute(by_actor.where(Activity.action == _SIGNED_IN)).all()
    signed_in = {who: (number, last) for who, number, last in sign_ins}
    exported = {who: number for who, number, _last in db.session.execute(by_actor.where(Activity.action == _EXPORTED))}
    about = select(Activity).where(*in_time, Activity.subject_type == "account", Activity.action.in_(_CHANGED))
    changes: dict[str, list[Activity]] = {}
    for one in db.session.scalars(about.order_by(Activity.id)):
        changes.setdefault(one.subject_id, []).append(one)
    return [
        Had(
            one,
            sign_ins=signed_in.get(one.id, (0, None))[0],
            last_sign_in=signed_in.get(one.id, (0, None))[1],
            exports=exported.get(one.id, 0),
            changes=tuple(changes.get(str(one.id), ())),
        )
        for one in db.session.scalars(select(Account).order_by(Account.name, Account.id))
        if one.memberships or one.id in signed_in or str(one.id) in changes
    ]
