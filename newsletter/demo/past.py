"""Issues of the past: approved, tested, scheduled and sent by the product's own verbs, at the hours of back then."""

from collections.abc import Callable
from datetime import datetime, timedelta

from ..db import db, transaction
from ..delivery import launch
from ..delivery.run import engine
from ..domain.issues import approving, scheduling, testing
from ..errors import RelayRefused, RelayUnsure
from ..mail.local import LocalMailbox
from ..mail.relay import Envelope
from ..models import Account, Issue


class Fiction(LocalMailbox):
    """A mail server of the past. It takes everything and keeps nothing, but for the addresses that it is told of."""

    name = "mail server of the demo"

    def __init__(self, *, gone: tuple[str, ...] = (), silent: tuple[str, ...] = ()) -> None:
        super().__init__(self._answer)
        self._gone, self._silent = gone, silent

    def _answer(self, envelope: Envelope) -> None:
        if envelope.recipient in self._gone:
            raise RelayRefused(
                "The address does not exist", code=550, enhanced="5.1.1", reply="550 5.1.1 No such person here"
            )
        if envelope.recipient in self._silent:
            raise RelayUnsure("The connection was lost after the message had left")


def send(issue: Issue, at: datetime, *, editor: Account, approver: Account, relay: LocalMailbox) -> None:
    """Have the issue go out at `at`: a test the day before, then approval, schedule, launch, and every delivery."""
    before = at - timedelta(days=1)
    prepared = approving.prepare(issue, before)
    with transaction():
        testing.send_test(issue, prepared, [editor.email], actor=editor, now=before)
        approving.submit_for_review(issue, prepared, actor=editor, now=before + timedelta(minutes=5))
        approving.approve(issue, prepared, actor=approver, now=before + timedelta(hours=1))
        scheduling.schedule(issue, at, actor=editor, now=before + timedelta(hours=2))
    launch.launch(issue.id, at)
    engine.send_issue(issue.id, read_clock=_clock(at), relay=relay)
    db.session.expire_all()


def _clock(at: datetime) -> Callable[[], datetime]:
    """The clock of back then. It goes on a little at every look."""
    looks = iter(range(10_000_000))
    return lambda: at + timedelta(seconds=2) + timedelta(milliseconds=25) * next(looks)
