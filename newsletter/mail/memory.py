"""A relay in memory: the quiet twin of a mail server, for tests."""

import asyncio
from collections import defaultdict, deque

from newsletter.errors import RelayDown, RelayError, RelayUnsure

from .relay import BeforeFinalDot, Envelope, Limits, Mailing, Receipt, work_one_by_one


class MemoryRelay:
    """A relay that keeps what it is given: the quiet twin for tests. Failures are scripted by recipient."""

    def __init__(self, *, connections: int = 4, name: str = "memory") -> None:
        self.name = name
        self.limits = Limits(connections)
        self.accepted: list[Envelope] = []
        self.connects = 0
        self._failures: defaultdict[str, deque[RelayError]] = defaultdict(deque)
        self._refuse_connections: deque[RelayError] = deque()

    def fail(self, recipient: str, *errors: RelayError) -> None:
        """The next tries for this recipient raise these, one a try; then it is accepted."""
        self._failures[recipient].extend(errors)

    def fail_to_connect(self, *errors: RelayError) -> None:
        """The next connects raise these, one each."""
        self._refuse_connections.extend(errors)

    def accepted_for(self, recipient: str) -> list[Envelope]:
        """What was taken for one recipient, in order."""
        return [envelope for envelope in self.accepted if envelope.recipient == recipient]

    @property
    def recipients(self) -> list[str]:
        """Whom something was taken for, in order."""
        return [envelope.recipient for envelope in self.accepted]

    async def connect(self) -> "MemoryConnection":
        self.connects += 1
        if self._refuse_connections:
            raise self._refuse_connections.popleft()
        return MemoryConnection(self.accepted, self._failures)


class MemoryConnection:
    """One connection to a MemoryRelay. Unusable after RelayDown and RelayUnsure, as a real one is."""

    def __init__(self, accepted: list[Envelope], failures: defaultdict[str, deque[RelayError]]) -> None:
        self._accepted = accepted
        self._failures = failures
        self._open = True

    @property
    def usable(self) -> bool:
        return self._open

    async def send(self, envelope: Envelope, *, before_final_dot: BeforeFinalDot | None = None) -> Receipt:
        if not self._open:
            raise RelayDown("The connection to the mail server is closed.")
        await asyncio.sleep(0)
        scripted = self._failures[envelope.recipient]
        error = scripted.popleft() if scripted else None
        if error is not None and not isinstance(error, RelayUnsure):
            self._open = not isinstance(error, RelayDown)
            raise error
        if before_final_dot is not None:
            before_final_dot()
        if error is not None:
            self._open = False
            raise error
        self._accepted.append(envelope)
        return Receipt(250, f"250 2.0.0 kept as {len(self._accepted)}")

    async def work(self, mailing: Mailing) -> None:
        await work_one_by_one(self, mailing)

    async def close(self) -> None:
        self._open = False
