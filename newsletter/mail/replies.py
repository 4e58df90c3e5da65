"""What a mail server's reply means for us: one table from (step, code, enhanced status, words) to an error.

The question is always the same: whom is it about? A reply about this recipient is theirs alone. A reply about us
(sign-in, TLS, our address or name, policy, the size or content that all mails of the run share) must stop the run,
because each further recipient would be refused for something that is not theirs.

Sources: RFC 5321 §4.2, RFC 3463, RFC 4954, RFC 7372, and the published lists of Google, Microsoft and Yahoo.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from newsletter.errors import RelayBusy, RelayDown, RelayError, RelayRefused, RelayRejectsUs


class Stage(StrEnum):
    """What had been said when the reply came."""

    GREETING = "greeting"
    HELLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "the message"
    RSET = "RSET"


OPENING = frozenset({Stage.GREETING, Stage.HELLO, Stage.STARTTLS, Stage.AUTH})
_TRANSACTION = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT})
_RECIPIENT = frozenset({Stage.RCPT, Stage.DATA, Stage.DOT})
_CONTENT = frozenset({Stage.DATA, Stage.DOT})
_ALL = OPENING | _TRANSACTION | {Stage.RSET}

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_ENHANCED_LATER = re.compile(r"\(#([245]\.\d{1,3}\.\d{1,3})\)")


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's whole reply: the code, and the text of each of its lines."""

    code: int
    lines: tuple[str, ...]

    @property
    def enhanced(self) -> str:
        """The RFC 3463 status, "" without one. qmail writes it at the end: "(#5.1.1)"."""
        found = _ENHANCED.match(self.lines[0])
        if found:
            return found[0]
        later = _ENHANCED_LATER.search(" ".join(self.lines))
        return later[1] if later else ""

    @property
    def words(self) -> str:
        """The text of all lines as one, the enhanced status said once."""
        if len(self.lines) == 1:
            return one_line(self.lines)
        status = self.enhanced
        first, *others = self.lines
        return one_line([first, *(line.removeprefix(status) if status else line for line in others)])

    @property
    def text(self) -> str:
        """Code and words in one line, as shown and stored."""
        return f"{self.code} {self.words}".strip()


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table. A pattern that is "" holds for everything; codes and statuses match as a whole."""

    stages: frozenset[Stage]
    code: str
    enhanced: str
    words: str
    error: type[RelayError]

    def holds(self, stage: Stage, reply: Reply) -> bool:
        return (
            stage in self.stages
            and (not self.code or re.fullmatch(self.code, str(reply.code)) is not None)
            and (not self.enhanced or re.fullmatch(self.enhanced, reply.enhanced) is not None)
            and (not self.words or re.search(self.words, reply.words, re.IGNORECASE) is not None)
        )


def _any(*patterns: str) -> str:
    return "|".join(patterns)


_US_FOR_CERTAIN = _any(
    r"relay(ing)? (access )?(is )?(denied|not (permitted|allowed)|prohibited)",
    r"(unable|not permitted|not allowed) to relay",
    r"client host|blocked using|spamhaus|spamcop|barracudacentral",
    r"authentication (is )?required|must authenticate|not authenticated",
    r"must issue a starttls|(tls|encryption) (is )?required",
    r"sender (address )?(rejected|denied)|sender verify|send as|address is not verified",
    r"(sending|messaging|daily) (limit|quota)|quota exceeded for sender|SubmissionQuotaExceeded",
    r"sending (is |has been )?(suspended|paused|disabled)|verified sender|not allowed to send",
    r"access denied, (banned|sending domain|spam abuse)",
)
_RECIPIENT_WORDS = _any(
    r"(user|recipient|mailbox|address|account)( address| name)?( is)? "
    r"(unknown|unavailable|disabled|inactive|suspended|invalid|full|rejected|restricted|not (found|available)"
    r"|does ?n[o']t exist|has been disabled)",
    r"(unknown|unrouteable|no such|invalid|inactive|nonexistent|bad destination) "
    r"(user|recipient|mailbox|address|person|local)",
    r"no mailbox here|does(n't| not) (exist|have a .* account)|not a valid (user|recipient|mailbox)",
    r"over ?quota|mailbox (is )?full|inbox is out of storage",
    r"not our customer|null ?mx|does not accept mail|not accepting (mail|messages)|RecipientNotFound",
    r"email account that you tried to reach|user or domain that you are sending to",
)
_US_PERHAPS = _any(
    r"spam|unsolicited|bulk|abuse|reputation|banned|policy|rate limit",
    r"block(ed|ing| ?list)|black[ -]?list|deny ?list",
    r"\bspf\b|\bdkim\b|\bdmarc\b|\bptr\b|reverse dns",
    r"content (rejected|denied)|not rfc ?5322|virus|malware|suspicious",
)

#: The first row that holds decides.
RULES: tuple[Rule, ...] = (
    # The server is closing the connection, whatever it answers to (RFC 5321 §3.8): all wait, nobody is refused.
    Rule(_ALL, "421", "", "", RelayDown),
    # A server that cannot start anew has said nothing about the next message.
    Rule(frozenset({Stage.RSET}), "[45]..", "", "", RelayDown),
    # Before the first transaction nothing can be about a recipient.
    Rule(frozenset({Stage.AUTH}), "432", "", "", RelayRejectsUs),
    Rule(OPENING, "4..", "", "", RelayDown),
    Rule(OPENING, "5..", "", "", RelayRejectsUs),
    Rule(_TRANSACTION, "4..", "", "", RelayBusy),
    # MAIL names only us and the size.
    Rule(frozenset({Stage.MAIL}), "5..", "", "", RelayRejectsUs),
    Rule(_RECIPIENT, "53[0458]", "", "", RelayRejectsUs),
    # Exchange: this recipient takes mail from chosen senders only.
    Rule(_RECIPIENT, "5..", r"5\.7\.(12|13|1[1-9]\d)", "", RelayRefused),
    # Sign-in, TLS, SPF, DKIM, DMARC, PTR, rate (Google 25-32, RFC 7372 20-27), Microsoft's 57-64, 5xx, 6xx, 7xx.
    Rule(_RECIPIENT, "5..", r"5\.7\.([89]|1[014]|[23]\d|5[0-9]|6[0-9]|[5-9]\d\d)", "", RelayRejectsUs),
    Rule(_RECIPIENT, "5..", r"5\.1\.([78]|90)|5\.4\.5", "", RelayRejectsUs),
    Rule(_RECIPIENT, "5..", "", _US_FOR_CERTAIN, RelayRejectsUs),
    Rule(_RECIPIENT, "5..", r"5\.(1|2|4)\.\d+", "", RelayRefused),
    # All mails of a run are of one size and one content.
    Rule(_RECIPIENT, "5..", r"5\.3\.4|5\.6\.\d+", "", RelayRejectsUs),
    Rule(_RECIPIENT, "5..", "", _RECIPIENT_WORDS, RelayRefused),
    Rule(_RECIPIENT, "552", "", r"size|too (large|big|long)", RelayRejectsUs),
    Rule(_CONTENT, "552", "", "", RelayRejectsUs),
    Rule(_RECIPIENT, "5..", r"5\.7\.\d+", "", RelayRejectsUs),
    Rule(_RECIPIENT, "5..", "", _US_PERHAPS, RelayRejectsUs),
    # It does not understand what we say, or not in this order. 501 and 553 at RCPT are about the address.
    Rule(_RECIPIENT, "50[0234]|555", "", "", RelayRejectsUs),
    Rule(_CONTENT, "501", "", "", RelayRejectsUs),
    Rule(_RECIPIENT, "5..", "", "", RelayRefused),
)

_SENTENCES: dict[type[RelayError], str] = {
    RelayBusy: "The mail server asks us to try this message again later",
    RelayDown: "The mail server is not taking mail at the moment",
    RelayRefused: "The mail server does not take mail for this address",
    RelayRejectsUs: "The mail server does not take mail from us",
}


def error_for(stage: Stage, reply: Reply) -> RelayError:
    """The error that a 4xx or 5xx reply stands for, with code, enhanced status and the server's words.

    Raises ValueError for a reply of another class: whether that was expected is for the caller to know.
    """
    for rule in RULES:
        if rule.holds(stage, reply):
            return make(rule.error, stage, reply)
    raise ValueError(f"{reply.code} is not a refusal")


def make(error: type[RelayError], stage: Stage, reply: Reply) -> RelayError:
    """An error of that type which carries the reply."""
    sentence = f"{_SENTENCES[error]}. It answered {stage.value} with: {reply.text}"
    return error(sentence, code=reply.code, enhanced=reply.enhanced, reply=reply.text)


def one_line(words: Iterable[str], longest: int = 400) -> str:
    """What a server said, fit for a log, a page or a database column: one line, printable, cut."""
    text = " ".join(" ".join(words).split())
    if text.isprintable() and len(text) <= longest:
        return text
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"
