"""The built-in mailbox as a relay: what an installation without a mail server hands its mail to.

It does not know where the mail is kept: the floor that has the database gives it a function to keep one.
"""

from collections.abc import Callable

from newsletter.errors import RelayDown

from .relay import BeforeFinalDot, Envelope, Limits, Mailing, Receipt, work_one_by_one

#: Keeps one envelope for good (a row, committed) before it returns. Raises a RelayError where it cannot.
Store = Callable[[Envelope], None]


class LocalMailbox:
    """Takes everything and lets nothing out. One connection at a time: there is one writer behind it."""

    name = "built-in mailbox"
    limits = Limits(connections=1)

    def __init__(self, store: Store) -> None:
        self._store = store

    async def connect(self) -> "LocalConnection":
        return LocalConnection(self._store)


class LocalConnection:
    """A connection to the built-in mailbox."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open = True

    @property
    def usable(self) -> bool:
        return self._open

    async def send(self, envelope: Envelope, *, before_final_dot: BeforeFinalDot | None = None) -> Receipt:
        """Keep the envelope. Raises what `store` raises: then nothing was kept."""
        if not self._open:
            raise RelayDown("The connection to the built-in mailbox is closed")
        if before_final_dot is not None:
            before_final_dot()
        self._store(envelope)
        return Receipt(250, "250 2.0.0 kept in the built-in mailbox")

    async def work(self, mailing: Mailing) -> None:
        await work_one_by_one(self, mailing)

    async def close(self) -> None:
        self._open = False
