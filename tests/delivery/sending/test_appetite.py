"""How many messages a run takes in hand, by how fast they leave."""

import pytest

from newsletter.delivery.pace.appetite import LEAST, MOST, Appetite


@pytest.mark.parametrize(
    ("a_second", "portion"),
    [(10_000, MOST), (2_000, 500), (1, LEAST), (0.3, LEAST)],
    ids=["as fast as it goes", "two thousand a second", "one a second", "a thousand an hour"],
)
def test_a_run_holds_what_leaves_in_a_moment(a_second: float, portion: int) -> None:
    time = 100.0
    appetite = Appetite(lambda: time)
    for _ in range(20):
        time += appetite.next_portion() / a_second
    assert appetite.next_portion() == pytest.approx(portion, rel=0.01)


def test_the_first_claim_is_small_and_the_next_grow_step_by_step() -> None:
    """The first message leaves soon, and one quick start is not taken for a fast server."""
    time = 100.0
    appetite = Appetite(lambda: time)
    portions = []
    for _ in range(4):
        portions.append(appetite.next_portion())
        time += 0.001
    assert portions == [100, 400, 1_000, 1_000]


def test_a_run_that_slows_down_takes_less() -> None:
    time = 100.0
    appetite = Appetite(lambda: time)
    for _ in range(5):
        appetite.next_portion()
        time += 0.01
    assert appetite.portion == MOST
    time += 60
    assert appetite.next_portion() == LEAST
