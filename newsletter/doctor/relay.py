"""The mail server: reached, secured, signed in to, and what it offers. Nothing is sent."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ..errors import RelayError
from ..mail.relay import Relay
from ..mail.smtp import SmtpRelay
from ..mail.smtp_auth import TokenLogin
from ..mail.smtp_opening import Extensions, Security, open_wire
from ..mail.smtp_wire import WireLost
from .findings import Area, Notes
from .settings import LOOPBACK

_SECONDS = 30.0
_LEAVE_SECONDS = 5.0
#: A certificate that ends sooner than this is not being renewed by itself.
FEW_DAYS = 14


@dataclass(frozen=True, slots=True)
class _Opening:
    """What was seen while the connection was opened. `tls` and `ends` are None without TLS."""

    extensions: Extensions
    tls: str | None
    ends: datetime | None


def examine_relay(relay: Relay, now: datetime, *, largest: int | None = None, seconds: float = _SECONDS) -> Notes:
    """Connect to the mail server and take leave. `largest` is the size of the newest issue's mail in bytes.

    `seconds` bounds the whole. Blocks; not for use inside a running event loop.
    """
    notes = Notes(Area.RELAY)
    if not isinstance(relay, SmtpRelay):
        notes.warning(
            "No mail server is set: what is sent stays in the built-in mailbox, and no reader gets it.",
            "Set NEWSLETTER_RELAY_URL when the newsletter is to reach its readers.",
        )
        return notes
    try:
        opening = asyncio.run(_look(relay, seconds))
    except RelayError as error:
        notes.wrong(f"{str(error).rstrip('.')}.", "Compare NEWSLETTER_RELAY_URL with what its operator told you.")
        return notes
    except TimeoutError:
        notes.wrong(
            f"The mail server {relay.name} took longer than {seconds:g} seconds to let us in.",
            "Ask its operator whether it holds back machines that it does not know.",
        )
        return notes
    notes.good(f"The mail server {relay.name} answers.")
    _protection(notes, relay, opening, now)
    _signing_in(notes, relay)
    _offers(notes, opening.extensions, largest)
    return notes


async def _look(relay: SmtpRelay, seconds: float) -> _Opening:
    async with asyncio.timeout(seconds):
        wire, extensions = await open_wire(relay.target)
    certificate = wire.transport.get_extra_info("peercert") or {}
    secured = wire.transport.get_extra_info("ssl_object")
    ends = certificate.get("notAfter")
    opening = _Opening(
        extensions,
        secured.version() if secured is not None else None,
        datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None,
    )
    with suppress(WireLost):
        wire.write(b"QUIT\r\n")
        await wire.reply(_LEAVE_SECONDS)
    await wire.closed(_LEAVE_SECONDS)
    return opening


def _protection(notes: Notes, relay: SmtpRelay, opening: _Opening, now: datetime) -> None:
    if opening.tls is None:
        if relay.target.security is Security.NONE and relay.target.host in LOOPBACK:
            notes.good("It is on this machine, so the connection needs no TLS.")
        else:
            notes.warning(
                "The connection to it is not encrypted: every reader's address travels in the clear.",
                "Use smtp+starttls:// or smtps:// in NEWSLETTER_RELAY_URL.",
            )
        return
    notes.good(f"The connection is encrypted ({opening.tls}) and the certificate is verified.")
    if opening.ends is not None:
        say_how_long(notes, f"The certificate of {relay.target.host}", opening.ends, now)


def say_how_long(notes: Notes, whose: str, ends: datetime, now: datetime) -> None:
    """How many days a verified certificate has left; a warning when it is few."""
    days = (ends - now).days
    if days < FEW_DAYS:
        left = "one day" if days == 1 else f"{max(days, 0)} days"
        notes.warning(f"{whose} ends in {left}: then nothing gets through.", "See that it is renewed.")
    else:
        notes.good(f"{whose} is good for another {days} days.")


def _signing_in(notes: Notes, relay: SmtpRelay) -> None:
    if isinstance(relay.target.login, TokenLogin):
        notes.good("It lets us in with an access token (XOAUTH2).")
    elif relay.target.login is not None:
        notes.good("It lets us in with the user name and password of NEWSLETTER_RELAY_URL.")
    else:
        notes.good("We do not sign in: it knows us by our address. Whether it takes mail from us, a probe shows.")


def _offers(notes: Notes, extensions: Extensions, largest: int | None) -> None:
    if "PIPELINING" in extensions:
        notes.good("It takes several commands at once (PIPELINING): distance costs little.")
    else:
        notes.good("It takes one command at a time (no PIPELINING): from far away, sending is slower.")
    limit = extensions.get("SIZE", "")
    if limit.isdecimal() and int(limit):
        _size(notes, int(limit), largest)
    else:
        notes.good("It names no limit for the size of a mail.")
    if "DSN" in extensions:
        notes.good("It takes our wish to be told of failures only (DSN).")
    else:
        notes.good("It does not offer DSN: it reports failures as it sees fit.")
    if "8BITMIME" not in extensions:
        notes.good("It does not offer 8BITMIME; our mails do not need it.")


def _size(notes: Notes, limit: int, largest: int | None) -> None:
    if largest is None:
        notes.good(f"It takes mails of up to {limit // 1000} KB. There is no issue to compare that with yet.")
    elif largest > limit:
        notes.wrong(
            f"It takes mails of up to {limit // 1000} KB, and the newest issue has {largest // 1000} KB.",
            "Shorten the issue, or ask the mail server's operator for more.",
        )
    else:
        notes.good(f"It takes mails of up to {limit // 1000} KB; the newest issue has {largest // 1000} KB.")
