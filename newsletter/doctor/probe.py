"""A probe: one mail of the shape of an issue, to an address of our own, by the way that issues go.

It is made by the same builder, with the headers of the list, and handed to the same relay. It goes to nobody who
subscribes, and in an installation that sends to its team only, to nobody else. Its links lead nowhere: they are of
a subscription that does not exist.
"""

import secrets
import uuid
from datetime import datetime

from sqlalchemy import select

from .. import addresses
from ..config import Settings
from ..db import db
from ..domain.issues.renditions import list_headers
from ..domain.queries import the_organisation
from ..domain.staff.accounts import find_account
from ..domain.subscribers.suppressing import is_suppressed
from ..errors import NotFound, Refused, RelayError, RelayUnsure
from ..mail.local import LocalMailbox
from ..mail.message import Mailbox, Recipient, compile_message
from ..mail.plain_twin import verify
from ..mail.relay import Envelope, Relay, send_one
from ..models import MailingList, Subscriber
from ..states import SendingMode
from ..tokens import Purpose, Signer, envelope_tag, unsubscribe_token
from .findings import Area, Notes
from .kept import KeptProbe, keep

_WORDS = (
    "This is a probe of the newsletter's mail. It went the way that an issue goes, to nobody but you.",
    "Its characters: é ŵ ŷ – “quoted” … £5, اردو. If you can read them, no mail server on the way spoilt them.",
    ".A line that begins with a dot, and one that begins with the word From:",
    "From here to there nothing may change.",
    "A line that is longer than mail may be, were it not broken for the journey and mended on arrival: "
    + "the newsletter of the partnership goes out four times a year, " * 20,
)


def send_probe(
    typed: str, *, slug: str | None, relay: Relay, settings: Settings, signer: Signer, now: datetime
) -> Notes:
    """Send a probe from a list (the first, unless `slug` names one) and say what to do next.

    Raises Invalid for what is no address, NotFound where there is no such list, Refused where nothing may go there.
    Reads the database; waits for the network, so not for inside a transaction.
    """
    address = addresses.clean(typed)
    mailing_list = _list(slug)
    _require_permission(address, relay)
    envelope = _envelope(address, mailing_list, settings, signer, now)
    sender_name = mailing_list.sender_name
    # No transaction stays open while the network is waited for.
    db.session.rollback()
    return _hand_over(envelope, sender_name, relay, settings, now)


def _list(slug: str | None) -> MailingList:
    chosen = select(MailingList).order_by(MailingList.id).limit(1)
    found = db.session.scalar(chosen if slug is None else chosen.where(MailingList.slug == slug.lower()))
    if found is None:
        raise NotFound("There is no list yet: make one first." if slug is None else f"There is no list “{slug[:80]}”.")
    return found


def _require_permission(address: str, relay: Relay) -> None:
    if isinstance(relay, LocalMailbox):
        return  # nothing leaves this installation
    account = find_account(address)
    if account is not None and account.active:
        return
    organisation = db.session.scalar(the_organisation())
    mode = organisation.sending_mode if organisation else SendingMode.TEAM
    if mode is not SendingMode.EVERYONE:
        raise Refused("This installation sends to its team only. Probe an address of somebody on the staff page.")
    known = db.session.scalar(select(Subscriber.id).where(Subscriber.address_key == addresses.key(address)))
    if known is not None or is_suppressed(address):
        raise Refused("A probe goes to an address of your own, and this one is a subscriber's, or must not be mailed.")


def _envelope(address: str, mailing_list: MailingList, settings: Settings, signer: Signer, now: datetime) -> Envelope:
    nobody = uuid.uuid4()
    code = secrets.token_hex(4)
    headers = list_headers(mailing_list, slug="probe", language=mailing_list.language)
    del headers["From"], headers["Content-Language"], headers["Reply-To"]
    html, text = _bodies(mailing_list.language, code)
    compiled = compile_message(
        html=html,
        text=text,
        subject=f"Probe {code} of the newsletter “{mailing_list.name}”",
        sender=Mailbox(mailing_list.sender_name, mailing_list.sender_address),
        reply_to=Mailbox(mailing_list.name, mailing_list.contact_address),
        headers=headers,
        language=mailing_list.language,
        date=now.replace(microsecond=0),
    )
    verify(compiled)
    recipient = Recipient(
        address=address,
        name="",
        message_id=f"probe.{code}.{nobody.hex}@{mailing_list.sender_address.rpartition('@')[2]}",
        unsubscribe_url=f"{settings.public_url}/u/{unsubscribe_token(settings.secret_keys, nobody)}",
        preferences_url=f"{settings.public_url}/preferences/{signer.sign_id(Purpose.PREFERENCES, nobody)}",
    )
    domain = settings.bounce_domain
    sender = f"{envelope_tag(settings.secret_keys, nobody)}@{domain}" if domain else mailing_list.sender_address
    return Envelope(sender, address, compiled.fill(recipient))


def _bodies(language: str, code: str) -> tuple[str, str]:
    title = f"Probe {code}"
    rows = "".join(f'<p style="margin:0 0 16px">{words}</p>' for words in _WORDS)
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>'
        f'<body style="font-family:sans-serif"><h1>{title}</h1>{rows}'
        '<p><a href="{preferences_url}">Preferences</a> <a href="{unsubscribe_url}">Unsubscribe</a></p></body></html>'
    )
    text = "\n\n".join([title, *_WORDS, "Preferences: {preferences_url}", "Unsubscribe: {unsubscribe_url}"])
    return html, f"{text}\n"


def _hand_over(envelope: Envelope, name: str, relay: Relay, settings: Settings, now: datetime) -> Notes:
    notes = Notes(Area.PROBE)
    try:
        receipt = send_one(relay, envelope)
    except RelayUnsure as error:
        notes.unknown(f"{str(error).rstrip('.')}.", "Look whether the probe arrives.")
    except RelayError as error:
        notes.wrong(f"The probe was not taken: {error}")
        return notes
    else:
        notes.good(f"{relay.name} accepted the probe to {envelope.recipient}. It said: {receipt.reply}")
    try:
        keep(settings.data_dir, KeptProbe(bytes(envelope.message), envelope.sender, envelope.recipient, now))
    except OSError as error:
        notes.warning(f"What was sent could not be kept for the comparison ({error.strerror}).")
    if isinstance(relay, LocalMailbox):
        notes.warning("It is in the built-in mailbox: no mail server is set, so nothing was tried out.")
        return notes
    notes.good(
        f"Open the mail from “{name}” where it arrives (look in the junk folder too), save its source, and let it be "
        "read.",
        "newsletter doctor --received FILE",
    )
    return notes
