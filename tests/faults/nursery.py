"""Processes of ours by the dozen, without the seconds that each needs to load its programs: one that has them forks.

    python -m tests.faults.nursery

Each line on standard input is JSON: the `words` of a `newsletter` command, the `environment` it runs in and the `log`
that takes what it says. It is run in a process of its own that opens everything anew; the answer is its process id.
An empty line collects the dead, and the answer is the process id and the exit status (or minus the signal) of each.
"""

import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

from newsletter import jobs, scheduler  # noqa: F401  (loaded, so that no child has to)
from newsletter.app import create_app
from newsletter.cli import issues, serving  # noqa: F401 - loaded once, before the forks
from newsletter.cli.main import main
from newsletter.config import Settings
from tests.dying import die_with_parent


def _load_everything() -> None:
    """Make an application and throw it away: much is loaded only then. It connects to nothing, so nothing is shared."""
    with tempfile.TemporaryDirectory() as folder:
        create_app(
            Settings(
                data_dir=Path(folder),
                database_url=f"sqlite:///{folder}/none.db",
                public_url="https://news.example.org",
                secret_keys=(secrets.token_urlsafe(32),),
            )
        )


def _newsletter(words: list[str], environment: dict[str, str], log: str) -> None:
    die_with_parent()
    os.setpgid(0, 0)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["newsletter", *words]
    try:
        main()
    except SystemExit as ended:
        code = ended.code
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)
    os._exit(0)


def _reap() -> str:
    gone = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            break
        gone.append(f"{pid}:{os.waitstatus_to_exitcode(status)}")
    return " ".join(gone)


_load_everything()
for line in sys.stdin:
    if not line.strip():
        print(_reap(), flush=True)
        continue
    order = json.loads(line)
    pid = os.fork()
    if pid == 0:
        _newsletter(order["words"], order["environment"], order["log"])
    print(pid, flush=True)
