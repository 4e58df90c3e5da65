"""Who is next: nobody waits for somebody else's mail server. All on a clock of the test's own."""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.delivery.ledger.batches import WorkItem
from newsletter.delivery.pace.ceilings import asks_to_slow_down
from newsletter.delivery.pace.dispatch import MOST_HELD, MOST_HELD_IN_ALL, Dispatcher
from newsletter.errors import RelayBusy, RelayDown, RelayError, RelayRefused, RelayUnsure
from newsletter.mail.relay import Receipt

TAKEN = Receipt(250, "250 2.0.0 queued")
TOO_FAST = RelayBusy("Later", code=451, enhanced="4.7.28", reply="451 4.7.28 unusual rate of mail")
GREYLISTED = RelayBusy("Later", code=451, enhanced="4.7.1", reply="451 4.7.1 Greylisting in action, come back later")
TIMED_OUT = RelayDown("No answer")

_numbers = count(1)


def mail(domain: str, number: int = 1) -> list[WorkItem]:
    """So many messages to people at the domain."""
    return [
        WorkItem(key, 1, f"reader{key}@{domain}", "", key.to_bytes(16, "big"), None)
        for key in (next(_numbers) for _ in range(number))
    ]


def domain(item: WorkItem) -> str:
    return item.address.rpartition("@")[2]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dispatcher(clock: Clock) -> Dispatcher:
    return Dispatcher(16, clock)


def take(dispatcher: Dispatcher, most: int = 1_000_000) -> list[WorkItem]:
    """What it gives out now, until it gives nothing more."""
    taken: list[WorkItem] = []
    while len(taken) < most and (item := dispatcher.next_ready()) is not None:
        taken.append(item)
    return taken


def acquaint(dispatcher: Dispatcher, *names: str) -> None:
    """Send to these domains, so that it is known how long an answer takes."""
    for name in names:
        dispatcher.add(mail(name, 20))
    while items := take(dispatcher, 16):
        for item in items:
            dispatcher.answered(item, TAKEN, 0.1)


def occupy(dispatcher: Dispatcher, places: int) -> list[WorkItem]:
    """Fill so many places as a run does, where answers come in between."""
    out: list[WorkItem] = []
    while len(out) < places:
        item = dispatcher.next_ready()
        if item is not None:
            out.append(item)
        else:
            dispatcher.answered(out.pop(0), TAKEN, 0.1)
    return out


Answer = Callable[[WorkItem, float], tuple[Receipt | RelayError, float]]


def finish(dispatcher: Dispatcher, clock: Clock, items: Iterable[WorkItem], answer: Answer) -> float:
    """Play a run of 16 connections: each takes what is ready, holds it for as long as `answer` says, takes the next.

    A batch is claimed when little can be sent, what is overfull is put off, as the real run does. Gives back after
    how many seconds everybody but those at stalled.example had their mail.
    """
    began, left = clock.now, list(items)
    missing = sum(domain(item) != "stalled.example" for item in left)
    in_the_air: list[tuple[float, int, WorkItem, Receipt | RelayError, float]] = []
    while missing:
        while left and dispatcher.sendable < 250:
            dispatcher.add(left[:500])
            del left[:500]
            dispatcher.overfull()
        while len(in_the_air) < 16 and (item := dispatcher.next_ready()) is not None:
            outcome, seconds = answer(item, clock.now)
            heapq.heappush(in_the_air, (clock.now + seconds, item.delivery, item, outcome, seconds))
        pause = dispatcher.waits()
        ends = [in_the_air[0][0]] if in_the_air else []
        if pause:
            ends.append(clock.now + pause)
        # The real run looks again at least this often.
        clock.now = min(*ends, clock.now + 0.25)
        while in_the_air and in_the_air[0][0] <= clock.now:
            _, _, item, outcome, seconds = heapq.heappop(in_the_air)
            dispatcher.answered(item, outcome, seconds)
            missing -= domain(item) != "stalled.example"
    return clock.now - began


def test_one_domain_alone_may_have_every_place(dispatcher: Dispatcher) -> None:
    acquaint(dispatcher, "example.org")
    dispatcher.add(mail("example.org", 40))
    # Half at once, and the rest as it answers.
    out = take(dispatcher)
    assert len(out) == 8
    for item in out:
        dispatcher.answered(item, TAKEN, 0.1)
    assert len(occupy(dispatcher, 16)) == 16


