"""What a failed delivery says of the address: one table from (status, words) to hard, soft or policy.

The question is whose fault it is. That a mailbox does not exist is the address's and for good. That it is full, or
that its server was not to be reached for days, passes. That we or our words were turned away is not the reader's
fault at all, and never touches the address.

Where the status says too little (5.0.0, 5.5.0, none), the words decide, by the same table as a reply during the
sending does (`mail.replies`). What remains unclear is soft: nobody is struck off by a guess.

Sources: RFC 3463 and its IANA registry; RFC 3464 §2.3; the replies of Microsoft, Google and Yahoo.
"""

import re
from dataclasses import dataclass

from newsletter.errors import RelayRefused, RelayRejectsUs
from newsletter.states import FeedbackKind

from .replies import Reply, Stage, error_for

STATUS = re.compile(r"(?<![\w.-])[245]\.\d{1,3}\.\d{1,3}(?![\w-]|\.\d)")
_CODE = re.compile(r"(?<![\w.-])[45]\d\d(?![\w-]|\.\d)")
_GENERIC = re.compile(r"[45]\.[0-6]\.0")

_FULL = (
    r"over ?quota|quota (exceeded|full)|(mailbox|inbox|storage) (is |has been )?(full|exceeded)"
    r"|out of storage|full mailbox"
)
_TOO_FAST = r"receiving mail (at a rate|too quickly)|too many (messages|connections)|rate limit"
_NOBODY = (
    r"(user|recipient|mailbox|address|account)( address| name)?( is| was)? "
    r"(unknown|not (known|found|listed)|unavailable|invalid|does ?n[o']t exist|disabled|inactive)"
    r"|(unknown|no such|invalid|inactive|nonexistent|unrouteable) (user|recipient|mailbox|address|person|local)"
    r"|no mailbox here|does(n't| not) (exist|have an? .{0,40}account)|not a valid (user|recipient|mailbox)"
    r"|RecipientNotFound|email account that you tried to reach|not our customer|mailbox not found"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. A pattern that is "" holds for everything; a status matches as a whole."""

    status: str
    words: str
    kind: FeedbackKind

    def holds(self, statuses: tuple[str, ...], words: str) -> bool:
        return (not self.status or any(re.fullmatch(self.status, status) for status in statuses)) and (
            not self.words or re.search(self.words, words, re.IGNORECASE) is not None
        )


#: The first row that holds decides; where none does, the words are looked at.
RULES: tuple[Rule, ...] = (
    # Security and policy, and what we wrote: also when it was "later" until time ran out.
    Rule(r"[45]\.7\.\d+", "", FeedbackKind.POLICY),
    Rule(r"5\.6\.\d+|5\.3\.4|5\.2\.3|5\.1\.[78]", "", FeedbackKind.POLICY),
    Rule(r"4\.\d+\.\d+", "", FeedbackKind.SOFT),
    Rule(r"5\.2\.2", "", FeedbackKind.SOFT),
    Rule(r"5\.[02]\.[01]", _TOO_FAST, FeedbackKind.SOFT),
    Rule(r"5\.1\.([1-6]|10)|5\.2\.1", "", FeedbackKind.HARD),
    # Microsoft's edge, for an address that is in nobody's directory.
    Rule(r"5\.4\.1", r"recipient address rejected", FeedbackKind.HARD),
)


def kind_of(action: str, status: str, words: str) -> FeedbackKind | None:
    """What a report on one recipient says of the address; None where it says nothing bad (delayed, relayed …).

    `action` and `status` are those of RFC 3464 ("" where the report has none), `words` what the server said.
    """
    if action.lower() != "failed":
        return None
    statuses = _statuses(status, words)
    for rule in RULES:
        if rule.holds(statuses, words):
            return rule.kind
    return _by_words(statuses, words)


def _statuses(status: str, words: str) -> tuple[str, ...]:
    """The status, and those that the other server said itself; a generic one only if there is nothing better."""
    found = [one for one in (status, *STATUS.findall(words)) if STATUS.fullmatch(one)]
    exact = [one for one in found if not _GENERIC.fullmatch(one)]
    return tuple(exact or found)


def _by_words(statuses: tuple[str, ...], words: str) -> FeedbackKind:
    code = _CODE.search(words)
    temporary = any(one.startswith("4") for one in statuses) or (not statuses and code and code[0].startswith("4"))
    if temporary or re.search(_FULL, words, re.IGNORECASE):
        return FeedbackKind.SOFT
    reply = Reply(int(code[0]) if code else 550, (" ".join([*statuses[:1], words]),))
    error = error_for(Stage.DOT, reply)
    if isinstance(error, RelayRejectsUs):
        return FeedbackKind.POLICY
    unknown = "5.1.0" in statuses or re.search(_NOBODY, words, re.IGNORECASE)
    return FeedbackKind.HARD if unknown and isinstance(error, RelayRefused) else FeedbackKind.SOFT
