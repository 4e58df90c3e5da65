"""What came back: the bytes of a mail, read as a report on delivery, a complaint, an automatic answer, or neither.

    match read_report(raw):
        case Dsn(): …          a report on delivery (RFC 3464), or one in a form of its own
        case Arf(): …          a complaint (RFC 5965)
        case Automatic(): …    an answering machine, a receipt: nothing is to be done, nothing is answered
        case Unknown(): …

Never raises, whatever the bytes are, and looks at a bounded part of them. Nothing here is believed: `traces` is what
may say which of our messages it is about, and whoever acts on it verifies the signatures first. All text in a report
is text from outside, in one line and cut; it is to be escaped wherever it is shown.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .mime_parts import Headers, Part
from .odd_bounces import odd_recipients
from .replies import one_line
from .report_fields import ReportedRecipient, diagnostic_words, recipients_in

#: Bytes of a mail that are read. The reports come first in it; behind them there is only our own mail.
LONGEST = 524_288

_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_RETURNED_MAIL = ("message/rfc822", "message/global")
_RETURNED_HEADERS = ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers")
_DAEMONS = re.compile(r"(mailer-?daemon|mail-?daemon|postmaster|mail delivery (sub)?system)", re.IGNORECASE)
_BAD_NEWS = re.compile(
    r"undeliver|delivery (status|failure|problem|has failed|notification)|returned (mail|to sender)|failure notice"
    r"|mail delivery (failed|failure|system)|could not be delivered|unzustellbar|nicht zugestellt",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"\s*(\[?auto(matic)?[ -]?(reply|response|antwort)|out of (the )?office|away from|on (annual )?leave|vacation"
    r"|automatische antwort|abwesen|nicht im (büro|haus)|r[ée]ponse automatique|absence)",
    re.IGNORECASE,
)
_TAG = re.compile(r"(?<![A-Za-z0-9])b-[a-z2-7]{55}(?![A-Za-z0-9])", re.IGNORECASE)
_UNSUBSCRIBE = re.compile(r"/u/([A-Za-z0-9_-]{46})(?![A-Za-z0-9_-])")
_MESSAGE_ID = re.compile(r"<([!-;=?A-~]{1,200}@[!-;=?A-~]{1,200})>")
_MESSAGE_ID_LINE = re.compile(
    r"^[> \t]*(?:X-)?(?:Original-)?Message-ID:[ \t]*(<[^<>\s]{3,400}>)", re.IGNORECASE | re.MULTILINE
)
_MOST_TRACES = 20


@dataclass(frozen=True)
class Traces:
    """What in a mail looks like ours. `tags` are local parts of envelope senders, `message_ids` without brackets."""

    tags: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    unsubscribe_tokens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What every kind has: the subject, who made the report in its own words, and the traces."""

    subject: str
    reporter: str
    traces: Traces


@dataclass(frozen=True)
class Dsn(Report):
    """A report on delivery; one entry for each recipient it names."""

    recipients: tuple[ReportedRecipient, ...]


@dataclass(frozen=True)
class Arf(Report):
    """A reader's word on a mail: `feedback_type` is "abuse", "not-spam" …"""

    feedback_type: str


@dataclass(frozen=True)
class Automatic(Report):
    """Sent by no person and no report. `why` says how that was seen."""

    why: str


@dataclass(frozen=True)
class Unknown(Report):
    """A letter, or a report that cannot be understood: `from_mail_system` tells which it looks like."""

    from_mail_system: bool
    why: str = ""


#: The word of the program for each kind.
KINDS: dict[type[Report], str] = {Dsn: "dsn", Arf: "arf", Automatic: "automatic", Unknown: "unknown"}


def read_report(raw: bytes) -> Report:
    """Say what a mail is. Reads the first 512 KB; opens no attachment."""
    mail = Part.of(raw[:LONGEST])
    parts = mail.parts()
    subject = one_line([mail.headers.words("subject")], 200)
    return (
        _complaint(mail, parts, subject)
        or _delivery_report(mail, parts, subject)
        or _odd_report(mail, parts, subject, certain=True)
        or _automatic(mail, parts, subject)
        or _odd_report(mail, parts, subject, certain=False)
        or Unknown(subject, _sender(mail.headers), Traces(), _from_mail_system(mail, parts))
    )


def _complaint(mail: Part, parts: list[Part], subject: str) -> Arf | None:
    found = next((part for part in parts if part.content_type == "message/feedback-report"), None)
    fields = Headers.of(found.text().encode()) if found else Headers(())
    kind = fields.get("feedback-type").lower()
    if not kind:
        # Hotmail's feedback has the complaint's mail attached, and the sign of it in there.
        if not any(part.headers.get("x-hmxmroriginalrecipient") for part in _returned(parts)):
            return None
        kind = "abuse"
    reporter = one_line([fields.get("user-agent") or _sender(mail.headers)], 255)
    texts = [mail.head, found.text() if found else "", *(part.head for part in _returned(parts))]
    return Arf(subject, reporter, _traces(texts), one_line([kind], 40))


