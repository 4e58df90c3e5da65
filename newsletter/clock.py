"""The product's clock.

A request, a command or a job reads the time once, here, and passes it on. Everything that asks what time it is
for people (deadlines, schedules, evidence) takes that value as `now`. Whether a process is alive is another
question with another clock: see `newsletter.work.liveness`.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
