"""Ringing: heard after the commit, by whoever the profile says, and harmless when lost."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from newsletter.db import transaction
from newsletter.work import queue, registry
from newsletter.work.doorbell import Doorbell
from newsletter.work.runners import DoorbellRunner, InlineRunner, SilentRunner, ThreadsRunner


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, registry.Job]]:
    """A registry of its own."""
    own: dict[str, registry.Job] = {}
    monkeypatch.setattr(registry, "JOBS", own)
    monkeypatch.setattr("newsletter.work.runners.JOBS", own)
    yield own


def test_two_jobs_cannot_have_one_name(jobs: dict[str, registry.Job]) -> None:
    @registry.job
    def deliver() -> None: ...

    with pytest.raises(ValueError, match="Two jobs are called deliver"):
        registry.job(deliver)


def test_a_ring_is_heard_after_the_commit_and_not_before(app: Flask, jobs: dict[str, registry.Job]) -> None:
    heard: list[tuple[int, ...]] = []
    jobs["send"] = lambda *ids: heard.append(ids)
    app.extensions["newsletter_runner"] = InlineRunner()
    with transaction():
        queue.ring("send", 7)
        assert heard == []
    assert heard == [(7,)]


def test_a_ring_outside_a_transaction_is_a_mistake(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="needs a running transaction"):
        queue.ring("send", 7)


def test_a_job_that_fails_does_not_undo_the_change_that_rang_for_it(
    app: Flask, jobs: dict[str, registry.Job], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError("no mail server")

    jobs["send"] = fail
    app.extensions["newsletter_runner"] = InlineRunner()
    with transaction():
        queue.ring("send")
    assert "A callback after the commit failed" in caplog.text


def test_the_silent_runner_still_knows_a_job_that_does_not_exist(jobs: dict[str, registry.Job]) -> None:
    jobs["send"] = lambda: None
    SilentRunner().ring("send", ())
    with pytest.raises(LookupError, match="no job sned"):
        SilentRunner().ring("sned", ())


def test_a_press_is_heard_with_its_ids(tmp_path: Path) -> None:
    bell = Doorbell(tmp_path)
    bell.listen()
    try:
        DoorbellRunner(Doorbell(tmp_path)).ring("send_issue", (12,))
        assert bell.hear(5) == ("send_issue", (12,), "")
    finally:
        bell.close()


def test_nobody_at_home_a_dead_listener_and_nonsense_do_no_harm(tmp_path: Path) -> None:
    Doorbell(tmp_path).press("send_issue", (1,))
    dead = Doorbell(tmp_path)
    dead.listen()
    assert dead._listening is not None
    dead._listening.close()
    Doorbell(tmp_path).press("send_issue", (1,))
    bell = Doorbell(tmp_path)
    bell.listen()
    try:
        import socket

        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"{not json", str(bell.path))
        assert bell.hear(5) is None
        assert bell.hear(0.01) is None
    finally:
        bell.close()


def test_a_data_directory_with_a_very_long_path_has_a_bell_too(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    bell = Doorbell(deep)
    bell.listen()
    try:
        Doorbell(deep).press("look", ())
        assert bell.hear(5) == ("look", (), "")
    finally:
        bell.close()


def test_a_call_that_is_running_is_run_once_more_and_never_beside_itself(
    app: Flask, jobs: dict[str, registry.Job]
) -> None:
    started, go_on, runs = threading.Semaphore(0), threading.Semaphore(0), []
    busy = threading.Lock()

    def send(issue: int) -> None:
        assert busy.acquire(blocking=False), "the job ran beside itself"
        runs.append(issue)
        started.release()
        go_on.acquire()
        busy.release()

    jobs["send"] = send
    runner = ThreadsRunner(app, dict.fromkeys(registry.Lane, 3))
    runner.ring("send", (1,))
    started.acquire()
    for _ in range(5):
        runner.ring("send", (1,))
    go_on.release()
    started.acquire()
    go_on.release()
    assert runner.stop(timeout=10)
    assert runs == [1, 1]


def test_a_failing_job_leaves_its_thread_to_the_next(
    app: Flask, jobs: dict[str, registry.Job], caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    def fail() -> None:
        raise ValueError("once")

    jobs["fail"], jobs["work"] = fail, done.set
    runner = ThreadsRunner(app, dict.fromkeys(registry.Lane, 1))
    runner.ring("fail", ())
    runner.ring("work", ())
    assert done.wait(10)
    assert runner.stop(timeout=10)
    assert "The job fail failed" in caplog.text
    with pytest.raises(LookupError):
        runner.ring("nothing", ())
