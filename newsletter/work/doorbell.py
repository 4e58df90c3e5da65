"""A bell between processes of one machine: datagrams on a Unix socket in the data directory.

Nothing depends on a press being heard: it carries a job's name and ids, and whoever hears it looks at the rows.
"""

import contextlib
import hashlib
import json
import os
import socket
import tempfile
from pathlib import Path
from typing import NamedTuple

from .. import logs

_LONGEST_PATH = 92  # sun_path holds 108 bytes on Linux, 104 elsewhere, and we add a number
_LONGEST_PRESS = 4096


class Press(NamedTuple):
    """What was rung for, and the request that it was rung for by ("" where there was none): for the logs."""

    job_name: str
    ids: tuple[int, ...]
    request_id: str = ""


class Doorbell:
    """One bell per data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.path = _socket_path(data_dir)
        self._listening: socket.socket | None = None

    def press(self, job_name: str, ids: tuple[int, ...]) -> None:
        """Ring; silent when nobody listens or the listener is behind."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell, contextlib.suppress(OSError):
            bell.setblocking(False)
            bell.sendto(json.dumps([job_name, ids, logs.known("request_id")]).encode(), str(self.path))

    def listen(self) -> None:
        """Be the one who hears. A socket left by a process that died is taken over."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # Under a name of our own, then moved: two that begin at once would otherwise meet between the two steps.
        own = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        own.unlink(missing_ok=True)
        listening.bind(str(own))
        own.chmod(0o600)
        own.replace(self.path)
        self._listening = listening

    def hear(self, timeout: float) -> Press | None:
        """The next press, or None after `timeout` seconds, or for a datagram that is none of ours."""
        if self._listening is None:
            raise RuntimeError("listen() first")
        self._listening.settimeout(timeout)
        try:
            job_name, ids, request_id = json.loads(self._listening.recv(_LONGEST_PRESS))
            return Press(str(job_name), tuple(int(number) for number in ids), str(request_id))
        except (TimeoutError, ValueError, TypeError):
            return None

    def close(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            self.path.unlink(missing_ok=True)


def _socket_path(data_dir: Path) -> Path:
    path = data_dir / "doorbell.sock"
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"newsletter-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{digest}.sock"
