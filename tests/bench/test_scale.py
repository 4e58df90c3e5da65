"""What is reckoned for more readers than anybody has tried stands on a page, and is what the model says."""

from pathlib import Path

import pytest

from tests.bench.scale import POSTGRESQL, SQLITE, Arrangement, most_a_second, simulated_a_second, tables

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def test_the_page_says_what_the_model_says() -> None:
    page = PAGE.read_text()
    for table in tables().split("\n\n"):
        assert table in page


@pytest.mark.parametrize(
    ("who", "limit"),
    [
        (Arrangement(1, 16, 0.001, 1), "the workers' processors"),
        (Arrangement(1, 16, 0.050, 1), "the way to the relay and back"),
        (Arrangement(4, 64, 0.020, 4, 200), "the relay's pace"),
        (Arrangement(40, 64, 0.020, 1), "the database's processors"),
    ],
)
def test_what_is_scarce_is_the_limit_and_playing_it_comes_close(who: Arrangement, limit: str) -> None:
    most, named = most_a_second(POSTGRESQL, who)
    assert named == limit
    assert 0.85 * most < simulated_a_second(POSTGRESQL, who) < 1.05 * most


def test_where_two_things_are_as_scarce_waiting_takes_its_part() -> None:
    who = Arrangement(1, 4, 3 * SQLITE.sender_seconds, 1)
    most, _named = most_a_second(SQLITE, who)
    assert simulated_a_second(SQLITE, who) < 0.9 * most
