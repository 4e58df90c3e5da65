"""One mailbox, or one pipe, holds what comes back and what people send in: each mail goes where it belongs."""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime

from ...db import transaction, why_unavailable
from ...domain.calls.handing_in import by_mail
from ...mail.inbound import LONGEST
from ...mail.letters import LARGEST, LetterRefused
from ...mail.reports import Arf, Dsn, Report, Unknown, read_report
from ...states import InboundState
from .feedback import KEPT_BYTES, TakenIn, broke_the_reader, set_aside, take_in

_log = logging.getLogger(__name__)


def take_in_mail(
    raw: bytes,
    source: str,
    received_at: datetime,
    now: datetime,
    *,
    whole: Callable[[int], bytes] | None = None,
    kept_elsewhere: bool = False,
) -> TakenIn:
    """Take in one mail: news for a list where it was written to an address for news, else as `take_in` does.

    `raw` is the mail or its first 512 KB; `whole` brings more of it. Opens its own transactions; raises only what a
    database that is away, or a source that `whole` cannot reach, raises.
    """
    slug = by_mail.addressed_to(raw)
    report = read_report(raw) if slug is not None else None
    if slug is None or report is None or _is_report(report):
        return take_in(raw[:LONGEST], source, received_at, now, kept_elsewhere=kept_elsewhere)
    letter = whole(LARGEST + 1) if whole is not None and len(raw) >= LONGEST else raw
    try:
        mail = by_mail.read(letter, slug, report)
        with transaction():
            taken = by_mail.take(mail, letter[:KEPT_BYTES], source, received_at, now)
    except LetterRefused as refused:
        return set_aside(hashlib.sha256(raw).digest(), source, received_at, raw, str(refused))
    except Exception as error:
        if why_unavailable(error):
            raise
        _log.exception("A letter from %s could not be handled", source)
        return set_aside(hashlib.sha256(raw).digest(), source, received_at, raw, broke_the_reader(error))
    settled = taken.state is not InboundState.QUARANTINED
    return TakenIn(by_mail.KIND, taken.state, taken.note, settled, known=taken.known)


def _is_report(report: Report) -> bool:
    """Whether a mail system sent it about a mail of ours: that is never news, wherever it went."""
    return isinstance(report, Dsn | Arf) or (isinstance(report, Unknown) and report.from_mail_system)
