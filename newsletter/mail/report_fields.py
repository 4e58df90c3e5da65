"""The fields of a report on delivery (RFC 3464): a group about the message, then one about each recipient."""

import re
from dataclasses import dataclass

from .bounce_rules import STATUS
from .mime_parts import Headers
from .replies import one_line

#: Groups that are read. One message has one recipient with us; the rest is what others made of it.
_MOST_GROUPS = 50
_BLANK_LINE = re.compile(r"\n[ \t]*\r?\n")
_DIAGNOSTIC_TYPE = re.compile(r"\s*[A-Za-z0-9_-]{1,40}\s*;\s*")
_COMMENT = re.compile(r"^\s*<?([^<>\s]{1,320})>?")


@dataclass(frozen=True)
class ReportedRecipient:
    """What a report says of one recipient: `action` in lower case, `status` "5.1.1" or "", the server's words."""

    final_recipient: str
    action: str
    status: str
    diagnostic: str
    remote_mta: str = ""
    original_recipient: str = ""


def recipients_in(fields: str) -> tuple[ReportedRecipient, ...]:
    """The recipients in the text of a message/delivery-status part; those without an action say nothing."""
    groups = _BLANK_LINE.split(fields.strip(), _MOST_GROUPS)[:_MOST_GROUPS]
    found = (_recipient(Headers.of(group.encode())) for group in groups)
    return tuple(one for one in found if one is not None)


def _recipient(fields: Headers) -> ReportedRecipient | None:
    action = fields.get("action").split(" ")[0].split("(")[0].strip().lower()
    final = _address(fields.get("final-recipient"))
    if not action or not (final or fields.get("status")):
        return None
    words = diagnostic_words(fields.get("diagnostic-code"))
    status = STATUS.search(fields.get("status")) or STATUS.search(words)
    return ReportedRecipient(
        final_recipient=final,
        action=one_line([action], 40),
        status=status[0] if status else "",
        diagnostic=words,
        remote_mta=one_line([diagnostic_words(fields.get("remote-mta"))], 255),
        original_recipient=_address(fields.get("original-recipient")),
    )


def diagnostic_words(value: str) -> str:
    """The value of a field without the type before it: "smtp; 550 No such user" is "550 No such user"."""
    return one_line([_DIAGNOSTIC_TYPE.sub("", value, count=1)])


def _address(value: str) -> str:
    found = _COMMENT.match(diagnostic_words(value))
    return one_line([found[1]], 320) if found else ""
