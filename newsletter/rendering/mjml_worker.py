"""The process that compiles MJML. Run by path, so that it loads nothing but the compiler.

Speaks on its standard streams: a request is four bytes of length (big-endian) and UTF-8 source, an answer the same
with one byte before: "+" and HTML, or "-" and what the compiler said. It has a memory limit of its own and a deep
stack, for the compiler recurses. It ends when its standard input does.
"""

import resource
import struct
import sys
import threading
from typing import BinaryIO

MEMORY = 768 * 1024 * 1024
STACK = 64 * 1024 * 1024


def serve(source: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    from mjml import mjml2html

    while len(head := source.read(4)) == 4:
        request = source.read(struct.unpack(">I", head)[0])
        try:
            flag, answer = b"+", mjml2html(request.decode(), fonts={}, disable_comments=True)
        except MemoryError:
            flag, answer = b"-", "out of memory"
        except Exception as error:  # whatever the compiler raises is an answer
            flag, answer = b"-", str(error)
        body = answer.encode()
        answers.write(flag + struct.pack(">I", len(body)) + body)
        answers.flush()


def main() -> None:
    """Set the limits, then serve in a thread with a deep stack."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.stack_size(STACK)
    thread = threading.Thread(target=serve, args=(sys.stdin.buffer, sys.stdout.buffer))
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
