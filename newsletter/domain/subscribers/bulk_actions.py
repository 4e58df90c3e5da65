"""One act on many subscribers: frozen when it is pressed, done some hundred at a time, taken back for a week.

Whom it is about stands in rows, and so does what came of each, in the transaction of the change. A worker that died
goes on where it was, two that meet do everything once, and who begins to match meanwhile is not touched.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, literal, or_, select, update

from ... import addresses, dates
from ...db import db, transaction
from ...errors import Invalid, NotFound, Problem, Refused
from ...i18n import gettext as _
from ...models import Account, BulkAction, BulkMember, MailingList, Subscriber
from ...states import BulkState
from ...work.queue import ring
from ..staff import activity, wording
from ..staff.permissions import Permission, require
from . import finding, importing
from .bulk_kinds import ACTS, Doing, Kind, Outcome

_log = logging.getLogger(__name__)
_JOB = "run_bulk_action"
#: As many as this are done before the page answers; more in the background.
AT_ONCE = 100
#: How long it can be taken back, and is known of whom it was.
UNDO_FOR = timedelta(days=7)
#: Such a choice would not fit into a form anyway.
_MOST_PICKED = 500


@dataclass(frozen=True)
class Selection:
    """The people meant: those picked, or all that the search found; `shown` is how many that were on the page."""

    mailing_list: MailingList | None
    query: str = ""
    state: finding.Standing | None = None
    picked: tuple[uuid.UUID, ...] | None = None
    shown: int | None = None

    def conditions(self, now: datetime) -> list[ColumnElement[bool]]:
        """What a subscriber must fulfil to be among them."""
        if self.picked is None:
            return finding.asked_for(self.query, self.mailing_list, self.state, now)
        chosen = Subscriber.public_id.in_(self.picked[:_MOST_PICKED])
        return [*finding.asked_for("", self.mailing_list, None, now), chosen]

    def number(self, now: datetime) -> int:
        """How many there are."""
        return db.session.scalar(select(func.count(Subscriber.id)).where(*self.conditions(now))) or 0


def start(
    kind: Kind,
    selection: Selection,
    *,
    mailing_list: MailingList | None,
    asked: dict[str, str],
    actor: Account,
    now: datetime,
) -> BulkAction:
    """Freeze who is meant, and ring. `mailing_list` is the one to add to, remove from or pause.

    `asked` is what was typed: "source" (where they agreed, to add), "until" (an ISO day, to pause), "note" (why, to
    suppress). Raises Invalid for what is missing, Refused for nobody or for others than the page showed, NotAllowed.
    """
    act = ACTS[kind]
    if act.of_list and mailing_list is None:
        raise Invalid([Problem("list", _("Choose the list."))])
    require(actor, Permission.MANAGE_SUBSCRIBERS, mailing_list if act.of_list else None)
    require(actor, Permission.VIEW_SUBSCRIBERS, selection.mailing_list)
    checked = _checked(kind, mailing_list, asked, now)
    action = BulkAction(
        account_id=actor.id, list_id=mailing_list.id if act.of_list and mailing_list else None, kind=kind.value,
        number=0, undo={}, at=now, asked=checked, state=BulkState.RUNNING,
    )  # fmt: skip
    db.session.add(action)
    db.session.flush()
    action.number = _freeze(action, selection, now)
    if not action.number:
        raise Refused(_("Nobody is chosen: tick somebody, or choose everybody who matches."))
    if selection.shown is not None and selection.shown != action.number:
        raise Refused(
            _("{now} people match now; {then} did when you opened the page. Look again.").format(
                now=f"{action.number:,}", then=f"{selection.shown:,}"
            )
        )
    activity.record(
        "subscribers.changed_together",
        actor=actor,
        now=now,
        mailing_list=mailing_list if act.of_list else None,
        subject=("bulk_action", action.id),
        kind=kind.value,
        number=action.number,
    )
    ring(_JOB, action.id)
    return action


def _freeze(action: BulkAction, selection: Selection, now: datetime) -> int:
    chosen = select(literal(action.id), Subscriber.id, literal("")).where(*selection.conditions(now))
    db.session.execute(insert(BulkMember).from_select(["action_id", "subscriber_id", "outcome"], chosen))
    counted = select(func.count()).select_from(BulkMember).where(BulkMember.action_id == action.id)
    return db.session.scalar(counted) or 0


def _checked(kind: Kind, mailing_list: MailingList | None, asked: dict[str, str], now: datetime) -> dict[str, Any]:
    match kind:
        case Kind.ADD:
            return {"source": importing.checked_source(asked.get("source", ""))}
        case Kind.SUPPRESS:
            missing = _("Say who told you that no mail may go to them, or why")
            note = wording.line(asked.get("note", ""), field="note", longest=300, missing=missing)
            return {"note": addresses.mask_within(note)}
        case Kind.PAUSE:
            zone = mailing_list.timezone if mailing_list else "UTC"
            until = asked.get("until", "")
            if not until or date.fromisoformat(until) <= dates.local(now, zone).date():
                raise Invalid([Problem("until", _("Choose a day in the future to pause until."))])
            return {"until": until}
    return {}


def find(key: int, actor: Account) -> BulkAction:
    """The act with this number. Raises NotFound, and NotAllowed for an act on what the person may not change."""
    action = db.session.get(BulkAction, key) if 0 < key < 2**63 else None
    if action is None:
        raise NotFound(_("There is no such thing here. It may have been tidied away."))
    require(actor, Permission.MANAGE_SUBSCRIBERS, action.mailing_list)
    return action


def recent(lists: Sequence[MailingList], *, everywhere: bool) -> list[BulkAction]:
    """The newest acts on these lists; with those on people themselves, where somebody may do that."""
    theirs: ColumnElement[bool] = BulkAction.list_id.in_([one.id for one in lists])
    of_people = (BulkAction.list_id.is_(None),) if everywhere else ()
    return list(
        db.session.scalars(select(BulkAction).where(or_(theirs, *of_people)).order_by(BulkAction.id.desc()).limit(10))
    )


def may_undo(action: BulkAction, now: datetime) -> bool:
    """Whether it can be taken back: it is done, of a kind that can, and no week has passed."""
    finished = action.finished_at or action.at
    return action.state is BulkState.DONE and ACTS[Kind(action.kind)].undo is not None and now < finished + UNDO_FOR


def undo(action: BulkAction, *, actor: Account, now: datetime) -> None:
    """Take it back, as far as nobody changed it since. Raises Refused where it cannot be."""
    locked = db.session.get_one(BulkAction, action.id, with_for_update=True)
    if not may_undo(locked, now):
        raise Refused(_("This cannot be taken back, or has been already."))
    locked.state, locked.undone_at, locked.undo = BulkState.UNDOING, now, {}
    activity.record(
        "subscribers.change_undone",
        actor=actor,
        now=now,
        mailing_list=locked.mailing_list,
        subject=("bulk_action", locked.id),
        kind=locked.kind,
    )
    ring(_JOB, locked.id)


def unfinished() -> list[int]:
    """The acts that should be going on."""
    going = (BulkState.RUNNING, BulkState.UNDOING)
    return list(db.session.scalars(select(BulkAction.id).where(BulkAction.state.in_(going)).order_by(BulkAction.id)))


def perform(key: int, now: datetime) -> None:
    """Do what is left of an act, or of taking it back. Opens a transaction for each batch."""
    while True:
        with transaction():
            action = db.session.get(BulkAction, key, with_for_update=True)
            going = action is not None and action.state in (BulkState.RUNNING, BulkState.UNDOING)
            if action is None or not going or not _batch(action, now):
                return


def _batch(action: BulkAction, now: datetime) -> bool:
    """One batch. False when there was nothing left, and the act is over."""
    act, undoing = ACTS[Kind(action.kind)], action.state is BulkState.UNDOING
    key, waiting = action.id, Outcome.DONE.value if undoing else ""
    chosen = select(BulkMember.subscriber_id, BulkMember.before).where(
        BulkMember.action_id == key, BulkMember.outcome == waiting
    )
    rows = db.session.execute(chosen.order_by(BulkMember.subscriber_id).limit(act.batch)).all()
    if not rows:
        action.state = BulkState.UNDONE if undoing else BulkState.DONE
        action.finished_at = action.finished_at or now
        _log.info("Bulk action %d is over: %s", key, action.state.value)
        return False
    doing = Doing(db.session.get(Account, action.account_id), action.mailing_list, dict(action.asked), now)
    counts: Counter[str] = Counter()
    for subscriber_id, before in rows:
        person = db.session.get_one(Subscriber, subscriber_id)
        if undoing:
            taken = act.undo is not None and act.undo(person, before, doing)
            outcome, kept = (Outcome.UNDONE if taken else Outcome.KEPT), before
        else:
            outcome, kept = act.do(person, doing)
        counts[outcome.value] += 1
        # Past the session: whoever was forgotten has taken their row along.
        db.session.execute(
            update(BulkMember)
            .where(BulkMember.action_id == key, BulkMember.subscriber_id == subscriber_id)
            .values(outcome=outcome.value, before=kept)
        )
    action = db.session.get_one(BulkAction, key)
    if undoing:
        action.undo = _sum(action.undo, counts)
    else:
        action.counts = _sum(action.counts, counts)
    return True


def _sum(known: dict[str, Any], counts: Counter[str]) -> dict[str, int]:
    return dict(Counter(known) + counts)


def done_so_far(action: BulkAction) -> int:
    """How many people it was done to, or taken back from, with whatever outcome."""
    return sum((action.undo if action.state is BulkState.UNDOING else action.counts).values())


def forget_old(now: datetime) -> int:
    """Of what can no longer be taken back it is not kept whom it was about. Returns how many rows went."""
    over = select(BulkAction.id).where(BulkAction.finished_at <= now - UNDO_FOR)
    result: Any = db.session.execute(delete(BulkMember).where(BulkMember.action_id.in_(over)))
    return int(result.rowcount)
