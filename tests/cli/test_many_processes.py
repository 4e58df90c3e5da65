"""The pages in several processes under gunicorn, as processes."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.test_serving import PATIENCE_SECONDS, environment, newsletter
from tests.postfix import free_port


class Web:
    """`newsletter web --processes 2`, on a port of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.port, self.data_dir = free_port(), data_dir
        self.said = data_dir.parent / "said"
        with self.said.open("wb") as output:
            words = ["web", "--port", str(self.port), "--processes", "2", "--threads", "2"]
            self.process = subprocess.Popen(
                [sys.executable, "-m", "newsletter.cli", *words], env=environment(data_dir), stderr=output
            )

    def children(self) -> set[int]:
        pid = self.process.pid
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}

    def answers(self, path: str = "/readyz") -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_SECONDS) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def until_it_answers(self) -> None:
        self.until(self.answers)

    def until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert self.process.poll() is None and time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.05)

    def present(self) -> set[int]:
        """The processes that have said that they serve pages, and have not taken leave."""
        with closing(sqlite3.connect(self.data_dir / "newsletter.db")) as connection:
            rows = connection.execute(
                "SELECT pid FROM worker JOIN process_sign ON worker_id = worker.id"
                " WHERE part = 'web' AND ended_at IS NULL"
            )
            return {pid for (pid,) in rows}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    web = Web(tmp_path / "var")
    yield web
    if web.process.poll() is None:
        web.process.kill()
    web.process.wait()


def test_a_process_that_dies_is_replaced_and_all_leave_in_order(web: Web) -> None:
    web.until_it_answers()
    # One of them answers as soon as it is there.
    web.until(lambda: len(web.children()) == 2)
    before = web.children()
    web.until(lambda: web.present() == before)
    os.kill(min(before), signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(web.children() - {min(before)}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # Both share nothing that one could have taken with it: each has connections of its own to the database.
    assert all(web.answers() for _ in range(8))
    web.until(lambda: web.children() <= web.present())
    assert web.present() - web.children() == {min(before)}, "whoever looks finds it gone: it could not take leave"
    web.process.terminate()
    assert web.process.wait(PATIENCE_SECONDS) == 0
    assert web.present() == {min(before)}
    # No page that was asked for stands in the log: its address may be a key.
    assert not re.search(r"GET|readyz|Traceback", web.said.read_text())


def test_a_wrong_setting_stops_it_in_one_sentence_before_any_process_is_made(tmp_path: Path) -> None:
    done = newsletter(tmp_path / "var", "web", "--processes", "2", "--port", str(free_port()), RUNNER="procrastinate")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "NEWSLETTER_RUNNER=procrastinate needs PostgreSQL" in done.stderr
