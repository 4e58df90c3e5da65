"""The stage on which whole stories are played. A story says when it `BEGINS`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.stage import Clock, Stage, on_stage


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Clock:
    """Everybody's clock, which stands until the story moves it."""
    standing = Clock(request.module.BEGINS)
    monkeypatch.setattr("newsletter.clock.now", standing)
    return standing


@pytest.fixture
def stage(tmp_path: Path, clock: Clock) -> Iterator[Stage]:
    with on_stage(tmp_path, clock) as up:
        yield up
