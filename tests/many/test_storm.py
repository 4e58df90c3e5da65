"""The short form of `python -m tests.many`: the same processes and the same deaths, fewer people."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.processes import forker
from tests.many.__main__ import what_is_wrong
from tests.many.storm import Plan, installation, processes_about

PLAN = Plan(recipients=1_500, sign_ups=30, slowest=0.12, patience=120)


@pytest.fixture(autouse=True)
def _forker() -> Iterator[None]:
    """The process that forks the others ends with the test."""
    yield
    forker().close()
    forker.cache_clear()


@pytest.mark.postgres
def test_everything_is_killed_once_and_everybody_is_accounted_for(tmp_path: Path) -> None:
    with installation(tmp_path, PLAN, durable=False) as (storm, _app):
        figures = storm.run()
        print(*figures.lines(), *storm.keeper.falls, sep="\n")
    assert what_is_wrong(figures) == []
    assert set(figures.kills) == {"worker", "web", "web process", "scheduler", "database"}
    assert figures.accepted + figures.unsure == PLAN.recipients
    assert len(figures.took_part) > 1
    assert processes_about(tmp_path) == []
