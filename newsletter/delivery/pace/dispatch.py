"""Which message leaves next: fair between the recipients' domains, within the ceilings and within the relay's budget.

The next place goes to the domain that has the fewest messages out, in turn among equals (max-min fairness). So a
domain takes all places while nobody else waits, at most its share while others do, and one that stalls holds what
it has and gets no more. A domain that asks us to slow down, or is slow, gets a ceiling of its own.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from ...errors import RelayError
from ...mail.relay import Receipt
from ..ledger.batches import WorkItem
from .ceilings import NO_CEILING, Domain, asks_to_slow_down, domain_of

#: A try is slow when it takes longer than this, and so many times the median of the run.
SLOW_SECONDS, SLOW_TIMES = 5.0, 5.0
#: What is held in memory for one domain that is held back, and for all of them together.
MOST_HELD, MOST_HELD_IN_ALL = 1_000, 5_000
#: Nothing is held in memory for a domain that is not spoken to for longer than this.
LONGEST_HELD_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.25
_MEDIAN_STEP = 1.05
_FORGET_AT = 10_000
_NOT_YET = float("inf")


class Dispatcher:
    """Made for one run, used from one thread. `clock` is monotonic, in seconds. Every call takes constant time.

    What `next_ready` gives out comes back once: by `answered`, or by `returned` if it was not tried.
    """

    def __init__(self, connections: int, clock: Callable[[], float]) -> None:
        self._connections = connections
        self._first_places = max(2, connections // 4)
        self._half, self._most_unanswered = max(2, connections // 2), max(2, connections // 8)
        self._clock = clock
        self._domains: dict[str, Domain] = {}
        self._forget_at = _FORGET_AT
        #: The domains that may get a place, by the number of their messages that are out; the bits tell which of
        #: the lines has somebody in it.
        self._lines: list[OrderedDict[Domain, None]] = [OrderedDict()]
        self._occupied = 0
        self._out: dict[int, tuple[Domain, float]] = {}
        #: When the turn came of those that were taken behind others on their connection.
        self._behind: dict[int, float] = {}
        self._overdue: set[int] = set()
        self._held_back: set[Domain] = set()
        self._pauses: list[tuple[float, int, Domain]] = []
        self._number_of_pauses = 0
        self._allowance: int | None = None
        self._waiting = self._sendable = 0
        self._median = 0.0
        self._look_at = clock() + _LOOK_EVERY_SECONDS

    @property
    def waiting(self) -> int:
        """How many messages have been added and are not given out."""
        return self._waiting

    @property
    def sendable(self) -> int:
        """How many of those only wait for a place. A feeder that looks at `waiting` starves behind a slow domain."""
        return self._sendable

    @property
    def allowance(self) -> int | None:
        """How many may still be given out; None when the relay has no limit."""
        return self._allowance

    def allow(self, number: int) -> None:
        """Let so many more leave. The first call sets a limit where there was none: `allow(0)` holds everything."""
        self._allowance = (self._allowance or 0) + number

    def add(self, items: Iterable[WorkItem]) -> None:
        """Queue these, in their order within each domain."""
        for item in items:
            name = domain_of(item.address)
            domain = self._domains.get(name)
            if domain is None:
                domain = self._domains[name] = Domain(self._first_places)
            domain.items.append(item)
            self._waiting += 1
            if domain.standing_at >= 0:
                self._sendable += 1
            else:
                self._stand(domain)
        if len(self._domains) >= self._forget_at:
            self._forget()

    def next_ready(self, *, behind: bool = False) -> WorkItem | None:
        """A message that may leave now; None when there is none (see `waits`).

        One that is taken `behind` another, on a connection that pipelines, is late only once its turn `began`.
        """
        now = self._clock()
        if now >= self._look_at:
            self._look(now)
        occupied = self._occupied
        if not occupied or self._allowance == 0:
            return None
        level = (occupied & -occupied).bit_length() - 1
        line = self._lines[level]
        domain = next(iter(line))
        item = domain.items.popleft()
        self._waiting -= 1
        self._sendable -= 1
        if self._allowance is not None:
            self._allowance -= 1
        self._out[item.delivery] = domain, now
        if behind:
            self._behind[item.delivery] = _NOT_YET
        self._leave_line(domain)
        domain.out += 1
        domain.unanswered += 1
        self._stand(domain)
        return item

    def began(self, item: WorkItem) -> None:
        """The one before it on its connection is settled: from now on this one may be late."""
        if item.delivery in self._behind:
            self._behind[item.delivery] = self._clock()

    def waits(self) -> float | None:
        """Seconds until a message may leave that may not now; 0 when one may; None when time alone changes nothing."""
        if self._allowance == 0:
            return None
        now = self._clock()
        self._look(now)
        if self._occupied:
            return 0.0
        ends = [end for end, _, domain in self._pauses if domain.items and not domain.overdue]
        return max(0.0, min(ends) - now) if ends else None

    def answered(self, item: WorkItem, outcome: Receipt | RelayError, seconds: float) -> None:
        """What came of a message that was given out, and how long that took. It is not given out again."""
        domain, given_at = self._back(item)
        self._learn(domain, given_at, outcome, seconds)
        self._stand(domain)

    def returned(self, item: WorkItem, outcome: RelayError | None = None, seconds: float = 0.0) -> None:
        """It was given out and not taken: it goes first again, and takes nothing from the allowance.

        `outcome` is what the connection was lost over, if it was; `seconds`, after how long.
        """
        domain, given_at = self._back(item)
        if outcome is not None:
            self._learn(domain, given_at, outcome, seconds)
        domain.items.appendleft(item)
        self._waiting += 1
        if self._allowance is not None:
            self._allowance += 1
        self._stand(domain, first=True)

    def drain(self) -> list[WorkItem]:
        """Everything that waits; nothing does afterwards. What is out still comes back."""
        items: list[WorkItem] = []
        for domain in self._domains.values():
            self._leave_line(domain)
            items += domain.items
            domain.items.clear()
        self._waiting = self._sendable = 0
        return items

    def overfull(self) -> list[WorkItem]:
        """What need not be held in memory, since its domain takes it slowly or not for a while: put it off."""
        if not self._held_back:
            return []
        now = self._clock()
        holding = [domain for domain in self._held_back if domain.items]
        most = max(1, min(MOST_HELD, MOST_HELD_IN_ALL // max(1, len(holding))))
        items: list[WorkItem] = []
        for domain in holding:
            keep = 0 if domain.paused - now > LONGEST_HELD_SECONDS else most
            surplus = len(domain.items) - keep
            if surplus <= 0:
                continue
            self._leave_line(domain)
            items += [domain.items.pop() for _ in range(surplus)]
            self._waiting -= surplus
            self._stand(domain)
        return items

    # A domain's place in line

    def _stand(self, domain: Domain, *, first: bool = False) -> None:
        """Put the domain in line if it may get a place: it has something, and nothing holds it back."""
        silent = domain.unanswered >= self._most_unanswered and domain.out >= self._half
        if not domain.items or domain.out >= domain.ceiling or silent or domain.overdue or domain.paused:
            self._leave_line(domain)
            return
        level = domain.out
        if domain.standing_at != level:
            self._leave_line(domain)
            while len(self._lines) <= level:
                self._lines.append(OrderedDict())
            self._lines[level][domain] = None
            self._occupied |= 1 << level
            domain.standing_at = level
            self._sendable += len(domain.items)
        if first:
            self._lines[level].move_to_end(domain, last=False)

    def _leave_line(self, domain: Domain) -> None:
        level = domain.standing_at
        if level < 0:
            return
        line = self._lines[level]
        del line[domain]
        if not line:
            self._occupied &= ~(1 << level)
        domain.standing_at = -1
        self._sendable -= len(domain.items)

    def _back(self, item: WorkItem) -> tuple[Domain, float]:
        """The message is out no more. Its domain leaves the line: the caller puts it where it belongs now."""
        domain, given_at = self._out.pop(item.delivery)
        self._behind.pop(item.delivery, None)
        self._leave_line(domain)
        domain.out -= 1
        if item.delivery in self._overdue:
            self._overdue.discard(item.delivery)
            domain.overdue -= 1
            self._keep_track(domain)
        return domain, given_at

    # Ceilings and pauses

    def _learn(self, domain: Domain, given_at: float, outcome: Receipt | RelayError, seconds: float) -> None:
        accepted = isinstance(outcome, Receipt)
        slow = seconds > SLOW_SECONDS and (seconds > SLOW_TIMES * self._median if self._median else not accepted)
        if outcome.code:
            domain.unanswered = 0
            self._note(seconds)
        if slow or (not accepted and asks_to_slow_down(outcome)):
            # What was given out before the last change of pace is the same trouble, and counts once.
            if given_at > domain.slowed_at:
                self._slow_down(domain, pause=not accepted)
        elif domain.new:
            if outcome.code:
                domain.replied(self._connections)
        elif accepted and domain.ceiling != NO_CEILING:
            domain.recover(self._connections)
            self._keep_track(domain)

    def _slow_down(self, domain: Domain, *, pause: bool) -> None:
        domain.slow_down(self._clock(), self._connections, pause=pause)
        if pause:
            # The number keeps two pauses that end together from being compared by their domains.
            self._number_of_pauses += 1
            heappush(self._pauses, (domain.paused, self._number_of_pauses, domain))
            self._look_at = min(self._look_at, domain.paused)
        self._keep_track(domain)

    def _keep_track(self, domain: Domain) -> None:
        if domain.held_back:
            self._held_back.add(domain)
        else:
            self._held_back.discard(domain)

    def _look(self, now: float) -> None:
        """What time alone changes: pauses end, and what is out becomes overdue."""
        self._look_at = now + _LOOK_EVERY_SECONDS
        while self._pauses and self._pauses[0][0] <= now:
            domain = heappop(self._pauses)[2]
            if domain.paused <= now:
                domain.paused = 0.0
                self._stand(domain)
        if self._pauses:
            self._look_at = min(self._look_at, self._pauses[0][0])
        patience = max(SLOW_SECONDS, SLOW_TIMES * self._median)
        for delivery, (domain, given_at) in self._out.items():
            began_at = self._behind.get(delivery, given_at)
            if now - began_at > patience and delivery not in self._overdue:
                self._overdue.add(delivery)
                domain.overdue += 1
                self._keep_track(domain)
                self._leave_line(domain)

    def _note(self, seconds: float) -> None:
        """A reply took so long. Move the median a step towards it: it rests where as many are above as below."""
        if self._median == 0:
            self._median = max(seconds, 1e-6)
        elif seconds > self._median:
            self._median *= _MEDIAN_STEP
        else:
            self._median /= _MEDIAN_STEP

    def _forget(self) -> None:
        """A list may have a hundred thousand domains: those of which nothing is to be known take no room."""
        idle = [name for name, its in self._domains.items() if not (its.items or its.out or its.held_back)]
        for name in idle:
            del self._domains[name]
        self._forget_at = max(_FORGET_AT, 2 * len(self._domains))
