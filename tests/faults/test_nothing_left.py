"""A run of tests that is killed leaves nothing behind: no database server, no worker, no mail server."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.processes import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
_A_CLUSTER = """
import time
from tests.postgres import running_cluster
with running_cluster() as cluster:
    print(cluster.folder, (cluster.folder / "data/postmaster.pid").read_text().split()[0], flush=True)
    time.sleep(600)
"""
_A_CHILD = """
import os, time
from tests.dying import die_with_parent
starts, ends = os.pipe()
child = os.fork()
if child == 0:
    die_with_parent()
    os.write(ends, b"!")
    time.sleep(600)
os.read(starts, 1)
print(child, flush=True)
time.sleep(600)
"""


def killed(program: str) -> list[str]:
    """Run it until it has said something, kill it, and return what it said."""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline().split()
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert said
    return said


def is_gone(pid: int) -> bool:
    """A process that is dead, be it that nobody has asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_gone(pid):
        assert time.monotonic() < deadline, f"Process {pid} lives on"
        time.sleep(0.02)


@pytest.mark.postgres
def test_the_database_server_goes_with_whoever_wanted_it() -> None:
    folder, pid = killed(_A_CLUSTER)
    until_gone(int(pid))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Path(folder).exists():
        assert time.monotonic() < deadline, f"{folder} is still there"
        time.sleep(0.02)


def test_a_worker_goes_with_whoever_wanted_it() -> None:
    (pid,) = killed(_A_CHILD)
    until_gone(int(pid))
