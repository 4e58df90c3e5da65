"""A mail server in a process of its own, which writes down each recipient before it says 250, and takes its time.

    python -m tests.faults.slow_sink RECORD SECONDS ADDRESS        # says its port on standard output

The record is a file of lines, each written whole in one call, so it is true at whatever moment somebody looks or dies:
the system's monotonic clock, and the recipient; all of one length.
"""

import asyncio
import os
import random
import sys
import time
from pathlib import Path

from tests.dying import die_with_parent

#: The bytes of a line of the record.
LINE = 13 + 1 + 60 + 1


class _Session:
    """One connection: pipelining, one recipient a message, an answer after up to `slowest` seconds."""

    def __init__(self, record: int, slowest: float) -> None:
        self._record, self._slowest = record, slowest
        self._random = random.Random()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 sink.example.org ESMTP\r\n")
            recipient = b""
            while True:
                line = await reader.readuntil(b"\n")
                verb = line[:4].upper()
                if verb == b"EHLO":
                    writer.write(b"250-sink.example.org\r\n250-PIPELINING\r\n250 SIZE 33554432\r\n")
                elif verb == b"DATA":
                    writer.write(b"354 go ahead\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    await asyncio.sleep(self._random.uniform(0, self._slowest))
                    os.write(self._record, b"%013.3f %-60b\n" % (time.monotonic(), recipient))
                    await asyncio.sleep(self._random.uniform(0, self._slowest))
                    writer.write(b"250 2.0.0 taken\r\n")
                elif verb == b"QUIT":
                    writer.write(b"221 2.0.0 bye\r\n")
                    break
                else:
                    if verb == b"RCPT":
                        recipient = line.partition(b"<")[2].partition(b">")[0]
                    writer.write(b"250 2.0.0 ok\r\n")
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _run(record: Path, slowest: float, address: str) -> None:
    descriptor = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    server = await asyncio.start_server(
        lambda reader, writer: _Session(descriptor, slowest).serve(reader, writer), address, 0, limit=1 << 22
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(_run(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
