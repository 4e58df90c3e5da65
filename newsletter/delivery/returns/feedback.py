"""Taking in what comes back: each mail once, understood, acted on, or set aside for a person. Nothing is answered.

A mail is read with no transaction open; what it says is done and noted in one. The digest of its bytes makes the same
mail one event, the table of feedback makes two mails about one message one. A mail that breaks the reader is set
aside, never read again and again. A delivery keeps its state: the mail server did accept it, and feedback stands
beside that.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ... import addresses
from ...db import conflict_aware_insert, db, transaction, why_unavailable
from ...domain.calls.handing_in import by_mail
from ...domain.subscribers import suppressing
from ...errors import Conflict
from ...i18n import gettext as _
from ...mail.bounce_rules import kind_of
from ...mail.replies import one_line
from ...mail.report_fields import ReportedRecipient
from ...mail.reports import KINDS, Arf, Automatic, Dsn, Report, Unknown, read_report
from ...models import InboundMessage, Notice, Subscriber
from ...states import FeedbackKind, InboundState, SuppressionReason
from .attribution import About, AboutNotice, Nobody, whose
from .consequences import Said, note_feedback, note_unsure_taken

_log = logging.getLogger(__name__)

#: Bytes that are kept of a mail that a person may have to look at.
KEPT_BYTES = 131_072
_FORGED = "forged"
#: What a reader says by it is that they want no mail (RFC 5965 §7.3 and its registry).
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
#: Notices to somebody who is not on the staff: they may be called spam like an issue.
_TO_VISITORS = frozenset({"confirm_subscription", "confirm_reminder", "already_subscribed", "fresh_link"})
_WORDS = {
    FeedbackKind.HARD: _("There is no such mailbox. The address gets no more mail."),
    FeedbackKind.SOFT: _("The mailbox could not take it this time. Three issues in a row, and it gets no more mail."),
    FeedbackKind.POLICY: _("It was turned away for what we are or what we wrote. The address is not touched."),
}
_GRAVEST = (FeedbackKind.HARD, FeedbackKind.POLICY, FeedbackKind.SOFT)


@dataclass(frozen=True)
class TakenIn:
    """What a mail was, and what became of it. `known`: the very same was taken in before.

    `kind` is "dsn", "arf", "automatic", "unknown" or "forged"; `note` says in words what was done. `settled`: it came
    of a message of ours, or only looked so, and no person has to see it. All else may be somebody's letter, or the
    bounce of a letter that somebody wrote from the same mailbox: it is left to them.
    """

    kind: str
    state: InboundState
    note: str
    settled: bool
    known: bool = False


def take_in(raw: bytes, source: str, received_at: datetime, now: datetime, *, kept_elsewhere: bool = False) -> TakenIn:
    """Read one mail and do what it says. Opens its own transactions; raises only what a database that is away raises.

    `source` names where it came from, `received_at` says when our server had it. `kept_elsewhere`: it stays in a
    mailbox that people read, so a letter is nothing of ours to keep.
    """
    digest = hashlib.sha256(raw).digest()
    report = read_report(raw)
    try:
        with transaction():
            row = _new_row(digest, source, received_at)
            if row is None:
                return _known(digest)
            return _handle(row, report, raw, now, kept_elsewhere=kept_elsewhere)
    except Exception as error:
        if why_unavailable(error):
            raise
        _log.exception("A mail from %s could not be handled", source)
        return set_aside(digest, source, received_at, raw, broke_the_reader(error))


def look_again(row: InboundMessage, now: datetime) -> TakenIn:
    """Read a mail that was set aside once more, after the reader learned something. Opens its own transaction.

    Raises Conflict for one that was not set aside, or whose text is no longer kept.
    """
    number, raw = row.id, row.raw
    if row.state is not InboundState.QUARANTINED or raw is None:
        raise Conflict(_("This mail is settled, or its text is no longer kept."))
    if row.kind == by_mail.KIND:
        # What was against it was no lack of understanding.
        raise Conflict(_("This is a letter. If it is somebody’s news, enter it for them under Contributions."))
    report = read_report(raw)
    with transaction() as session:
        return _handle(session.get_one(InboundMessage, number), report, raw, now, kept_elsewhere=False)


def _new_row(digest: bytes, source: str, received_at: datetime) -> InboundMessage | None:
    """The row of a mail that was not seen before; None if it was, also a moment ago by another process."""
    number = db.session.scalar(
        conflict_aware_insert(InboundMessage)
        .values(
            digest=digest,
            source=one_line([source], 255),
            received_at=received_at,
            state=InboundState.RECEIVED,
            kind="",
            subject="",
            note="",
        )
        .on_conflict_do_nothing()
        .returning(InboundMessage.id)
    )
    return db.session.get(InboundMessage, number) if number is not None else None


def _known(digest: bytes) -> TakenIn:
    row = db.session.scalars(select(InboundMessage).where(InboundMessage.digest == digest)).one()
    return TakenIn(row.kind, row.state, row.note, row.state is InboundState.HANDLED or row.kind == _FORGED, known=True)


def set_aside(digest: bytes, source: str, received_at: datetime, raw: bytes, note: str) -> TakenIn:
    """Keep a mail that cannot be handled, for a person to look at. Opens its own transaction."""
    with transaction():
        row = _new_row(digest, source, received_at)
        if row is None:
            return _known(digest)
        row.kind, row.raw = KINDS[Unknown], raw[:KEPT_BYTES]
        return _settle(row, InboundState.QUARANTINED, note)


def broke_the_reader(error: Exception) -> str:
    """The note of a mail that a defect of ours kept from being read."""
    return _("It broke the reader (%(why)s).") % {"why": type(error).__name__}


def _handle(row: InboundMessage, report: Report, raw: bytes, now: datetime, *, kept_elsewhere: bool) -> TakenIn:
    row.kind, row.subject = KINDS[type(report)], report.subject[:200]
    match report:
        case Dsn():
            return _bounce(row, report, now)
        case Arf():
            return _complaint(row, report, now)
        case Automatic():
            note = _("Sent by a machine (%(why)s). It is not answered.") % {"why": report.why}
            ours = not isinstance(whose(report.traces, row.received_at), Nobody)
            return _settle(row, InboundState.IGNORED, note, settled=ours)
        case Unknown(from_mail_system=False) if kept_elsewhere:
            note = _("A letter, not a report: it stays where it is.")
            return _settle(row, InboundState.IGNORED, note, settled=False)
    row.raw = raw[:KEPT_BYTES]
    why = report.why if isinstance(report, Unknown) else ""
    return _settle(row, InboundState.QUARANTINED, why or _("Nobody could tell what it is: please look."))


def _settle(row: InboundMessage, state: InboundState, note: str, *, settled: bool = True) -> TakenIn:
    row.state, row.note = state, note
    if state is not InboundState.QUARANTINED:
        row.raw = None
    db.session.flush()
    return TakenIn(row.kind, state, note, settled and state is not InboundState.QUARANTINED)


def _bounce(row: InboundMessage, report: Dsn, now: datetime) -> TakenIn:
    about = whose(report.traces, row.received_at)
    match about:
        case Nobody():
            return _of_nobody(row, about)
        case AboutNotice():
            return _of_notice(row, about.notice, report)
        case About():
            return _of_reader(row, about, report, now)


def _of_reader(row: InboundMessage, about: About, report: Dsn, now: datetime) -> TakenIn:
    taken = note_unsure_taken(about.delivery, now)
    extra = " " + _("We were unsure of this message: the mail server had it.") if taken else ""
    failed = [(kind, one) for one in report.recipients if (kind := kind_of(one.action, one.status, one.diagnostic))]
    if not failed:
        note = _("Not a failure: %(action)s.") % {"action": report.recipients[0].action}
        return _settle(row, InboundState.HANDLED if taken else InboundState.IGNORED, note + extra)
    own = [(kind, one) for kind, one in failed if _is_theirs(one, about.subscription.subscriber)]
    if not own:
        # Who is forwarded to, or one member of a group: the address that we write to did take it.
        note = _("Another mailbox failed, to which the reader’s mail is passed on. Nothing is done.")
        return _settle(row, InboundState.HANDLED, note + extra)
    kind, one = min(own, key=lambda pair: _GRAVEST.index(pair[0]))
    said = Said(one.status, one.diagnostic, one.remote_mta or report.reporter)
    new = note_feedback(kind, about, said, row, now)
    note = _WORDS[kind] if new else _("The same was known of this reader and issue.")
    return _settle(row, InboundState.HANDLED, note + extra)


def _is_theirs(one: ReportedRecipient, reader: Subscriber | None) -> bool:
    """Whether the mailbox that failed is the one we write to, as far as the report says; a local name is enough."""
    named = [name for name in (one.final_recipient, one.original_recipient) if "@" in name]
    if reader is None or not named:
        return True
    theirs, failed = addresses.key(reader.address), addresses.key(named[0])
    return failed == theirs or failed.rpartition("@")[0] == theirs.rpartition("@")[0]


def _complaint(row: InboundMessage, report: Arf, now: datetime) -> TakenIn:
    about = whose(report.traces, row.received_at)
    if isinstance(about, Nobody):
        return _of_nobody(row, about)
    if report.feedback_type not in _COMPLAINTS:
        note = _("Not a complaint: %(kind)s. Nothing is done.") % {"kind": report.feedback_type}
        return _settle(row, InboundState.IGNORED, note)
    if isinstance(about, AboutNotice):
        notice = about.notice
        if notice.template in _TO_VISITORS and notice.address:
            suppressing.suppress(notice.address, SuppressionReason.COMPLAINT, now=now)
        return _settle(row, InboundState.HANDLED, _("Its reader called a notice of ours spam."))
    note_unsure_taken(about.delivery, now)
    new = note_feedback(FeedbackKind.COMPLAINT, about, Said(reporter=report.reporter), row, now)
    note = _("Its reader called it spam. They have left, and get no more mail.")
    return _settle(row, InboundState.HANDLED, note if new else _("The same was known of this reader and issue."))


def _of_nobody(row: InboundMessage, nobody: Nobody) -> TakenIn:
    if nobody.forged:
        row.kind = _FORGED
        _log.warning("A report from %s is forged, or not about us: %s", row.source, nobody.why)
    return _settle(row, InboundState.IGNORED, nobody.why, settled=nobody.forged)


def _of_notice(row: InboundMessage, notice: Notice, report: Dsn) -> TakenIn:
    """Staff who look at the notice see why nobody answered it. The address is not touched: it may be a typing error."""
    failed = next((one for one in report.recipients if kind_of(one.action, one.status, one.diagnostic)), None)
    if failed is None:
        return _settle(
            row, InboundState.IGNORED, _("Not a failure: %(action)s.") % {"action": report.recipients[0].action}
        )
    if notice.address:
        notice.reply = one_line([_("It came back:"), failed.diagnostic or failed.status], 500)
    return _settle(row, InboundState.HANDLED, _("A notice came back: the page Notices says which."))
