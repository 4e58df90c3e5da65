"""Where a relay's limits are set: what a run may send is reserved from the relay's budget, a little at a time."""

import time
from contextlib import suppress
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from ..ledger.batches import BATCH
from ..pace.budget import RelayBudget
from .conductor import Conductor

_ASK_AGAIN_SECONDS, _LOOK_AGAIN_SECONDS = 0.05, 10.0
#: What was granted is given back when it was not used for so long; others may have better use for it.
_MOST_KEPT_SECONDS = 30.0


async def keep_allowance(run: Conductor, budget: RelayBudget) -> None:
    """Give the run's dispatcher leave to send, until the run is over; what is left over goes back."""
    if not budget.limited:
        return
    dispatcher = run.dispatcher
    granted_at = time.monotonic()
    while not run.over:
        allowance = dispatcher.allowance or 0
        wanted = min(dispatcher.sendable, BATCH) - allowance
        wait = 0.0
        if wanted > 0 and run.may_offer:
            # Where the database cannot be asked, nothing is allowed.
            with suppress(SQLAlchemyError):
                granted, wait = await run.beside(partial(budget.reserve, wanted))
                dispatcher.allow(granted)
                granted_at = time.monotonic()
                run.wake(granted)
        elif allowance > 0 and time.monotonic() - granted_at > _MOST_KEPT_SECONDS:
            await _give_back(run, budget)
        await run.pause(min(max(_ASK_AGAIN_SECONDS, wait), _LOOK_AGAIN_SECONDS))
    await _give_back(run, budget)


async def _give_back(run: Conductor, budget: RelayBudget) -> None:
    unused = run.dispatcher.allowance or 0
    run.dispatcher.allow(-unused)
    # What cannot be given back counts as sent: the limit errs to the side of too few.
    with suppress(SQLAlchemyError):
        await run.beside(partial(budget.give_back, unused))
