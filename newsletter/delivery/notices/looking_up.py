"""Asking the DNS about the domains of those who have just signed up, several at once, with no transaction open."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from flask import current_app

from ...db import db, transaction
from ...domain.subscribers import mail_domains
from ...mail.local import LocalMailbox
from ...mail.names import Names, names_of_this_machine
from ...models import Organisation
from ...states import SendingMode

_log = logging.getLogger(__name__)
_AT_ONCE, _A_TURN = 8, 80


def look_up_due(now: datetime, names: Names | None = None) -> int:
    """Look up what is due and keep the answers; how many there were. `names` replaces this machine's resolver.

    An installation that writes to nobody outside asks nobody outside. A name server has five seconds for an answer.
    """
    if not _writes_to_everyone():
        return 0
    domains = mail_domains.to_look_up(now, _A_TURN)
    db.session.rollback()  # no transaction is open while the network is waited for
    if not domains:
        return 0
    asked = names or names_of_this_machine()
    with ThreadPoolExecutor(_AT_ONCE, "domains") as pool:
        said = list(zip(domains, pool.map(lambda one: mail_domains.ask(one, asked), domains), strict=True))
    with transaction():
        mail_domains.keep(said, now)
    _log.info(
        "Domains of sign-ups: %d asked about, %d take no mail, %d said nothing",
        len(said),
        sum(takes is False for _one, takes in said),
        sum(takes is None for _one, takes in said),
    )
    return len(said)


def _writes_to_everyone() -> bool:
    if isinstance(current_app.extensions["newsletter_relay"], LocalMailbox):
        return False
    organisation = db.session.get(Organisation, 1)
    return organisation is not None and organisation.sending_mode is SendingMode.EVERYONE
