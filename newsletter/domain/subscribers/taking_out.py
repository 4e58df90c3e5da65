"""Taking subscribers out of here as a file: who may, for which reason, and the record of it.

Nothing of the file is kept: its lines are read while they are handed over, so there is nothing to purge and nothing
that erasing would have to reach. What stays is a row that says who took whom out, when, why, and how many lines they
got; each line carries the row's reference, and the header who it was and why.
"""

import logging
import secrets
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, update

from ... import addresses
from ...db import db, transaction
from ...errors import Refused
from ...i18n import gettext as _
from ...i18n import ngettext
from ...models import Account, Audience, Issue, MailingList, Subscriber, SubscriberExport, Subscription
from .. import notices
from ..queries import administrators
from ..staff import activity, wording
from ..staff.permissions import Permission, may, require
from . import audiences, exporting, finding
from .bulk_actions import Selection

_log = logging.getLogger(__name__)
TOLD = "subscribers_exported"
LONGEST_REASON = 200
#: Without what can be taken for another of them (0 and O, 1 and I).
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
#: What makes Excel read UTF-8 as UTF-8. Our import knows it too.
_MARK_OF_UTF8 = "\ufeff"


@dataclass(frozen=True)
class Whom:
    """The subscriptions that are meant, and how the record calls them: in words that name nobody."""

    mailing_list: MailingList | None
    chosen: Select[int]
    words: str
    #: What the lines hold, where nobody chooses that.
    columns: tuple[str, ...] = ()
    issue: Issue | None = None

    def number(self) -> int:
        """How many lines that is now."""
        return db.session.scalar(select(func.count()).select_from(self.chosen.subquery())) or 0


def whole_list(mailing_list: MailingList | None) -> Whom:
    """Everybody who is or was on the list, or on any."""
    return Whom(mailing_list, exporting.on(mailing_list), _("Everybody"))


def selected(selection: Selection, now: datetime) -> Whom:
    """The people of a page: those ticked, with all that they are on there, or those that a search found."""
    standing = None if selection.picked is not None else selection.state
    chosen = (
        exporting.on(selection.mailing_list)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(*selection.conditions(now))
        .where(finding.stands(selection.mailing_list.id if selection.mailing_list else None, standing, now))
    )
    return Whom(selection.mailing_list, chosen, _words_of(selection))


def _words_of(selection: Selection) -> str:
    if selection.picked is not None:
        said = ngettext("%(num)d person who was ticked", "%(num)d people who were ticked", len(selection.picked))
        return said % {"num": len(selection.picked)}
    states = {
        finding.Standing.ACTIVE: _("Subscribed"),
        finding.Standing.PAUSED: _("Paused"),
        finding.Standing.LEFT: _("Left"),
    }
    state = states[selection.state] if selection.state else _("Everybody")
    return _("{state}, found by a search").format(state=state) if selection.query else state


def audience(saved: Audience) -> Whom:
    """Whoever is in a saved audience now."""
    chosen = audiences.members(saved.mailing_list, saved.conditions)
    return Whom(saved.mailing_list, chosen, _("Audience “{name}”").format(name=saved.name))


def may_export(actor: Account | None, mailing_list: MailingList | None) -> bool:
    """Whether somebody may take people of this list out; of every list where it is None."""
    return may(actor, Permission.EXPORT_SUBSCRIBERS, mailing_list)