def _delivery_report(mail: Part, parts: list[Part], subject: str) -> Dsn | None:
    found = next((part for part in parts if part.content_type in _STATUS_TYPES), None)
    if found is None:
        return None
    fields = found.text()
    recipients = recipients_in(fields)
    if not recipients:
        return None
    reporter = diagnostic_words(Headers.of(fields.encode()).get("reporting-mta")) or _sender(mail.headers)
    texts = [mail.head, fields, *(part.head for part in _returned(parts))]
    return Dsn(subject, one_line([reporter], 255), _traces(texts), recipients)


def _odd_report(mail: Part, parts: list[Part], subject: str, *, certain: bool) -> Dsn | Unknown | None:
    """A report in a form of its own. `certain`: only from whoever is a mail system for certain."""
    daemon = bool(mail.headers.get("x-failed-recipients") or _DAEMONS.search(mail.headers.get("from")))
    if not (daemon if certain else _from_mail_system(mail, parts)):
        return None
    text = next((part.text() for part in parts if part.content_type == "text/plain"), "")
    recipients, why = odd_recipients(mail, text)
    sender = _sender(mail.headers)
    if not recipients:
        return Unknown(subject, sender, Traces(), True, why) if certain or why else None
    traces = _traces([mail.head, text, *(part.head for part in _returned(parts))])
    return Dsn(subject, sender, traces, recipients)


def _automatic(mail: Part, parts: list[Part], subject: str) -> Automatic | None:
    why = _why_automatic(mail.headers, mail.parameter("report-type"), subject)
    if not why:
        return None
    receipts = [part.text() for part in parts if part.content_type == "message/disposition-notification"]
    return Automatic(subject, _sender(mail.headers), _traces([mail.head, *receipts]), why)


def _why_automatic(headers: Headers, report_type: str, subject: str) -> str:
    """How a mail shows that no person wrote it to us (RFC 3834 §5, RFC 8098, and what came before them)."""
    said = headers.get("auto-submitted").partition(";")[0].strip().lower()
    precedence = headers.get("precedence").lower()
    if report_type.lower() == "disposition-notification":
        return "a receipt"
    if said and said != "no":
        return f"Auto-Submitted: {one_line([said], 40)}"
    for name in ("x-autoreply", "x-autorespond", "x-autoresponse", "x-auto-reply"):
        if headers.get(name):
            return name
    if precedence in ("auto_reply", "bulk", "junk", "list"):
        return f"Precedence: {precedence}"
    return "its subject says so" if _AWAY.match(subject) else ""


def _from_mail_system(mail: Part, parts: list[Part]) -> bool:
    """Whether it looks like a report, understood or not."""
    headers = mail.headers
    return bool(
        headers.get("return-path").replace(" ", "") == "<>"
        or mail.parameter("report-type").lower() in ("delivery-status", "feedback-report")
        or any(part.content_type in (*_STATUS_TYPES, "message/feedback-report") for part in parts)
        or _DAEMONS.search(headers.get("from"))
        or (headers.get("auto-submitted") and _BAD_NEWS.search(headers.words("subject")))
    )


def _returned(parts: list[Part]) -> list[Part]:
    """Our own mail, as far as its headers came back."""
    found = []
    for part in parts:
        if part.content_type in (*_RETURNED_MAIL, *_RETURNED_HEADERS):
            found.append(part.inner())
    return found


def _sender(headers: Headers) -> str:
    return one_line([headers.words("from")], 255)


def _traces(texts: Iterable[str]) -> Traces:
    """All that looks like ours in these texts: header sections, fields of a report, a report in words."""
    tags: dict[str, None] = {}
    ids: dict[str, None] = {}
    tokens: dict[str, None] = {}
    for text in texts:
        unfolded = re.sub(r"\r?\n[ \t]+", " ", text)
        tags |= dict.fromkeys(found.lower() for found in _TAG.findall(unfolded))
        tokens |= dict.fromkeys(_UNSUBSCRIBE.findall(re.sub(r"\r?\n[ \t]+", "", text)))
        for line in _MESSAGE_ID_LINE.findall(unfolded):
            ids |= dict.fromkeys(_MESSAGE_ID.findall(line))
        for name in ("in-reply-to", "references"):
            ids |= dict.fromkeys(_MESSAGE_ID.findall(Headers.of(text.encode()).get(name)))
    return Traces(*(tuple(found)[:_MOST_TRACES] for found in (tags, ids, tokens)))