def test_the_places_are_shared_out_evenly_between_those_who_wait(dispatcher: Dispatcher) -> None:
    acquaint(dispatcher, "a.example", "b.example", "c.example")
    for name in ("a.example", "b.example", "c.example"):
        dispatcher.add(mail(name, 100))
    assert Counter(map(domain, take(dispatcher, 15))) == {"a.example": 5, "b.example": 5, "c.example": 5}


def test_who_came_later_gets_each_place_that_comes_free_until_both_have_as_many(dispatcher: Dispatcher) -> None:
    acquaint(dispatcher, "first.example", "later.example")
    dispatcher.add(mail("first.example", 100))
    out = occupy(dispatcher, 16)
    dispatcher.add(mail("later.example", 100))
    for item in out[:8]:
        dispatcher.answered(item, TAKEN, 0.1)
        assert domain(dispatcher.next_ready()) == "later.example"
    # Now it is even, and goes in turn.
    dispatcher.answered(out[8], TAKEN, 0.1)
    assert domain(dispatcher.next_ready()) == "first.example"


def test_letters_great_and_small_are_one_domain(dispatcher: Dispatcher) -> None:
    dispatcher.add(mail("Example.ORG", 2) + mail("example.org", 2) + mail("other.example", 4))
    assert Counter(domain(item).lower() for item in take(dispatcher, 4)) == {"example.org": 2, "other.example": 2}


def stalls(item: WorkItem, _now: float) -> tuple[Receipt | RelayError, float]:
    """No answer for five minutes at stalled.example; the others take 50 ms each."""
    return (TIMED_OUT, 300.0) if domain(item) == "stalled.example" else (TAKEN, 0.05)


def test_one_stalled_domain_of_fifty_costs_the_others_next_to_nothing() -> None:
    others = [item for number in range(49) for item in mail(f"d{number}.example", 200)]
    everybody = [*others, *mail("stalled.example", 200)]
    random.Random(50).shuffle(everybody)

    def finished_after(items: list[WorkItem]) -> float:
        clock = Clock()
        return finish(Dispatcher(16, clock), clock, items, stalls)

    without, with_it = finished_after(others), finished_after(everybody)
    # One or two of sixteen places are lost, and nothing waits for them.
    assert without <= with_it <= without * 16 / 14


def test_a_stalled_domain_that_is_half_the_list_does_not_hold_up_the_others() -> None:
    """Nor when it stands at the front: the run reads on, and puts off what it need not hold."""
    stalled, others = mail("stalled.example", 5_000), [each for d in range(20) for each in mail(f"{d}.example", 250)]
    mixed = stalled + others
    random.Random(3).shuffle(mixed)
    for everybody in (stalled + others, mixed):
        clock = Clock()
        # Four places of sixteen are what it got before it was known.
        assert finish(Dispatcher(16, clock), clock, everybody, stalls) <= 5_000 * 0.05 / 12 * 1.1 + 6


def test_a_domain_that_stalls_in_the_middle_does_not_hold_up_the_others() -> None:
    """Half the list is there, and it has answered well for a thousand messages when it falls silent."""
    everybody = mail("stalled.example", 5_000) + [each for d in range(20) for each in mail(f"{d}.example", 250)]
    random.Random(3).shuffle(everybody)
    clock = Clock()

    def answer(item: WorkItem, at: float) -> tuple[Receipt | RelayError, float]:
        return stalls(item, at) if at > 1_003 else (TAKEN, 0.05)

    assert finish(Dispatcher(16, clock), clock, everybody, answer) <= 5_000 * 0.05 / 6 + 8


def test_too_fast_halves_what_may_be_out_once_and_leaves_the_domain_alone_for_a_while(
    dispatcher: Dispatcher, clock: Clock
) -> None:
    acquaint(dispatcher, "slow.example")
    dispatcher.add(mail("slow.example", 100))
    out = occupy(dispatcher, 16)
    clock.now += 1
    for item in out:
        dispatcher.answered(item, TOO_FAST, 1.0)
    assert dispatcher.next_ready() is None
    assert dispatcher.waits() == 30.0
    assert dispatcher.sendable == 0
    assert dispatcher.waiting > 50
    clock.now += 30
    assert dispatcher.waits() == 0
    assert len(take(dispatcher)) == 8


def test_the_pause_doubles_from_half_a_minute_to_half_an_hour(dispatcher: Dispatcher, clock: Clock) -> None:
    dispatcher.add(mail("slow.example", 100))
    pauses = []
    for _ in range(9):
        item = take(dispatcher, 1)[0]
        clock.now += 1
        dispatcher.answered(item, TOO_FAST, 1.0)
        pauses.append(dispatcher.waits())
        clock.now += pauses[-1] or 0
    assert pauses == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]


