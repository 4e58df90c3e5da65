"""What the settings and the first set-up say: the public address, who gets mail, the keys, the senders."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from sqlalchemy import select

from ..config import Settings
from ..db import db
from ..domain.queries import the_organisation
from ..models import MailingList
from ..states import SendingMode
from .findings import Area, Notes
from .secret_files import examine_secret_files

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def examine_settings(settings: Settings, environment: Mapping[str, str]) -> Notes:
    """What can be said without the database; `environment` is where the settings came from."""
    notes = Notes(Area.SETTINGS)
    _public_address(settings, notes)
    _keys(settings, notes)
    examine_secret_files(environment, notes)
    if settings.bounce_domain and not settings.inbound_url:
        notes.warning(
            f"Bounces come back to {settings.bounce_domain}, but no inbound mailbox is set: nobody reads them.",
            "Set NEWSLETTER_INBOUND_URL, or pipe that domain's mail into “newsletter inbound read -”.",
        )
    elif settings.contribute_domain and not settings.inbound_url:
        notes.warning(
            f"News may be sent to {settings.contribute_domain}, but no inbound mailbox is set: nobody reads it.",
            "Set NEWSLETTER_INBOUND_URL, or pipe that domain's mail into “newsletter inbound read -”.",
        )
    elif settings.relay_url and not settings.bounce_domain:
        notes.warning(
            "No bounce domain is set: bounces go to the sender's own mailbox, for a person to read.",
            "Set NEWSLETTER_BOUNCE_DOMAIN to a domain whose mail comes back to this installation.",
        )
    return notes


def _public_address(settings: Settings, notes: Notes) -> None:
    host = urlsplit(settings.public_url).hostname
    if host in LOOPBACK:
        notes.warning(
            f"The public address is {settings.public_url}: the links in a mail lead to the reader's own computer.",
            "Set NEWSLETTER_PUBLIC_URL to the address that people reach this installation at.",
        )
    elif not settings.https:
        notes.warning(
            f"The public address {settings.public_url} is without https: people's addresses travel in the clear, and "
            "mail programs offer no one-click unsubscribe.",
            "Use https (RFC 8058 asks for it) as soon as anybody outside reads the newsletter.",
        )
    else:
        notes.good(f"People reach this installation at {settings.public_url}.")
    if settings.https and not settings.trusted_proxies:
        notes.warning(
            "No proxy is trusted, yet something in front must be ending https: all visitors look like one network, "
            "so a busy day meets the limits of the public forms.",
            "Set NEWSLETTER_TRUSTED_PROXIES to how many proxies stand in front (usually 1).",
        )


def _keys(settings: Settings, notes: Notes) -> None:
    count = len(settings.secret_keys)
    if count == 1:
        notes.good("One secret key signs links and cookies.", "Back it up: without it the links in past mails die.")
    else:
        notes.good(f"{count} secret keys are known; the newest signs, all of them open links.")


def examine_set_up() -> Notes:
    """What the first set-up left in the database: who publishes, who gets mail, which lists. Reads it."""
    notes = Notes(Area.SETTINGS)
    organisation = db.session.scalar(the_organisation())
    if organisation is None:
        notes.warning(
            "Nobody has set this installation up yet.", "Open it in a browser, or use newsletter installation set."
        )
    else:
        _sending_mode(organisation.sending_mode, notes)
    if not sender_addresses():
        notes.warning("There is no list yet, so nothing can be sent.", "Make one: newsletter lists create.")
    return notes


def _sending_mode(mode: SendingMode, notes: Notes) -> None:
    if mode is SendingMode.EVERYONE:
        notes.good("Everyone who subscribed gets mail from here.")
        return
    whom = "only the team gets mail" if mode is SendingMode.TEAM else "nobody gets mail"
    notes.warning(
        f"The installation is set so that {whom} from here.",
        "When it is ready for readers: Settings → Who gets mail → Everyone who subscribed.",
    )


def sender_addresses() -> list[str]:
    """The addresses that the lists send from, each once. Reads the database."""
    chosen = select(MailingList.sender_address).order_by(MailingList.id)
    return list(dict.fromkeys(db.session.scalars(chosen)))
