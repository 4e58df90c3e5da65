"""Two places agree: what the code says and what the pages say."""

import re
import tomllib
from dataclasses import fields
from enum import StrEnum
from pathlib import Path

import pytest

from newsletter import states
from newsletter.config import Settings

ROOT = Path(__file__).parents[2]


def first_cells(page: str) -> list[str]:
    """The first cell of every table row of a page, without its backquotes."""
    rows = re.findall(r"^\| *`?([^|`]+?)`? *\|", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.M)
    return [cell for cell in rows if not set(cell) <= set("-: ")]


STATES = [kind for kind in vars(states).values() if isinstance(kind, type) and issubclass(kind, StrEnum)]


@pytest.mark.parametrize("kind", [kind for kind in STATES if kind is not StrEnum], ids=lambda kind: kind.__name__)
def test_every_state_has_a_row_in_docs_states(kind: type[StrEnum]) -> None:
    written = first_cells("states.md")
    assert [state.value for state in kind if state.value not in written] == []


def test_docs_states_names_no_state_that_does_not_exist() -> None:
    spelled = {state.value for kind in STATES if kind is not StrEnum for state in kind}
    headings = {
        "source",
        "text",
        "kind",
        "purpose",
        "naming",
        "state",
        "event",
        "reason",
        "mode",
        "cadence",
        "where",
        "lawful basis",
        "role",
        "skipped because",
    }
    assert set(first_cells("states.md")) - spelled - headings == set()


def test_docs_states_gives_the_transitions_of_an_issue() -> None:
    page = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    for state, ways in states.ISSUE_TRANSITIONS.items():
        row = re.search(rf"^\| `{state}` \|[^|]*\|([^|]*)\|", page, re.M)
        assert row is not None, state
        assert set(re.findall(r"`(\w+)`", row.group(1))) == {way.value for way in ways}, state


def test_every_setting_has_a_row_and_every_row_a_setting() -> None:
    names = {f"NEWSLETTER_{field.name.upper()}" for field in fields(Settings)}
    assert {cell for cell in first_cells("settings.md") if cell != "setting"} == names


def test_every_direct_dependency_has_a_line_that_says_what_it_is_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + [line for extra in project["optional-dependencies"].values() for line in extra]
    names = {re.match(r"[\w-]+", line).group() for line in wanted}
    assert {cell for cell in first_cells("dependencies.md") if cell != "package"} == names


def test_the_vectors_in_docs_tokens_are_the_ones_that_are_tested() -> None:
    from tests.ground.test_tokens import VECTOR_ENVELOPE, VECTOR_UNSUBSCRIBE

    page = (ROOT / "docs" / "tokens.md").read_text(encoding="utf-8")
    assert f"`{VECTOR_UNSUBSCRIBE}`" in page
    assert f"`{VECTOR_ENVELOPE}`" in page