def test_others_go_on_while_one_is_left_alone(dispatcher: Dispatcher, clock: Clock) -> None:
    dispatcher.add(mail("slow.example", 100) + mail("quick.example", 100))
    item = take(dispatcher, 1)[0]
    assert domain(item) == "slow.example"
    clock.now += 1
    dispatcher.answered(item, TOO_FAST, 1.0)
    assert {domain(each) for each in take(dispatcher, 16)} == {"quick.example"}


def test_a_ceiling_rises_slowly_until_it_is_gone(dispatcher: Dispatcher, clock: Clock) -> None:
    acquaint(dispatcher, "slow.example")
    dispatcher.add(mail("slow.example", 2_000))
    out = take(dispatcher, 4)
    clock.now += 1
    for item in out:
        dispatcher.answered(item, TOO_FAST, 1.0)
    clock.now += 30
    ceilings = []
    for _ in range(7):
        out = take(dispatcher)
        ceilings.append(len(out))
        for item in out:
            dispatcher.answered(item, TAKEN, 0.1)
        for _ in range(20 - len(out)):
            dispatcher.answered(take(dispatcher, 1)[0], TAKEN, 0.1)
    # By one for each twenty acceptances; at sixteen, which is all there are, it is gone.
    assert ceilings == [2, 3, 4, 5, 6, 7, 8]
    for _ in range(20 * 7):
        dispatcher.answered(take(dispatcher, 1)[0], TAKEN, 0.1)
    assert len(occupy(dispatcher, 20)) == 20


def test_slow_is_what_takes_over_five_seconds_and_five_times_as_long_as_usual(
    dispatcher: Dispatcher, clock: Clock
) -> None:
    acquaint(dispatcher, "quick.example", "slow.example")
    dispatcher.add(mail("quick.example", 100) + mail("slow.example", 100))
    out = take(dispatcher, 16)
    for item in [item for item in out if domain(item) == "quick.example"]:
        dispatcher.answered(item, TAKEN, 0.1)
    for item in [item for item in out if domain(item) == "slow.example"]:
        clock.now += 1
        dispatcher.answered(item, TAKEN, 6.0)
    # It is not left alone, since it takes them; but it gets four places, not eight, and then half of that.
    assert Counter(map(domain, take(dispatcher, 16)))["slow.example"] == 4


def test_where_everything_takes_long_nobody_is_slow(dispatcher: Dispatcher, clock: Clock) -> None:
    dispatcher.add(mail("a.example", 400))
    for _ in range(20):
        for item in take(dispatcher, 16):
            dispatcher.answered(item, TAKEN, 20.0)
        clock.now += 20
    assert len(occupy(dispatcher, 16)) == 16


def test_a_domain_that_does_not_answer_gets_nothing_new_until_it_does(dispatcher: Dispatcher, clock: Clock) -> None:
    acquaint(dispatcher, "quick.example", "stalled.example")
    dispatcher.add(mail("quick.example", 10) + mail("stalled.example", 10))
    out = take(dispatcher, 4)
    quick = [item for item in out if domain(item) == "quick.example"]
    stalled = [item for item in out if domain(item) == "stalled.example"]
    for item in quick:
        dispatcher.answered(item, TAKEN, 0.1)
    clock.now += 6
    assert {domain(item) for item in take(dispatcher)} == {"quick.example"}
    assert (dispatcher.waiting, dispatcher.sendable) == (8, 0)
    assert dispatcher.waits() is None
    for item in stalled:
        dispatcher.answered(item, TAKEN, 1.0)
    assert len(take(dispatcher)) == 8


def test_who_waits_behind_another_on_a_connection_is_late_only_once_their_turn_has_come(
    dispatcher: Dispatcher, clock: Clock
) -> None:
    dispatcher.add(mail("stalled.example", 3) + mail("quick.example", 3))
    ahead, follower = dispatcher.next_ready(), dispatcher.next_ready(behind=True)
    assert ahead and follower
    clock.now += 6
    # The domain of the one ahead is late; that of the other has not had its turn.
    assert domain(dispatcher.next_ready()) == "quick.example"
    dispatcher.answered(ahead, TIMED_OUT, 6.0)
    dispatcher.began(follower)
    clock.now += 4
    assert domain(dispatcher.next_ready()) == "quick.example"
    clock.now += 2
    assert dispatcher.next_ready() is None


