"""A probe as it arrived beside the one that was sent: what was added, taken away or rewritten on the way."""

import html
import re
from collections.abc import Iterable
from email.message import EmailMessage
from urllib.parse import urlsplit

from .findings import Notes
from .mail_source import MailSource

_ONE_CLICK = ("List-Unsubscribe", "List-Unsubscribe-Post")
#: RFC 5322 §3.6 and ours: a second one makes the mail ambiguous, and mail programs show one of the two.
_ONCE = (
    *("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type"),
    *("List-Id", *_ONE_CLICK, "Feedback-ID"),
)
_HREF = re.compile(r"""<a\b[^<>]*?\bhref\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_PICTURE = re.compile(r"""<img\b[^<>]*?\bsrc\s*=\s*["']([^"']*)["']""", re.IGNORECASE)


def compare_headers(notes: Notes, sent: MailSource, received: MailSource) -> None:
    """Whether the headers we sent arrived as they were, once each. The one-click pair is looked at by itself."""
    here = {name.lower() for name in received.names}
    missing = [name for name in sent.names if name.lower() not in here and name not in _ONE_CLICK]
    doubled = [name for name in _ONCE if len(received.raw(name)) > max(1, len(sent.raw(name)))]
    changed = [
        name
        for name in sent.names
        if name.lower() in here and name not in _ONE_CLICK and _shown(sent, name) != _shown(received, name)
    ]
    if missing:
        notes.warning(f"Headers were taken out on the way: {', '.join(missing)}.", "Ask who runs the mail server.")
    if doubled:
        notes.wrong(f"Headers are there more than once: {', '.join(doubled)}.", "Find out what adds the second one.")
    for name in changed:
        say = notes.wrong if name in ("From", "Reply-To") else notes.warning
        say(f"The header {name} was changed to “{received.value(name)[:160]}”.", _WHY_CHANGED.get(name, ""))
    if not (missing or doubled or changed):
        notes.good("The other headers arrived as they were sent, each of them once.")


_WHY_CHANGED = {
    "Subject": "A receiving system marks mail from outside so. Ask its administrator to leave yours out.",
    "Message-ID": "The mail server gives its own: two copies of a mail are then not known for one.",
    "From": "Readers see another sender, and DMARC looks at another domain. Ask who runs the mail server.",
    "Reply-To": "Answers go elsewhere. Ask who runs the mail server.",
}


def _shown(source: MailSource, name: str) -> str:
    """What counts of a header: its words, and of Content-Type no more than the type (boundaries are remade)."""
    if name == "Content-Type":
        return source.parsed().get_content_type()
    return "".join(source.value(name).split())


def check_one_click(notes: Notes, sent: MailSource | None, received: MailSource) -> None:
    """Whether List-Unsubscribe and its partner are there as RFC 8058 §3.1 wants them, and as they were sent."""
    faults = list(_one_click_faults(sent, received))
    for fault in faults:
        notes.wrong(f"{fault}: mail programs show no button to unsubscribe, or one that does not work.")
    if not faults:
        notes.good("List-Unsubscribe and List-Unsubscribe-Post are as RFC 8058 wants them.")


def _one_click_faults(sent: MailSource | None, received: MailSource) -> Iterable[str]:
    for name in _ONE_CLICK:
        raw = received.raw(name)
        if not raw:
            yield f"{name} is missing"
            continue
        if b"=?" in raw[0]:
            yield f"{name} was encoded ({raw[0][:40].decode('ascii', 'replace')}…)"
        elif b"\n" in raw[0]:
            yield f"{name} was broken over several lines"
        elif sent is not None and raw[0].split() != (sent.raw(name) or [b""])[0].split():
            yield f"{name} was changed to “{received.value(name)[:200]}”"
    post = received.raw("List-Unsubscribe-Post")
    if post and b"".join(post[0].split()) != b"List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post does not say List-Unsubscribe=One-Click"
    if received.raw("List-Unsubscribe") and "<https://" not in received.value("List-Unsubscribe"):
        yield "List-Unsubscribe holds no https address"


def compare_bodies(notes: Notes, sent: MailSource, received: MailSource) -> None:
    """Whether both bodies read as they were sent: line ends, blanks at their end and the encoding do not count."""
    if not received.body:
        notes.unknown("There are only headers here, so the words cannot be compared.")
        return
    ours, theirs = _bodies(sent.parsed()), _bodies(received.parsed())
    changed = False
    for kind, name in (("plain", "plain text"), ("html", "HTML")):
        before, after = ours.get(kind), theirs.get(kind)
        if before == after:
            continue
        changed = True
        if after is None:
            notes.wrong(f"The {name} of the mail is gone.", "Find out what on the way rebuilds mails.")
        elif before is not None:
            _difference(notes, name, before, after)
    for name in sorted({part.get_content_charset() or "none" for part in _text_parts(received.parsed())} - {"utf-8"}):
        notes.warning(f"A part of the mail says that its characters are {name}, and it was sent as utf-8.")
    if not changed:
        notes.good("Both bodies, HTML and plain text, arrived as they were sent.")


def _difference(notes: Notes, name: str, before: str, after: str) -> None:
    links = sorted(_links(after) - _links(before)) if name == "HTML" else []
    pictures = sorted(set(_PICTURE.findall(after)) - set(_PICTURE.findall(before)))
    if links and _links(before) - _links(after):
        hosts = ", ".join(sorted({urlsplit(link).hostname or link[:40] for link in links})[:3])
        notes.warning(
            f"The links lead over {hosts} first: a scanner rewrites them.",
            "If that is the receiving side's, nothing is to be done. If it is your mail server's, let it leave "
            "newsletters alone: it breaks signatures and the link to unsubscribe.",
        )
    elif links:
        notes.warning(f"A link was added: {links[0][:120]}")
    if pictures:
        notes.warning(f"A picture was added that loads from {urlsplit(pictures[0]).hostname or 'elsewhere'}: it tells "
                      "somebody who reads the mail.")  # fmt: skip
    added = _added(_words(before, name), _words(after, name))
    if added:
        notes.warning(
            f"Words were added to the {name}: “{added[:120]}”.",
            "A footer or a banner. If your own mail server puts it there, let it leave newsletters alone.",
        )
    elif not links and not pictures:
        notes.warning(f"The {name} was changed on the way.", "Find out what on the way rewrites mails.")


def _added(before: str, after: str) -> str:
    """What stands around all of our words, where they are still there in one piece; else ""."""
    ahead, found, behind = f" {after} ".partition(f" {before} ")
    return f"{ahead} {behind}".strip() if found else ""


def _words(text: str, name: str) -> str:
    """What is read of a body, one space between two words."""
    shown = html.unescape(re.sub(r"<[^<>]*>", " ", text)) if name == "HTML" else text
    return " ".join(shown.split())


def _links(text: str) -> set[str]:
    return {html.unescape(link) for link in _HREF.findall(text)}


def _text_parts(message: EmailMessage) -> list[EmailMessage]:
    parts = [message, *(part for part in message.walk() if part is not message)]
    return [part for part in parts if part.get_content_maintype() == "text" and not part.is_attachment()]


def _bodies(message: EmailMessage) -> dict[str, str]:
    """The first text of each kind, with the blanks at line ends and at the end of it gone."""
    found: dict[str, str] = {}
    for part in _text_parts(message):
        payload = part.get_payload(decode=True)
        octets = payload if isinstance(payload, bytes) else b""
        try:
            text = octets.decode(part.get_content_charset() or "utf-8", "replace")
        except LookupError:
            text = octets.decode("utf-8", "replace")
        lines = [line.rstrip() for line in text.splitlines()]
        found.setdefault(part.get_content_subtype(), "\n".join(lines).strip())
    return found
