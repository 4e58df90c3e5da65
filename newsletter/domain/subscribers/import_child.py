"""Reading the files of an import in a process of its own, beside the one that writes.

The task goes in by standard input, keys and all: arguments and environments can be read by others. Batches come out one
at a time, their people packed; the pipe keeps the reader one batch ahead and no further. A writer that dies takes its
reader with it.
"""

import gc
import marshal
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from typing import IO

from .import_cells import Refused
from .import_rows import Batch, Task, batches

#: Smaller files are read in no more time than a process takes to start.
_WORTH_A_PROCESS = 4 * 1024 * 1024
_LENGTH, _END = 8, b"."
_DIED = "The process that reads the file of an import ended before the file did"


@contextmanager
def read_batches(task: Task) -> Iterator[Iterator[Batch]]:
    """The batches of `import_rows.batches`. Raises RuntimeError when the reading process dies."""
    if sum(Path(path).stat().st_size for path, _layout in task.files) < _WORTH_A_PROCESS:
        yield batches(task)
        return
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603 (ourselves)
        assert child.stdin is not None and child.stdout is not None
        try:
            child.stdin.write(marshal.dumps(astuple(task)))
            child.stdin.close()
            yield _received(child.stdout)
        finally:
            child.kill()


def _received(pipe: IO[bytes]) -> Iterator[Batch]:
    while head := _read(pipe):
        rows, many, out, refused = marshal.loads(head)  # noqa: S302 (our own child wrote it)
        packed = _read(pipe)
        yield Batch(rows, packed, out, [Refused(*one) for one in refused], many)
        del packed
    if pipe.read(1) != _END:
        raise RuntimeError(_DIED)


def _read(pipe: IO[bytes]) -> bytes:
    """What was written next; nothing for nothing. Raises RuntimeError where it ends in the middle."""
    length = int.from_bytes(pipe.read(_LENGTH))
    found = pipe.read(length)
    if len(found) < length:
        raise RuntimeError(_DIED)
    return found


def _write(pipe: IO[bytes], what: bytes) -> None:
    pipe.write(len(what).to_bytes(_LENGTH))
    pipe.write(what)


def main() -> None:
    """The child's side."""
    gc.disable()  # nothing here refers to itself, and a list that grows would be looked through again and again
    task = Task(*marshal.loads(sys.stdin.buffer.read()))  # noqa: S302 (our own parent wrote it)
    pipe = sys.stdout.buffer
    for batch in batches(task):
        _write(pipe, marshal.dumps((batch.rows, batch.many, batch.out, [tuple(one) for one in batch.refused])))
        _write(pipe, batch.packed)
        pipe.flush()
        del batch
    pipe.write(bytes(_LENGTH) + _END)
    pipe.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError):  # who it is read for is gone, or has stopped; nobody is there to be told
        main()
    # Nor is there anybody for what is still in the pipe.
    os._exit(0)
