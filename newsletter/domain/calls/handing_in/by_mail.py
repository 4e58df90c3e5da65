"""News by email: a letter to contribute+<list>@… becomes a contribution, and its sender is told what became of it.

It counts from when our own server had it. Anybody can write any name into From: a letter is its contributor's own
where our server vouches for that, else its sender is asked to prove the address, like somebody unknown. No machine
is ever answered (RFC 3834 §2), and nobody more often than a few times a day.
"""

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from .... import addresses
from ....config import current_settings
from ....db import conflict_aware_insert, db, take_turn
from ....i18n import gettext as _
from ....mail.letters import LARGEST, Letter, read_letter, recipients
from ....mail.replies import one_line
from ....mail.reports import Automatic, Report
from ....mail.vouched import vouched_for
from ....models import Contribution, ContributionRevision, Contributor, InboundMessage, Issue, MailingList
from ....states import ContributionSource, InboundState, SuppressionReason
from ... import notices
from ...subscribers import suppressing
from ..partners import senders
from ..partners.senders import Sender
from ..texts.items import Piece
from . import contributing, mail_calls
from .contributing import Way
from .mail_words import MailWords, words_of_letter

_log = logging.getLogger(__name__)

KIND = "contribution"
NOT_TAKEN = "contribution_not_taken"
MOST_A_DAY = 20
#: Letters a day after which strangers are not answered any more: From is easily forged, and our answers would go there.
MOST_FROM_STRANGERS = 500
_MOST_ANSWERS_A_DAY = 5
_DAY = timedelta(hours=24)
_UNWELCOME = frozenset({SuppressionReason.NOT_ME, SuppressionReason.COMPLAINT})
#: Of what a subject may say of a machine, only what no person would call their news ("Absence", "On leave").
_AWAY = re.compile(
    r"\s*(auto(matic)?[ -]?(reply|response)|out of (the )?office|automatische antwort|r[ée]ponse automatique)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Mail:
    """A letter that was read: to the list called `slug` ("" where it names none). `machine` says why it is none."""

    slug: str
    letter: Letter
    words: MailWords
    vouched: bool | None
    machine: str = ""
    too_large: bool = False


@dataclass(frozen=True)
class Taken:
    """What became of it: the state and note of its row. `known`: the same letter was taken before."""

    state: InboundState
    note: str
    known: bool = False


def address_for(mailing_list: MailingList) -> str | None:
    """Where news for the list is sent by email; None where no domain is set."""
    domain = current_settings().contribute_domain
    return f"contribute+{mailing_list.slug}@{domain}" if domain else None


def addressed_to(raw: bytes) -> str | None:
    """The list that a mail names in one of our addresses for news, "" for none in it; None for any other mail."""
    domain = current_settings().contribute_domain
    for address in recipients(raw) if domain else []:
        local, _at, at = address.rpartition("@")
        if at == domain and local.partition("+")[0] == "contribute":
            return local.partition("+")[2]
    return None


def read(raw: bytes, slug: str, report: Report) -> Mail:
    """Take a letter apart, with the Word files in it: not for inside a transaction. Raises LetterRefused."""
    letter = read_letter(raw)
    too_large = len(raw) > LARGEST
    machine = _machine(letter, report)
    readable = not machine and not too_large
    return Mail(
        slug=slug,
        letter=letter,
        words=words_of_letter(letter) if readable else MailWords(letter.subject),
        vouched=vouched_for(letter.headers, letter.sender, current_settings().authentication_host or ""),
        machine=machine,
        too_large=too_large,
    )


def take(mail: Mail, raw: bytes, source: str, received_at: datetime, now: datetime) -> Taken:
    """Keep what the letter says, and tell its sender. The same letter twice is one, by whatever ways it came.

    `received_at` is when our own server had it. `raw` is kept of a letter that a person has to look at.
    """
    row = _new_row(mail.letter.digest, source, received_at)
    if row is None:
        before = db.session.scalars(select(InboundMessage).where(InboundMessage.digest == mail.letter.digest)).one()
        return Taken(before.state, before.note, known=True)
    row.kind, row.subject = KIND, mail.letter.subject[:200]
    db.session.flush()
    row.state, row.note = _handle(mail, row, received_at, now)
    if row.state is InboundState.QUARANTINED:
        row.raw = raw
    db.session.flush()
    _log.info("A letter for “%s” from %s: %s", mail.slug, source, row.state.value)
    return Taken(row.state, row.note)


def _handle(mail: Mail, row: InboundMessage, received_at: datetime, now: datetime) -> tuple[InboundState, str]:
    letter = mail.letter
    if mail.machine:
        return InboundState.IGNORED, _("Sent by a machine (%(why)s). It is not answered.") % {"why": mail.machine}
    if not letter.sender:
        return InboundState.QUARANTINED, _("It does not say who sent it, or names several. It is not answered.")
    if mail.vouched is False:
        return InboundState.QUARANTINED, _("Our mail server says that its sender is forged. It is not answered.")
    take_turn(f"contribution:{addresses.key(letter.sender)}")
    mailing_list = mail_calls.find_list(mail.slug)
    known = _contributor(letter.sender)
    contributor = known if mail.vouched else None
    if contributor is None and _number_today(now) > MOST_FROM_STRANGERS:
        return InboundState.QUARANTINED, _("Very many letters came today. It is not answered: a person may look.")
    issue = mail_calls.issue_for(mailing_list, received_at, contributor) if mailing_list else None
    if why := _why_not(mail, mailing_list, issue, now):
        _tell_not_taken(mail, why, mailing_list, now)
        return InboundState.IGNORED, " ".join([_("Not taken."), *why])
    assert issue is not None
    contribution = _keep(mail, row, issue, contributor, received_at, now)
    words = _("News for %(issue)s, %(reference)s.") % {"issue": issue.title, "reference": contribution.reference}
    return InboundState.HANDLED, " ".join([words, *mail.words.notes])


def _number_today(now: datetime) -> int:
    """How many letters came in the last 24 hours, this one included."""
    chosen = select(func.count()).where(InboundMessage.kind == KIND, InboundMessage.received_at > now - _DAY)
    return db.session.scalar(chosen) or 0


def _why_not(mail: Mail, mailing_list: MailingList | None, issue: Issue | None, now: datetime) -> list[str]:
    """Why nothing can be kept of it, in sentences for its sender."""
    if mail.too_large:
        return [_("Your email has more than 10 MB. Send the words or a Word file, without large pictures.")]
    if mailing_list is None:
        return [_("There is no newsletter at the address that you wrote to."), *mail_calls.right_addresses(address_for)]
    if not mail.words.xhtml:
        return list(_notes(mail))
    if issue is None:
        return [_("No call for news is open for %(name)s at the moment.") % {"name": mailing_list.name}]
    recent = select(func.count()).where(
        Contribution.source == ContributionSource.MAIL,
        func.lower(Contribution.contact_address) == addresses.key(mail.letter.sender),
        Contribution.created_at > now - _DAY,
    )
    if (db.session.scalar(recent) or 0) >= MOST_A_DAY:
        return [_("You have sent %(most)s emails in a day, which is the most we take.") % {"most": MOST_A_DAY}]
    return []


def _keep(
    mail: Mail,
    row: InboundMessage,
    issue: Issue,
    contributor: Contributor | None,
    received_at: datetime,
    now: datetime,
) -> Contribution:
    piece = Piece("section", {"heading": mail.words.title, "body": mail.words.xhtml})
    way = Way(
        source=ContributionSource.MAIL,
        contributor=contributor,
        arrived_at=received_at,
        inbound_id=row.id,
        pictures=mail.words.pictures,
        receipt={"notes": list(mail.words.notes if contributor else mail.words.bare_notes), **_answering(mail)},
    )
    sender = _sender(mail.letter, contributor)
    outcome = contributing.keep_piece(issue, piece, sender, opened_at=received_at, now=now, way=way)
    contribution = outcome.contribution
    # As it came, with what was cut off and what went with a Word file.
    db.session.add(
        ContributionRevision(
            contribution_id=contribution.id,
            revision=0,
            state=contribution.state,
            title=contribution.title,
            kind="section",
            data={},
            body=mail.words.original,
            at=received_at,
        )
    )
    db.session.flush()
    return contribution


def _sender(letter: Letter, contributor: Contributor | None) -> Sender:
    name = letter.name or letter.sender.partition("@")[0]
    if contributor is None:
        return Sender(name, letter.sender, "")
    known = senders.of(contributor)
    return Sender(known.name or name, known.address, known.agency, known.phone)


def _tell_not_taken(mail: Mail, why: list[str], mailing_list: MailingList | None, now: datetime) -> None:
    """Answer, unless they want no mail from us or were answered often enough today."""
    address = mail.letter.sender
    if any(one.reason in _UNWELCOME for one in suppressing.suppressions_of(address)):
        return
    if notices.count_sent((NOT_TAKEN,), address, since=now - _DAY) >= _MOST_ANSWERS_A_DAY:
        return
    # Anybody may have written the address into From: it gets no word that they chose.
    about = (mail.letter.subject or _("without a subject")) if mail.vouched else ""
    values = {"about": about, "reasons": why, **_answering(mail)}
    notices.send_notice(NOT_TAKEN, address, now=now, values=values, mailing_list=mailing_list)


def _notes(mail: Mail) -> tuple[str, ...]:
    return mail.words.notes if mail.vouched else mail.words.bare_notes


def _answering(mail: Mail) -> dict[str, Any]:
    """What marks our mail as the answer to this one."""
    return {"answers": mail.letter.message_id}


def _contributor(address: str) -> Contributor | None:
    """Who has this address and may send in news."""
    return db.session.scalar(
        select(Contributor).where(
            Contributor.address_key == addresses.key(address),
            Contributor.approved_at.is_not(None),
            Contributor.ended_at.is_(None),
        )
    )


def _machine(letter: Letter, report: Report) -> str:
    """Why no person wrote it, or it is one of our own; "" for somebody's letter."""
    headers = letter.headers
    if isinstance(report, Automatic) and (report.why != "its subject says so" or _AWAY.match(letter.subject)):
        return report.why
    for name in ("list-id", "list-unsubscribe", "feedback-id", "x-loop"):
        if headers.get(name):
            return one_line([f"{name}: {headers.get(name)}"], 80)
    own = {addresses.key(each) for each in mail_calls.own_addresses()}
    domain = current_settings().contribute_domain
    if letter.sender and (addresses.key(letter.sender) in own or addresses.domain_of(letter.sender) == domain):
        return _("it comes from an address of ours")
    return ""


def _new_row(digest: bytes, source: str, received_at: datetime) -> InboundMessage | None:
    """The row of a letter that was not taken before; None if it was, also a moment ago by another process."""
    number = db.session.scalar(
        conflict_aware_insert(InboundMessage)
        .values(
            digest=digest, source=one_line([source], 255), received_at=received_at, state=InboundState.RECEIVED,
            kind="", subject="", note="",
        )
        .on_conflict_do_nothing()
        .returning(InboundMessage.id)
    )  # fmt: skip
    return db.session.get(InboundMessage, number) if number is not None else None
