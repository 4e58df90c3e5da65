"""How long to wait, when to stop: backoff for one message, a breaker for the whole run.

Sources: RFC 5321 §4.5.4.1 (retry at least 30 minutes apart on average, give up after 4 to 5 days); receivers that
greylist take the second try after 5 to 15 minutes, so the first retries come sooner.
"""

import random
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ...errors import RelayBusy

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=5)
_RANDOM = random.SystemRandom()

#: What the breaker looks at: the first so many answers of an issue, and the share of them that may be bad.
SAMPLE = 200
BAD_SHARE = 0.05
#: So many times in a row "not now, and not because of the recipient", and the relay itself is what is wrong.
MOST_BUSY = 50

#: What a server says that has had enough of us for an hour or a day (Microsoft, Google, Yahoo, Exim, cPanel, Postfix).
_OUR_QUOTA = re.compile(
    r"(sending|sender|submission|outbound|daily|hourly|user|account|relay)\b.{0,40}\b(quota|limit)"
    r"|(quota|limit)\b.{0,30}\b(for|of) (this |the )?(sender|sending|user|account)"
    r"|max(imum)? (defers|emails|messages|number of (messages|recipients)) .*per (hour|day)",
    re.IGNORECASE,
)
#: The recipient's own, or a matter of how many connections we have, whatever else is said.
_NO_QUOTA_OF_OURS = re.compile(r"mailbox|inbox|recipient|receiv|over ?quota|storage|connection|thread", re.IGNORECASE)


def retry_at(attempt: int, now: datetime, randomness: random.Random = _RANDOM) -> datetime:
    """When to try again after try number `attempt` (from 1): 5 minutes, doubling to 4 hours, up to a fifth more.

    The jitter keeps messages that were put off together from coming back together.
    """
    pause: timedelta = min(FIRST_RETRY * 2 ** min(attempt - 1, 10), LONGEST_RETRY)
    return now + pause * (1 + randomness.uniform(0, 0.2))


def is_hopeless(first_tried_at: datetime | None, now: datetime) -> bool:
    """Whether a message has been put off for so long that it is given up."""
    return first_tried_at is not None and now - first_tried_at >= GIVE_UP_AFTER


@dataclass
class Breaker:
    """Stops a run that goes wrong as a whole. Fed by the run's tasks; times are a monotonic clock's, in seconds.

    The connections of a run lose a server all at once: what fails while the others still wait after the first
    failure is the same failure, and counts once.
    """

    waits: tuple[float, ...] = (1, 4, 15, 30)
    #: What the issue has been answered before this run, as far as it counts (see `breakers`), and may be in all.
    answers: int = 0
    bad: int = 0
    bad_share: float = BAD_SHARE
    _failures: int = field(default=0, init=False)
    _wait_ends: float = field(default=0.0, init=False)
    _busy: int = field(default=0, init=False)
    #: Why the run must stop, as a sentence; "" while all is well.
    reason: str = field(default="", init=False)

    def failed(self, sentence: str, clock: float) -> None:
        """The server could not be reached, or was lost. After the waits are used up, the run stops."""
        if clock < self._wait_ends or self.reason:
            return
        self._failures += 1
        if self._failures > len(self.waits):
            self.reason = f"{sentence} ({self._failures} times in a row)"
            return
        self._wait_ends = clock + self.waits[self._failures - 1]

    def wait(self, clock: float) -> float:
        """Seconds until the server may be tried again."""
        return max(0.0, self._wait_ends - clock)

    def busy(self, error: RelayBusy) -> None:
        """A message was put off: its recipient's affair, unless we have a quota, or the server itself is in trouble."""
        if self.reason:
            return
        if is_our_quota(error):
            self.reason = f"The mail server lets us send no more for now. It answered: {error.reply}"
        elif is_about_the_server(error):
            self._busy += 1
            if self._busy >= MOST_BUSY:
                self.reason = f"{error} ({self._busy} times in a row)"

    def answered(self, *, bad: bool) -> None:
        """A message got its answer. `bad`: refused for good, or none came (unsure)."""
        if not bad:
            self._failures = self._busy = 0
            self._wait_ends = 0.0
        if self.answers >= SAMPLE or self.reason:
            return
        self.answers += 1
        self.bad += bad
        if bad and self.bad > SAMPLE * self.bad_share:
            self.reason = (
                f"{self.bad} of the first {self.answers} messages were refused or got no answer, "
                "which is more than a good list has"
            )


def is_our_quota(error: RelayBusy) -> bool:
    """Whether a 4xx says that we, not the recipient, have sent as much as we may for now."""
    if error.enhanced.startswith(("4.1.", "4.2.")) or _NO_QUOTA_OF_OURS.search(error.reply):
        return False
    return _OUR_QUOTA.search(error.reply) is not None


def is_about_the_server(error: RelayBusy) -> bool:
    """Whether a 4xx is about the server itself: its own state (X.3.x), or no room and nobody named (RFC 5321, 452)."""
    return error.enhanced.startswith("4.3.") or (error.code == 452 and not error.enhanced)
