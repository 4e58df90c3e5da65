"""The short form of `python -m tests.many`: the same processes and the same deaths, fewer people."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.operations import totals
from tests.faults.processes import forker
from tests.many.__main__ import what_is_wrong
from tests.many.hosts import why_not
from tests.many.storm import Figures, Plan, installation, processes_about

PLAN = Plan(recipients=1_500, sign_ups=30, slowest=0.12, patience=120)


@pytest.fixture(autouse=True)
def _forker() -> Iterator[None]:
    """The process that forks the others ends with the test."""
    yield
    forker().close()
    forker.cache_clear()


def weathered(folder: Path, plan: Plan, and_then: Callable[[], None] = lambda: None) -> Figures:
    """What was seen of this storm, and what must hold of every one."""
    with installation(folder, plan, durable=False) as (storm, _app):
        figures = storm.run()
        print(*figures.lines(), *storm.keeper.falls, sep="\n")
        and_then()
    assert what_is_wrong(figures) == []
    assert figures.accepted + figures.unsure == plan.recipients
    assert len(figures.took_part) > 1
    assert processes_about(folder) == []
    return figures


@pytest.mark.postgres
def test_everything_is_killed_once_and_everybody_is_accounted_for(tmp_path: Path) -> None:
    figures = weathered(tmp_path, PLAN)
    assert set(figures.kills) == {"worker", "web", "web process", "scheduler", "database"}


@pytest.mark.postgres
def test_the_same_on_two_hosts_of_which_one_is_cut_off_while_rings_are_lost_and_doubled(tmp_path: Path) -> None:
    """Each has a network, a machine's id and a data directory of its own, and sees nothing of the other's files."""
    if reason := why_not():
        pytest.skip(reason)
    folders: dict[str, str] = {}

    def ask_for_folders() -> None:
        seen = [(host, row.said) for (name, host), row in totals.totals().items() if name == totals.IMPORTS]
        folders.update(seen)

    figures = weathered(tmp_path, replace(PLAN, hosts=2, rings_fail=True), ask_for_folders)
    assert set(folders) == {"press-1", "press-2"}
    assert len(set(folders.values())) == 2, "each says that it has a folder of imports of its own"
    assert figures.kills["host cut off"] == 1
    assert figures.kills["ring lost"] > 5
    assert figures.kills["ring doubled"] > 5
    for name in ("press-1", "press-2"):
        assert list((tmp_path / name / "wire").iterdir()) == [], "what a dead run left was settled by its own host"
