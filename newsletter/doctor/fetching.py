"""Fetching the last probe from the inbound mailbox, where it was sent to an address of that mailbox."""

from collections.abc import Callable

from ..config import Settings
from ..errors import Refused
from ..mail.inbound_sources import open_source
from ..mail.oauth import TokenSource
from .kept import KeptProbe

_LOOK_EVERY_SECONDS = 5.0


def fetch_probe(settings: Settings, probe: KeptProbe | None, *, tries: int, wait: Callable[[float], object]) -> bytes:
    """The source of the probe as it arrived. Looks up to `tries` times, and calls `wait` with seconds in between.

    The mail stays where it is. Raises Refused where there is no probe, no mailbox or no such mail in it, SettingError,
    and MailboxError where the mailbox cannot be read.
    """
    if settings.inbound_url is None:
        raise Refused("No inbound mailbox is set (NEWSLETTER_INBOUND_URL): give the mail's source with --received.")
    if probe is None:
        raise Refused("No probe was sent from here: newsletter doctor --probe ADDRESS sends one.")
    source = open_source(
        settings.inbound_url, ca_file=settings.relay_ca_file, tokens=TokenSource.from_settings(settings)
    )
    for left in reversed(range(tries)):
        found = source.newest_with(probe.code)
        if found is not None:
            return found
        if left:
            wait(_LOOK_EVERY_SECONDS)
    raise Refused(f"The probe to {probe.recipient} is not in the inbound mailbox. Look in its junk folder, or wait.")