def begin(
    whom: Whom, columns: Sequence[str], reason: str, *, actor: Account | None, door: str, now: datetime
) -> SubscriberExport:
    """Note who takes whom out and why, and tell the administrators. The lines come from `lines`.

    `actor` is None for whoever may type commands on this machine: who that is we cannot know. Raises NotAllowed,
    Invalid for what is missing, Refused where there is nobody.
    """
    if actor is not None:
        require(actor, Permission.EXPORT_SUBSCRIBERS, whom.mailing_list)
    kept = list(whom.columns) or [name for name in exporting.COLUMN_WORDS if name in columns]
    problems = wording.Problems()
    missing = _("Say what the file is for")
    why = problems.of(lambda: wording.line(reason, field="reason", longest=LONGEST_REASON, missing=missing), "")
    if not kept:
        problems.add("columns", _("Choose at least one column"))
    problems.raise_any()
    number = whom.number()
    if not number and actor is not None:
        raise Refused(_("There is nobody to export."))
    made = SubscriberExport(
        reference=_reference(), at=now, account_id=actor.id if actor else None, door=door, whom=whom.words[:200],
        list_id=whom.mailing_list.id if whom.mailing_list else None, columns=kept, number=number,
        reason=addresses.mask_within(why)[:LONGEST_REASON],
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    activity.record(
        "subscribers.exported", actor=actor, now=now, mailing_list=whom.mailing_list, issue=whom.issue,
        subject=("subscriber_export", made.id), reference=made.reference, number=number, whom=made.whom,
        reason=made.reason, columns=kept,
    )  # fmt: skip
    if actor is not None:
        _tell(made, whom, actor, now)
    _log.info("Export %s: %d subscriptions by %s", made.reference, number, f"account {actor.id}" if actor else door)
    return made


def _reference() -> str:
    return "".join(secrets.choice(_LETTERS) for _position in range(8))


def _tell(made: SubscriberExport, whom: Whom, actor: Account, now: datetime) -> None:
    """To every administrator, and to whoever did it: it may not have been them."""
    told = {one.id: one for one in [*db.session.scalars(administrators()), actor]}
    where = whom.mailing_list.name if whom.mailing_list else _("All newsletters")
    values = {
        "who": actor.name, "number": made.number, "whom": made.whom, "list": where, "reason": made.reason,
        "reference": made.reference,
    }  # fmt: skip
    for one in told.values():
        notices.send_notice(TOLD, one.email, now=now, values={**values, "name": one.name})


def file_name(made: SubscriberExport) -> str:
    """What the file is called: the list, the day, the reference."""
    of_list = made.mailing_list.slug if made.mailing_list else "all-lists"
    return f"subscribers-{of_list}-{made.at:%Y-%m-%d}-{made.reference}.csv"


def watermark(made: SubscriberExport, who: str) -> str:
    """The last cell of the header. Without an @, by which our import would take the line for one of people."""
    said = f"export {made.reference}, {made.at:%Y-%m-%d}, {who}: {made.reason}"
    return " ".join(said.replace("@", " at ").split())


def lines(
    whom: Whom,
    made: SubscriberExport,
    *,
    actor: Account | None,
    for_excel: bool = False,
    rows: Iterator[tuple[int, str]] | None = None,
) -> Generator[str]:
    """The file, in pieces of some thousand lines. Whatever ends it, how many were handed over is written down.

    Opens a transaction for that, so it is read to its end, or closed, outside of one. `for_excel` begins it with the
    mark by which Excel takes UTF-8 for UTF-8. `rows` are the lines of a file that is made elsewhere, piece by piece and
    how many they are; each carries the reference already.
    """
    # Said now: while the pieces are read, the session in which these rows were loaded may have ended.
    columns = list(made.columns)
    head = exporting.csv_line([*columns, watermark(made, actor.name if actor else _("by a command"))])
    if rows is None:
        whole = actor is None or may(actor, Permission.SEE_ADDRESSES, whom.mailing_list)
        rows = exporting.chunks(whom.chosen, columns, mark=made.reference, whole_addresses=whole)
    return _noted(made.id, (_MARK_OF_UTF8 if for_excel else "") + head, rows)


def _noted(key: int, head: str, rows: Iterator[tuple[int, str]]) -> Generator[str]:
    handed, complete = 0, False
    try:
        yield head
        for number, some in rows:
            # What is on its way counts: whoever broke off may have it.
            handed += number
            yield some
        complete = True
    finally:
        db.session.rollback()
        with transaction() as session:
            row = update(SubscriberExport).where(SubscriberExport.id == key)
            session.execute(row.values(handed=handed, complete=complete))
