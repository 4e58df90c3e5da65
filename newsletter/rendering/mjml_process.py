"""Keeping one compiler process for all threads, and getting another when it dies.

The compiler is native code that recurses: what overflows its stack ends its process, so it has one of its own.
A fork leaves the child without it (the child starts its own when it needs one); the end of the interpreter ends it.
"""

import atexit
import os
import selectors
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

_WORKER = Path(__file__).with_name("mjml_worker.py")
_HEAD = struct.Struct(">cI")


class CompilerDied(Exception):
    """The process ended, or was ended, before it answered."""


class CompilerSlow(CompilerDied):
    """It did not answer in time, and was ended."""


class CompilerRefused(Exception):
    """The compiler said no; the text is what it said."""


class Compiler:
    """One process, started when first needed. Every method may be called from any thread."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    def compile(self, source: bytes) -> str:
        """The HTML of MJML source. Raises CompilerDied, CompilerSlow or CompilerRefused."""
        with self._lock:
            process = self._running()
            try:
                flag, answer = self._ask(process, source)
            except (OSError, CompilerDied) as error:
                self._end()
                raise error if isinstance(error, CompilerDied) else CompilerDied() from None
            except BaseException:
                self._end()  # an interrupt half way: the answer still to come belongs to nobody
                raise
        if flag != b"+":
            raise CompilerRefused(answer)
        return answer

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process else None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                [sys.executable, "-I", str(_WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, bufsize=0, start_new_session=True,
            )  # fmt: skip
            for pipe in self._pipes(self._process):
                os.set_blocking(pipe.fileno(), False)
        return self._process

    def _ask(self, process: subprocess.Popen[bytes], source: bytes) -> tuple[bytes, str]:
        end = time.monotonic() + self._seconds
        requests, answers = self._pipes(process)
        self._write(requests, struct.pack(">I", len(source)) + source, end)
        flag, length = _HEAD.unpack(self._read(answers, _HEAD.size, end))
        return flag, self._read(answers, length, end).decode()

    def _write(self, pipe: IO[bytes], data: bytes, end: float) -> None:
        view = memoryview(data)
        while view:
            _wait(pipe, selectors.EVENT_WRITE, end)
            view = view[os.write(pipe.fileno(), view[:65536]) :]

    def _read(self, pipe: IO[bytes], size: int, end: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            _wait(pipe, selectors.EVENT_READ, end)
            piece = os.read(pipe.fileno(), min(size - len(data), 1 << 20))
            if not piece:
                raise CompilerDied
            data += piece
        return bytes(data)

    @staticmethod
    def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
        if process.stdin is None or process.stdout is None:
            raise CompilerDied
        return process.stdin, process.stdout

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in self._pipes(process):
            pipe.close()
        process.wait()

    def _forget(self) -> None:
        """After a fork, in the child: the parent's process is not ours to use, to end or to wait for."""
        self._lock = threading.Lock()
        process, self._process = self._process, None
        if process is not None:
            for pipe in self._pipes(process):
                pipe.close()
            process.returncode = 0  # or its destructor would warn that a process it does not own still runs


def _wait(pipe: IO[bytes], event: int, end: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, event)
        if not selector.select(max(0.0, end - time.monotonic())):
            raise CompilerSlow
