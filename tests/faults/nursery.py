"""Processes of ours by the dozen, without the second that each needs to load its programs: one that has them forks.

    python -m tests.faults.nursery

Each line on standard input is the words of a `newsletter` command, with spaces between: it is run in a process of its
own that opens everything anew, and the answer is its process id. The line "reap" collects the dead, and the answer is
the process id and the exit status (or minus the signal) of each.
"""

import os
import sys

from newsletter import app, jobs, scheduler  # noqa: F401  (loaded, so that no child has to)
from newsletter.cli import issues, serving  # noqa: F401
from newsletter.cli.main import main


def _newsletter(words: list[str]) -> None:
    os.setpgid(0, 0)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
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


for line in sys.stdin:
    if line.strip() == "reap":
        print(_reap(), flush=True)
        continue
    pid = os.fork()
    if pid == 0:
        _newsletter(line.split())
    print(pid, flush=True)