def test_one_that_followed_another_into_the_same_trouble_counts_with_it(dispatcher: Dispatcher, clock: Clock) -> None:
    acquaint(dispatcher, "slow.example")
    dispatcher.add(mail("slow.example", 100))
    ahead, behind = take(dispatcher, 4), [dispatcher.next_ready(behind=True) for _ in range(4)]
    for first, second in zip(ahead, behind, strict=True):
        assert second
        clock.now += 1
        dispatcher.answered(first, TOO_FAST, 1.0)
        dispatcher.began(second)
    for second in behind:
        assert second
        dispatcher.answered(second, TOO_FAST, 1.0)
    clock.now += 30
    assert len(take(dispatcher)) == 4


def test_what_was_taken_and_not_tried_goes_first(dispatcher: Dispatcher) -> None:
    dispatcher.add(mail("a.example", 3) + mail("b.example", 3))
    first = take(dispatcher, 1)[0]
    dispatcher.returned(first)
    assert dispatcher.next_ready() == first
    assert dispatcher.waiting == 5


def test_a_connection_that_is_closed_for_too_much_mail_slows_the_domain_down(
    dispatcher: Dispatcher, clock: Clock
) -> None:
    dispatcher.add(mail("a.example", 3) + mail("b.example", 3))
    first, second = take(dispatcher, 2)
    clock.now += 1
    dispatcher.returned(first, RelayDown("", code=421, enhanced="4.7.28", reply="421 4.7.28 unusual rate"), 0.1)
    dispatcher.returned(second, RelayDown("The connection was lost"), 0.1)
    assert {domain(item) for item in take(dispatcher)} == {"b.example"}
    clock.now += 30
    assert dispatcher.next_ready() == first


def test_no_more_leaves_than_the_relay_allows(dispatcher: Dispatcher) -> None:
    acquaint(dispatcher, "a.example")
    dispatcher.add(mail("a.example", 30))
    assert dispatcher.allowance is None
    dispatcher.allow(0)
    assert dispatcher.next_ready() is None
    assert dispatcher.waits() is None
    dispatcher.allow(5)
    out = take(dispatcher)
    assert (len(out), dispatcher.allowance) == (5, 0)
    dispatcher.returned(out[0])
    assert dispatcher.allowance == 1
    assert take(dispatcher) == [out[0]]
    dispatcher.answered(out[1], TAKEN, 0.1)
    assert dispatcher.next_ready() is None


def test_a_run_that_stops_gets_everything_back(dispatcher: Dispatcher) -> None:
    items = mail("a.example", 30) + mail("b.example", 3)
    dispatcher.add(items)
    out = take(dispatcher, 4)
    assert {item.delivery for item in dispatcher.drain()} == {item.delivery for item in items if item not in out}
    assert (dispatcher.waiting, dispatcher.sendable, dispatcher.next_ready()) == (0, 0, None)
    dispatcher.returned(out[0])
    assert take(dispatcher) == [out[0]]


def test_only_so_much_is_held_for_a_domain_that_is_slow(dispatcher: Dispatcher, clock: Clock) -> None:
    acquaint(dispatcher, "slow.example")
    items = mail("slow.example", 3_000)
    dispatcher.add(items)
    assert dispatcher.overfull() == []
    out = take(dispatcher, 8)
    clock.now += 1
    dispatcher.answered(out[0], TOO_FAST, 1.0)
    put_off = dispatcher.overfull()
    assert dispatcher.waiting == MOST_HELD
    assert {item.delivery for item in put_off} == {item.delivery for item in items[8 + MOST_HELD :]}
    assert dispatcher.overfull() == []


def test_nothing_is_held_for_a_domain_that_is_left_alone_for_long(dispatcher: Dispatcher, clock: Clock) -> None:
    dispatcher.add(mail("slow.example", 100))
    for _ in range(3):
        item = take(dispatcher, 1)[0]
        clock.now += 1
        dispatcher.answered(item, TOO_FAST, 1.0)
        clock.now += dispatcher.waits() or 0
    item = take(dispatcher, 1)[0]
    clock.now += 1
    dispatcher.answered(item, TOO_FAST, 1.0)
    assert len(dispatcher.overfull()) == 96
    assert (dispatcher.waiting, dispatcher.waits()) == (0, None)


def test_many_slow_domains_share_the_memory(dispatcher: Dispatcher, clock: Clock) -> None:
    for number in range(20):
        dispatcher.add(mail(f"d{number}.example", 1_000))
    for item in take(dispatcher, 20):
        clock.now += 0.001
        dispatcher.answered(item, TOO_FAST, 0.1)
    dispatcher.overfull()
    assert dispatcher.waiting == MOST_HELD_IN_ALL


