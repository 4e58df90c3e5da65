"""`newsletter serve` and its parts, as processes."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    ours = {f"NEWSLETTER_{name}": value for name, value in more.items()}
    return {**inherited, "PYTHONPATH": str(ROOT), "NEWSLETTER_DATA_DIR": str(data_dir), **ours}


def newsletter(data_dir: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "newsletter.cli", *words],
        env=environment(data_dir, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


class Serving:
    """`newsletter serve`, on a port of its own."""

    PARTS = ("web", "web", "worker")

    def __init__(self, data_dir: Path, *words: str) -> None:
        self._said = data_dir.parent / "said"
        with self._said.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "newsletter.cli", "serve", "--port", "0", "--web-processes", "2", *words],
                env={**environment(data_dir), "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=output,
            )

    @property
    def said(self) -> str:
        return self._said.read_text()

    def until(self, reached: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    @property
    def address(self) -> str:
        self.until(lambda: "Ctrl-C ends it" in self.said)
        found = re.search(r"Newsletter is at (\S+)", self.said)
        assert found
        return found[1]

    def answers(self, path: str = "/healthz") -> bool:
        try:
            with urllib.request.urlopen(self.address + path, timeout=PATIENCE_SECONDS) as response:
                return response.status == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def children(self) -> dict[int, str]:
        """The parts by their process number: which is "web", which "worker"."""
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                words = (folder / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if parent == self.process.pid and "newsletter.cli" in words:
                found[int(folder.name)] = words[words.index("newsletter.cli") + 1]
        return found

    @property
    def is_whole(self) -> bool:
        return tuple(sorted(self.children().values())) == self.PARTS

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def serving(data_dir: Path) -> Iterator[Serving]:
    serving = Serving(data_dir)
    yield serving
    if serving.process.poll() is None:
        serving.process.kill()
        serving.process.wait()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_says_where_it_is_and_how_to_begin_and_starts_again_what_dies(serving: Serving) -> None:
    serving.until(serving.answers)
    assert re.search(rf"Set it up, once, with this link: {serving.address}/set-up/\S+\n", serving.said)
    assert f"built-in mailbox: {serving.address}/desk/mailbox" in serving.said
    serving.until(lambda: serving.is_whole)
    before = serving.children()

    for pid in before:
        os.kill(pid, signal.SIGKILL)
    # The port stays open meanwhile: who comes now waits, and is not turned away.
    assert serving.answers()
    serving.until(lambda: serving.is_whole and not before.keys() & serving.children().keys())
    assert "The web server ended (exit status -9); it is started again." in serving.said

    after = serving.children()
    assert serving.end() == 0
    assert not any(alive(pid) for pid in after)
    assert "Traceback" not in serving.said


def test_pages_are_answered_while_one_of_the_two_that_serve_them_stands_still(serving: Serving) -> None:
    serving.until(serving.answers)
    serving.until(lambda: serving.is_whole)
    for still in [pid for pid, part in serving.children().items() if part == "web"]:
        os.kill(still, signal.SIGSTOP)
        try:
            # Whoever was waiting at the one that stands still takes its turn there; the next comes to the other.
            assert any(serving.answers() for _ in range(3))
        finally:
            os.kill(still, signal.SIGCONT)


def test_the_parts_leave_when_the_one_who_watches_is_killed(serving: Serving) -> None:
    serving.until(serving.answers)
    serving.until(lambda: serving.is_whole)
    parts = serving.children()
    serving.process.kill()
    serving.process.wait()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(alive(pid) for pid in parts):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_port_in_use_is_one_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = newsletter(data_dir, "serve", "--port", str(port))
    assert result.returncode == 1
    assert result.stderr == (
        f"Cannot listen on 127.0.0.1 port {port} (Address already in use): use --port to choose another\n"
    )


@pytest.mark.parametrize("command", ["serve", "web", "worker", "scheduler", "migrate"])
def test_a_relay_that_is_none_is_one_sentence(data_dir: Path, command: str) -> None:
    port = ["--port", "0"] if command in ("serve", "web") else []
    result = newsletter(data_dir, command, *port, RELAY_URL="nonsense")
    assert result.returncode == 1
    assert result.stderr.startswith("NEWSLETTER_RELAY_URL must have the form ")
    assert result.stderr.count("\n") == 1


def test_the_demo_takes_no_real_relay(data_dir: Path) -> None:
    result = newsletter(data_dir, "serve", "--demo", "--port", "0", RELAY_URL="smtp://127.0.0.1:2525")
    assert (result.returncode, result.stderr) == (1, "The demo sends no mail: unset NEWSLETTER_RELAY_URL\n")


def test_migrate_says_what_it_did(data_dir: Path) -> None:
    first, second = newsletter(data_dir, "migrate"), newsletter(data_dir, "migrate")
    assert re.fullmatch(r"The database was brought from nothing to \S+\.\n", first.stdout)
    assert re.fullmatch(r"The database is up to date \(\S+\)\.\n", second.stdout)
