"""Postfix's programs for tests, wherever they are: its SMTP sink and source, and what a mail server of it needs.

They are taken from the folder that NEWSLETTER_TEST_POSTFIX names (Debian's package, unpacked and not installed), or
from this system. Where there are none a test is skipped, with the reason; on a machine that says CI it fails instead.

    tools = postfix_tools()                                # or the fixture `postfix`
    with tools.sink() as port: …                           # takes everything, and throws it away
    rate = tools.source_rate(port, messages=20_000)        # messages a second that Postfix's own client reaches
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HOST = "127.0.0.1"
VARIABLE = "NEWSLETTER_TEST_POSTFIX"
#: Long enough for a process to start on a busy machine; reaching it is a failure.
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class PostfixTools:
    """Postfix below `root`: "/" where it is installed, or where its package was unpacked."""

    root: Path

    @property
    def commands(self) -> Path:
        """Where smtp-sink, smtp-source, postfix and postconf lie."""
        return self.root / "usr/sbin"

    @property
    def daemons(self) -> Path:
        return self.root / "usr/lib/postfix/sbin"

    @property
    def libraries(self) -> Path:
        """Its shared libraries, which an unpacked program must be told of."""
        return self.root / "usr/lib/postfix"

    @property
    def environment(self) -> dict[str, str]:
        """What its programs are run with: nothing of ours but the path to its libraries."""
        return {"PATH": f"{self.commands}:/usr/sbin:/usr/bin:/bin", "LD_LIBRARY_PATH": str(self.libraries), "LANG": "C"}

    @contextmanager
    def sink(self, *options: str, port: int = 0) -> Iterator[int]:
        """Run smtp-sink on loopback and yield its port (a free one, unless it is given); stopped afterwards.

        `options` are those of smtp-sink(1): `-p` offers no pipelining, `-w 1` waits a second at DATA.
        """
        port = port or free_port()
        nobody = ("-u", "nobody") if os.geteuid() == 0 else ()
        command = [str(self.commands / "smtp-sink"), *nobody, *options, f"{HOST}:{port}", "1000"]
        with subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL) as process:
            try:
                wait_for_port(port, process)
                yield port
            finally:
                process.terminate()
                process.wait()

    def source_rate(self, port: int, *, messages: int, sessions: int = 16, length: int = 31_000) -> float:
        """Messages a second that smtp-source hands to `port`: one recipient each, connections kept.

        `length` is that of a body in bytes. Raises subprocess.CalledProcessError when a message was not taken.
        """
        kept = "-d"
        counts = ("-s", str(sessions), "-m", str(messages), "-l", str(length))
        addresses = ("-f", "newsletter@example.org", "-t", "reader@example.org")
        command = [str(self.commands / "smtp-source"), kept, *counts, *addresses, f"{HOST}:{port}"]
        began = time.perf_counter()
        subprocess.run(command, env=self.environment, check=True, capture_output=True)
        return messages / (time.perf_counter() - began)

    def run(self, name: str, *words: str | Path) -> str:
        """Run one of its commands to its end; returns what it printed. Raises CalledProcessError, with its words."""
        done = subprocess.run(
            [str(self.commands / name), *map(str, words)], env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, name, done.stdout, done.stderr)
        return done.stdout


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        number: int = probe.getsockname()[1]
        return number


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until something listens on `port`. Raises AssertionError when `process` ends before, or it takes too long."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError(f"Nothing listens on port {port}")


def find_postfix(roots: Sequence[Path] | None = None) -> PostfixTools | None:
    """The first of `roots` that holds Postfix; by default the folder of the variable, then this system."""
    if roots is None:
        named = os.environ.get(VARIABLE)
        roots = [Path(named)] if named else [Path("/")]
    return next((PostfixTools(root) for root in roots if (root / "usr/sbin/smtp-sink").exists()), None)


def postfix_tools() -> PostfixTools:
    """Postfix's programs. Skips the test where there are none; in CI it fails."""
    found = find_postfix()
    if found is None:
        message = f"Postfix is not installed, and {VARIABLE} names no folder where its package was unpacked"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="session")
def postfix() -> PostfixTools:
    """Postfix's programs, for a test that asks for them."""
    return postfix_tools()
