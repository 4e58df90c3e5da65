"""A mail server in a process of its own that takes everything, and answers a while later: a long way, without the way.

    python -m tests.bench.slow_sink MILLISECONDS [--one-by-one]        # says its port on standard output

What it says is held back for so long, each answer for itself, so any number of them are on their way at once. It models
round trips and nothing else: no slow start, no window, no bandwidth.
"""

import argparse
import asyncio

from tests.dying import die_with_parent

_END = b"\r\n.\r\n"


class _Session(asyncio.Protocol):
    def __init__(self, delay: float, pipelining: bool) -> None:
        self._delay, self._pipelining = delay, pipelining
        self._loop = asyncio.get_running_loop()
        self._unread = b""
        self._in_message = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._say(b"220 sink.example.org ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        unread, answers = self._unread + data, b""
        while True:
            end, mark = (unread.find(_END), len(_END)) if self._in_message else (unread.find(b"\n"), 1)
            if end < 0:
                break
            line, unread = unread[:end], unread[end + mark :]
            answers += b"250 2.0.0 taken\r\n" if self._in_message else self._answer(line.upper())
            self._in_message = not self._in_message and line.upper().startswith(b"DATA")
        self._unread = unread
        if answers:
            self._say(answers)

    def _answer(self, line: bytes) -> bytes:
        if line.startswith(b"EHLO"):
            return b"250-sink.example.org\r\n" + b"250-PIPELINING\r\n" * self._pipelining + b"250 SIZE 33554432\r\n"
        if line.startswith(b"DATA"):
            return b"354 go ahead\r\n"
        return b"221 2.0.0 bye\r\n" if line.startswith(b"QUIT") else b"250 2.0.0 ok\r\n"

    def _say(self, answers: bytes) -> None:
        self._loop.call_later(self._delay, self._write, answers)

    def _write(self, answers: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answers)


async def _serve(delay: float, pipelining: bool) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Session(delay, pipelining), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.slow_sink", description=__doc__)
    parser.add_argument("milliseconds", type=float)
    parser.add_argument("--one-by-one", action="store_true", help="offer no PIPELINING")
    options = parser.parse_args()
    die_with_parent()
    asyncio.run(_serve(options.milliseconds / 1000, not options.one_by_one))
