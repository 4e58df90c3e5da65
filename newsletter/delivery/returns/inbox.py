"""Looking into the mailbox that reports come back to, and saying so when that cannot be done.

A source that cannot be read is noted in its row at each look; `newsletter.operations` tells of one that lasts.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from ... import clock
from ...config import Settings, current_settings
from ...db import conflict_aware_insert, transaction
from ...domain.staff import activity
from ...errors import MailboxError, SettingError
from ...mail.inbound import Source
from ...mail.inbound_sources import open_source
from ...mail.oauth import TokenSource
from ...mail.replies import one_line
from ...models import MailSource
from .routing import take_in_mail

_log = logging.getLogger(__name__)

_PROBLEM, _MENDED = "inbound.problem", "inbound.mended"


@dataclass
class Looked:
    """One look: at what, how many mails of each kind there were, and what was wrong ("" for nothing)."""

    source: str
    taken: Counter[str] = field(default_factory=Counter)
    problem: str = ""


def read_inbound(read_clock: Callable[[], datetime] = clock.now) -> Looked | None:
    """Take in what came to the mailbox of the settings; None where none is set. Opens its own transactions."""
    settings = current_settings()
    if settings.inbound_url is None:
        return None
    looked = Looked("NEWSLETTER_INBOUND_URL")
    try:
        source = _source(settings)
        looked.source = source.name
        for mail in source.messages():
            taken = take_in_mail(
                mail.raw, source.name, mail.received_at, read_clock(), whole=mail.whole, kept_elsewhere=True
            )
            looked.taken[taken.kind] += 1
            mail.done(taken.settled)
    except (MailboxError, SettingError) as error:
        looked.problem = one_line([str(error)], 1_000)
        _log.warning("Mail that comes back cannot be read: %s", looked.problem)
    _note(looked, read_clock())
    return looked


def _source(settings: Settings) -> Source:
    """The mailbox of the settings. Raises SettingError."""
    assert settings.inbound_url is not None
    return open_source(settings.inbound_url, ca_file=settings.relay_ca_file, tokens=_tokens(settings))


@lru_cache(maxsize=2)
def _tokens(settings: Settings) -> TokenSource | None:
    """One for the life of the process: it keeps its token until that expires."""
    return TokenSource.from_settings(settings)


def _note(looked: Looked, now: datetime) -> None:
    """Write down how the source is."""
    with transaction() as session:
        session.execute(
            conflict_aware_insert(MailSource).values(name=looked.source, problem="").on_conflict_do_nothing()
        )
        row = session.get_one(MailSource, looked.source, with_for_update=True)
        before, row.problem, row.looked_at = row.problem, looked.problem, now
        if not looked.problem:
            row.worked_at = now
            if before:
                _record(_MENDED, looked, now)
            return
        if not before:
            _record(_PROBLEM, looked, now, problem=looked.problem)


def _record(action: str, looked: Looked, now: datetime, problem: str = "") -> None:
    activity.record(action, actor=None, now=now, subject=("mail source", looked.source[:40]), problem=problem)
