"""The name of a request: who may give it, where it stands, and that it reaches the jobs that were rung for."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from newsletter import logs
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.mail.memory import MemoryRelay
from newsletter.work.doorbell import Doorbell
from newsletter.work.registry import JOBS, Lane
from newsletter.work.runners import DoorbellRunner, SilentRunner, ThreadsRunner

GIVEN = {"X-Request-ID": "from-the-proxy-1"}


def test_nobody_but_a_proxy_of_ours_names_a_request(app: Flask, settings: Settings) -> None:
    behind = create_app(replace(settings, trusted_proxies=1), runner=SilentRunner(), relay=MemoryRelay())
    direct = app.test_client().get("/healthz", headers=GIVEN).headers["X-Request-ID"]
    assert len(direct) == 16
    assert direct != app.test_client().get("/healthz", headers=GIVEN).headers["X-Request-ID"]
    assert behind.test_client().get("/healthz", headers=GIVEN).headers["X-Request-ID"] == "from-the-proxy-1"
    assert len(behind.test_client().get("/healthz", headers={"X-Request-ID": "a b"}).headers["X-Request-ID"]) == 16


def test_a_request_is_told_of_by_its_page_never_by_its_address(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "newsletter.web.tracing"):
        answer = app.test_client().get("/password/IjQ2ZjE5YmYzLTU0MmEi.aSH3Zg.9vIQ0Vv1kq2")
    assert caplog.messages[0].startswith(f"GET account.choose_password: {answer.status_code} in ")
    assert "IjQ2" not in caplog.text


def test_the_name_goes_with_the_ring_to_the_job(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str, str]] = []
    monkeypatch.setitem(
        JOBS, "look", lambda: seen.append((logs.known("request_id"), logs.known("job"), logs.known("job_id")))
    )
    bell = Doorbell(tmp_path)
    bell.listen()
    try:
        with logs.about(request_id="0011223344556677"):
            DoorbellRunner(Doorbell(tmp_path)).ring("look", ())
        press = bell.hear(5)
    finally:
        bell.close()
    assert press is not None
    runner = ThreadsRunner(app, dict.fromkeys(Lane, 1))
    with logs.about(request_id=press.request_id):
        runner.ring(press.job_name, press.ids)
    assert runner.stop(10)
    [(request_id, job, job_id)] = seen
    assert (request_id, job, len(job_id)) == ("0011223344556677", "look", 16)