def test_a_list_of_very_many_domains_is_not_remembered(dispatcher: Dispatcher) -> None:
    for batch in range(100):
        dispatcher.add([each for number in range(500) for each in mail(f"d{batch}-{number}.example")])
        for item in take(dispatcher):
            dispatcher.answered(item, TAKEN, 0.1)
    assert len(dispatcher._domains) <= 10_500  # what it remembers shows nowhere else


@pytest.mark.parametrize(
    ("outcome", "slows"),
    [
        (TAKEN, False),
        (TOO_FAST, True),
        (GREYLISTED, False),
        (RelayBusy("", code=450, enhanced="4.2.0", reply="450 4.2.0 Recipient address rejected: Greylisted"), False),
        (RelayBusy("", code=452, enhanced="4.5.3", reply="452 4.5.3 Too many recipients"), False),
        (RelayBusy("", code=452, enhanced="4.2.2", reply="452 4.2.2 The mailbox is over quota"), False),
        (RelayBusy("", code=451, enhanced="4.7.500", reply="451 4.7.500 Server busy. Please try again later"), True),
        (RelayBusy("", code=451, enhanced="4.7.650", reply="451 4.7.650 temporarily rate limited"), True),
        (RelayBusy("", code=451, enhanced="", reply="451 You are sending too fast"), True),
        (RelayBusy("", code=450, enhanced="4.3.2", reply="450 4.3.2 System not accepting network messages"), True),
        (RelayBusy("", code=451, enhanced="4.3.0", reply="451 4.3.0 Temporary lookup failure"), False),
        (RelayDown("", code=421, enhanced="4.7.0", reply="421 4.7.0 [TSS04] deferred due to unexpected volume"), True),
        (RelayDown("", code=421, enhanced="4.7.0", reply="421 4.7.0 Too many messages on this connection"), False),
        (RelayDown("", code=421, enhanced="4.3.2", reply="421 4.3.2 Service shutting down"), False),
        (RelayDown("The connection was lost"), False),
        (RelayRefused("", code=550, enhanced="5.7.1", reply="550 5.7.1 too many"), False),
        (RelayUnsure("No answer"), False),
    ],
)
def test_which_answers_ask_to_slow_down(outcome: Receipt | RelayError, slows: bool) -> None:
    assert asks_to_slow_down(outcome) is slows


@given(seed=st.integers(0, 2**32), connections=st.integers(1, 20))
@example(seed=64583, connections=1)  # a pause ended before the next look, and nobody looked
def test_whatever_happens_each_message_comes_out_once_and_nothing_is_stuck(seed: int, connections: int) -> None:
    """A run of random events against a plain count of what is where."""
    chance, clock = random.Random(seed), Clock()
    dispatcher = Dispatcher(connections, clock)
    names = [f"d{number}.example" for number in range(chance.randint(1, 6))]
    waiting: set[int] = set()
    out: dict[int, WorkItem] = {}
    for _ in range(300):
        match chance.randrange(7):
            case 0:
                items = [each for name in names for each in mail(name, chance.randrange(4))]
                dispatcher.add(items)
                waiting |= {item.delivery for item in items}
            case 1 | 2 | 3:
                ready = dispatcher.waits() == 0
                item = dispatcher.next_ready()
                assert ready is (item is not None)
                if item is not None:
                    waiting.remove(item.delivery)
                    out[item.delivery] = item
            case 4 | 5 if out:
                item = out.pop(chance.choice(list(out)))
                answer = chance.choice([TAKEN, TAKEN, TAKEN, TOO_FAST, GREYLISTED, TIMED_OUT])
                dispatcher.answered(item, answer, chance.choice([0.01, 1.0, 70.0]))
            case 6 if out:
                item = out.pop(chance.choice(list(out)))
                waiting.add(item.delivery)
                dispatcher.returned(item)
        clock.now += chance.choice([0.0, 0.001, 1.0, 40.0])
        for item in dispatcher.overfull():
            waiting.remove(item.delivery)
        assert dispatcher.waiting == len(waiting)
        assert 0 <= dispatcher.sendable <= dispatcher.waiting
        if not out and waiting:
            # With nothing out, time alone brings the next.
            pause = dispatcher.waits()
            assert pause is not None
            clock.now += pause
            first = dispatcher.next_ready()
            assert first is not None
            dispatcher.returned(first)
    assert {item.delivery for item in dispatcher.drain()} == waiting
