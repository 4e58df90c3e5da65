"""How long to wait, when to stop: backoff for one message, a breaker for the whole run.

Sources: RFC 5321 §4.5.4.1 (retry at least 30 minutes apart on average, give up after 4 to 5 days); receivers that
greylist take the second try after 5 to 15 minutes, so the first retries come sooner.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=5)
_RANDOM = random.SystemRandom()

#: What the breaker looks at: the first so many answers of a run, and the share of them that may be bad.
SAMPLE = 200
BAD_SHARE = 0.05


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
    _failures: int = 0
    _wait_ends: float = 0.0
    _answers: int = 0
    _bad: int = 0
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

    def answered(self, *, bad: bool) -> None:
        """A message got its answer. `bad`: refused for good, or none came (unsure)."""
        if not bad:
            self._failures = 0
            self._wait_ends = 0.0
        if self._answers >= SAMPLE or self.reason:
            return
        self._answers += 1
        self._bad += bad
        if self._bad > SAMPLE * BAD_SHARE:
            self.reason = (
                f"{self._bad} of the first {self._answers} messages were refused or got no answer, "
                "which is more than a good list has"
            )
