"""The public address as others reach it: that it answers, and that one-click unsubscribe gets through (RFC 8058).

The request goes to NEWSLETTER_PUBLIC_URL by its name, through whatever stands in front (proxy, firewall), but from
this machine: what is let through here may still be held back from elsewhere.
"""

import ssl
import uuid
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ..config import Settings
from ..tokens import unsubscribe_token
from .asking import Answer, NoAnswer, NoNetwork, ask
from .clocks import compare_clocks
from .findings import Area, Notes
from .relay import say_how_long
from .settings import LOOPBACK

#: Type and body of the POST, both ways in which RFC 8058 §3.2 lets a mail provider write it.
_POSTS = (
    ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
    (
        "multipart/form-data; boundary=one-click",
        b'--one-click\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--one-click--\r\n',
    ),
)
_FORBIDS = (401, 403, 405, 406, 407, 418, 429, 451)


def examine_outside(
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    own_title: str,
    context: ssl.SSLContext | None = None,
    seconds: float = 10.0,
) -> Notes:
    """Ask the public address. `clock` gives the time now; `own_title` is that of our page for an unknown link, or "".

    `context` replaces the machine's own trust; `seconds` is for each of the four or so requests.
    """
    notes = Notes(Area.OUTSIDE)
    try:
        answer = ask("GET", f"{settings.public_url}/healthz", context=context, seconds=seconds)
    except NoNetwork as why:
        notes.unknown(f"{why}.")
        return notes
    except NoAnswer as why:
        notes.wrong(f"{why}.", "Is the web server running, and does the name lead to it? See NEWSLETTER_PUBLIC_URL.")
        return notes
    _health(notes, settings, answer)
    _its_clock(notes, answer, clock())
    if answer.ends is not None:
        say_how_long(notes, f"The certificate of {settings.public_host}", answer.ends, clock())
    _one_click(notes, settings, own_title, context, seconds)
    if settings.https:
        _without_tls(notes, settings, seconds)
    notes.good("All of this was asked from this machine. From outside a firewall may still be in the way.")
    return notes


def _health(notes: Notes, settings: Settings, answer: Answer) -> None:
    if answer.status == 200 and answer.body.strip() == b"ok":
        notes.good(f"{settings.public_url} answers.")
    elif 300 <= answer.status < 400:
        notes.wrong(
            f"{settings.public_url}/healthz leads away, to {answer.header('Location')[:200]}.",
            "Set NEWSLETTER_PUBLIC_URL to the address at the end: mail providers follow no redirect to unsubscribe.",
        )
    else:
        notes.wrong(
            f"{settings.public_url}/healthz answers with {answer.status}{_titled(answer)}, not as this program does.",
            "Does the address lead to this installation?",
        )


def _titled(answer: Answer) -> str:
    return f" “{answer.title}”" if answer.title else ""


def _its_clock(notes: Notes, answer: Answer, now: datetime) -> None:
    """The Date header is that of whatever answers: a proxy, or this very machine."""
    try:
        said = parsedate_to_datetime(answer.header("Date"))
    except (ValueError, TypeError):
        return
    if said.tzinfo is not None:
        compare_clocks(notes, "that of the public address", (said - now).total_seconds())


def _one_click(
    notes: Notes, settings: Settings, own_title: str, context: ssl.SSLContext | None, seconds: float
) -> None:
    """POST to the address of a subscription that nobody has: our own page for it, and nothing else, may come back."""
    url = f"{settings.public_url}/u/{unsubscribe_token(settings.secret_keys, uuid.uuid4())}"
    faults: list[str] = []
    for content_type, body in _POSTS:
        try:
            answer = ask("POST", url, body=body, content_type=content_type, context=context, seconds=seconds)
        except NoAnswer as why:
            faults.append(str(why))
        else:
            faults += _faults(answer, own_title)
    for fault in dict.fromkeys(faults):
        notes.wrong(
            f"One-click unsubscribe does not get through: {fault}.",
            "Let POSTs to /u/… pass as they are: no challenge, no redirect, no cookie, no limit (RFC 8058).",
        )
    if not faults:
        notes.good("One-click unsubscribe gets through: a POST as mail providers send it reaches this program.")
        if not settings.https:
            notes.warning("But without https mail programs do not offer it.", "Use https.")


def _faults(answer: Answer, own_title: str) -> list[str]:
    """What RFC 8058 §3.1 and §3.2 forbid in this answer, as clauses."""
    faults = []
    if 300 <= answer.status < 400:
        faults.append(f"the address leads away, to {answer.header('Location')[:200]}")
    elif answer.status >= 500:
        faults.append(f"the answer is a fault of the server ({answer.status}{_titled(answer)})")
    elif answer.status in _FORBIDS:
        faults.append(f"something in front forbids it ({answer.status}{_titled(answer)})")
    elif own_title and answer.title != own_title and (answer.status >= 300 or b"<html" in answer.body.lower()):
        faults.append(f"somebody else answers ({answer.status}{_titled(answer)}): a firewall's page, or another site")
    if answer.headers.get("Set-Cookie") is not None:
        faults.append("the answer sets a cookie")
    return faults


def _without_tls(notes: Notes, settings: Settings, seconds: float) -> None:
    """Whoever types the address without https must not be kept there."""
    parts = urlsplit(settings.public_url)
    if parts.port not in (None, 443) or parts.hostname in LOOPBACK:
        return
    try:
        answer = ask("GET", f"http://{parts.hostname}{parts.path}/", seconds=seconds)
    except NoAnswer:
        notes.good("Nothing answers without https.")
        return
    if 300 <= answer.status < 400 and answer.header("Location").startswith("https://"):
        notes.good("Whoever comes without https is led to it.")
    else:
        notes.warning(
            f"http://{parts.hostname} answers in the clear ({answer.status}).",
            "Let it redirect to https, for GET at least.",
        )
