"""Reading the files of an import in a process of its own, beside the one that writes.

The task goes in by standard input, keys and all: arguments and environments can be read by others. Batches come out one
at a time; the pipe keeps the reader one batch ahead and no further. A writer that dies takes its reader with it.
"""

import marshal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import IO

from .import_rows import Batch, Refused, Task, batches

#: Smaller files are read in no more time than a process takes to start.
_WORTH_A_PROCESS = 4 * 1024 * 1024
_LENGTH = 8


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
    while length := int.from_bytes(pipe.read(_LENGTH)):
        rows, people, out, refused = marshal.loads(pipe.read(length))  # noqa: S302 (our own child wrote it)
        yield Batch(rows, people, out, [Refused(*one) for one in refused])
    if pipe.read(1) != b".":
        raise RuntimeError("The process that reads the file of an import ended before the file did")


def main() -> None:
    """The child's side."""
    task = Task(*marshal.loads(sys.stdin.buffer.read()))  # noqa: S302 (our own parent wrote it)
    pipe = sys.stdout.buffer
    for batch in batches(task):
        packed = marshal.dumps((batch.rows, batch.people, batch.out, [tuple(one) for one in batch.refused]))
        pipe.write(len(packed).to_bytes(_LENGTH))
        pipe.write(packed)
        pipe.flush()
    pipe.write(bytes(_LENGTH) + b".")
    pipe.flush()


if __name__ == "__main__":
    main()
