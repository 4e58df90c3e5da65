"""Reading the files of an import in a process of its own, beside the one that writes.

The task goes in by standard input, keys and all: arguments and environments can be read by others. Batches come out one
at a time, their people in parts, so that neither side holds a batch twice; the pipe keeps the reader one batch ahead
and no further. A writer that dies takes its reader with it.
"""

import gc
import marshal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from itertools import islice
from pathlib import Path
from typing import IO, Any

from .import_cells import Refused
from .import_rows import Batch, Person, Task, batches

#: Smaller files are read in no more time than a process takes to start.
_WORTH_A_PROCESS = 4 * 1024 * 1024
_LENGTH, _END = 8, b"."
#: How many people are handed over at once.
_PART = 2_000
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
    while (head := _read(pipe)) is not None:
        rows, many, out, refused = head
        people = _people(pipe, many)
        yield Batch(rows, people, out, [Refused(*one) for one in refused], many)
        for _left in people:
            pass  # whoever stopped in the middle of a batch reads no other
    if pipe.read(1) != _END:
        raise RuntimeError(_DIED)


def _people(pipe: IO[bytes], many: int) -> Iterator[Person]:
    while many > 0:
        part = _read(pipe)
        if part is None:
            raise RuntimeError(_DIED)
        many -= len(part)
        yield from part


def _read(pipe: IO[bytes]) -> Any:
    """What was written next; None for nothing."""
    length = int.from_bytes(pipe.read(_LENGTH))
    return marshal.loads(pipe.read(length)) if length else None  # noqa: S302 (our own child wrote it)


def _write(pipe: IO[bytes], what: Any) -> None:
    packed = marshal.dumps(what)
    pipe.write(len(packed).to_bytes(_LENGTH))
    pipe.write(packed)


def main() -> None:
    """The child's side."""
    gc.disable()  # nothing here refers to itself, and a list that grows would be looked through again and again
    task = Task(*marshal.loads(sys.stdin.buffer.read()))  # noqa: S302 (our own parent wrote it)
    pipe = sys.stdout.buffer
    for batch in batches(task):
        _write(pipe, (batch.rows, batch.many, batch.out, [tuple(one) for one in batch.refused]))
        people = iter(batch.people)
        while part := list(islice(people, _PART)):
            _write(pipe, part)
        pipe.flush()
        del batch, people, part
    pipe.write(bytes(_LENGTH) + _END)
    pipe.flush()


if __name__ == "__main__":
    main()
