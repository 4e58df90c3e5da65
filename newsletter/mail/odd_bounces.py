"""Reports on delivery that follow no standard: flufl.bounce finds whom they are about, we find the words.

The package comes with the "inbound" extra; without it such a report is one that cannot be understood.
"""

import logging
import re
from email import message_from_bytes
from email.message import Message

from .bounce_rules import STATUS
from .mime_parts import Part
from .replies import one_line
from .report_fields import ReportedRecipient

_log = logging.getLogger(__name__)

MISSING = "Reports in a form of their own need the package flufl.bounce: pip install 'newsletter[inbound]'"
_MOST_RECIPIENTS = 20
_LONGEST_PARAGRAPH = 2_000
_HAS_CODE = re.compile(r"(?<![\w.-])[45]\d\d(?![\w-]|\.\d)")


def odd_recipients(mail: Part, text: str) -> tuple[tuple[ReportedRecipient, ...], str]:
    """Whom a report in words is about, and, where nobody was found, why that is ("" if there is nothing to say).

    `text` is the report's own text, without the mail that it returns.
    """
    try:
        from flufl.bounce import all_failures
    except ImportError:
        return (), MISSING
    try:
        temporary, permanent = all_failures(_flat(mail, text))
    except Exception as error:
        # Seventeen readers of anything, written by others: whatever breaks one makes the mail an unknown one.
        _log.warning("A report could not be understood (%s)", type(error).__name__)
        return (), "Its form broke the reader of reports"
    found = [_recipient(address, "failed", text) for address in sorted(permanent)]
    found += [_recipient(address, "delayed", text) for address in sorted(set(temporary) - set(permanent))]
    return tuple(found[:_MOST_RECIPIENTS]), ""


def _flat(mail: Part, text: str) -> Message:
    """The mail as the package wants it, with nothing nested in it: its own headers, and the text."""
    kept = ("from", "to", "subject", "x-failed-recipients", "return-path", "auto-submitted", "message-id")
    head = [f"{name}: {one_line([value], 900)}" for name, value in mail.headers.fields if name in kept]
    lines = "\n".join(line[:1_000] for line in text.splitlines())
    return message_from_bytes("\n".join([*head, "Content-Type: text/plain", "", lines]).encode("utf-8", "replace"))


def _recipient(address: bytes | str, action: str, text: str) -> ReportedRecipient:
    name = address.decode("utf-8", "replace") if isinstance(address, bytes) else address
    words = _words_about(name, text)
    status = STATUS.search(words)
    return ReportedRecipient(one_line([name], 320), action, status[0] if status else "", words)


def _words_about(address: str, text: str) -> str:
    """What the report says of the address: the paragraph that names it, with the next one if that has the code."""
    paragraphs = [part[:_LONGEST_PARAGRAPH] for part in re.split(r"\n[ \t]*\r?\n", text)]
    about = next((place for place, part in enumerate(paragraphs) if address.lower() in part.lower()), None)
    if about is None:
        coded = next((part for part in paragraphs if STATUS.search(part) or _HAS_CODE.search(part)), "")
        return one_line([coded])
    words = paragraphs[about]
    behind = words.lower().find(address.lower()) + len(address)
    rest = words[behind:].lstrip(">:) \t\r\n")
    if len(rest) < 4 and about + 1 < len(paragraphs):
        rest = paragraphs[about + 1]
    return one_line([rest or words])
