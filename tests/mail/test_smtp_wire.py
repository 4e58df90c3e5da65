"""The wire: lines to replies in whatever pieces they come, and what is known to have left this process."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.replies import Reply
from newsletter.mail.smtp_lines import NotSmtp, ReplyReader
from newsletter.mail.smtp_wire import Wire, WireLost

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])


def run(story: Coroutine[None, None, None], loop: LoopFactory) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story)


words = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=40)
replies = st.builds(Reply, st.integers(200, 599), st.lists(words, min_size=1, max_size=4).map(tuple))


def spelled(reply: Reply, end: str) -> str:
    *goes_on, last = reply.lines
    return "".join(f"{reply.code}-{line}{end}" for line in goes_on) + f"{reply.code} {last}{end}"


@settings(deadline=None)
@given(said=st.lists(replies, max_size=8), cuts=st.lists(st.integers(0, 400)), end=st.sampled_from(["\r\n", "\n"]))
def test_replies_are_the_same_in_whatever_pieces_they_come(said: list[Reply], cuts: list[int], end: str) -> None:
    octets = "".join(spelled(reply, end) for reply in said).encode()
    reader, start = ReplyReader(), 0
    for cut in [*sorted(cuts), len(octets)]:
        reader.feed(octets[start:cut])
        start = max(start, cut)
    assert list(reader.replies) == said
    reader.replies.clear()
    assert not reader.unread


@pytest.mark.parametrize(
    ("octets", "whole_before"),
    [
        (b"250 ok\r\nhello\r\n", 1),
        (b"250-one\r\n251 two\r\n", 0),
        (b"250-one\r\n\r\n", 0),
        (b"250 ok\r\n250-one\r\n250xtwo\r\n", 1),
        (b"250xone\r\n", 0),
        (b"25 what\r\n", 0),
        (b"199 what\r\n", 0),
        (b"600 what\r\n", 0),
        ("２５０ ok\r\n".encode(), 0),
        (b" 250 ok\r\n", 0),
        (b"250 " + b"x" * 5000 + b"\r\n", 0),
        (b"250-" + b"x" * 5000 + b"\r\n", 0),
        (b"x" * 5000, 0),
        (b"250-more\r\n" * 129, 0),
        (b"250 ok\r\n" * 65, 65),
    ],
)
def test_what_is_no_reply_ends_the_conversation(octets: bytes, whole_before: int) -> None:
    for size in (len(octets), 1):
        reader = ReplyReader()
        with pytest.raises(NotSmtp):
            for start in range(0, len(octets), size):
                reader.feed(octets[start : start + size])
        assert len(reader.replies) == whole_before


def test_a_code_alone_is_a_reply() -> None:
    reader = ReplyReader()
    reader.feed(b"250\r\n354\r\n250-\r\n250\r\n25")
    assert list(reader.replies) == [Reply(250, ("",)), Reply(354, ("",)), Reply(250, ("", ""))]
    assert reader.unread


@contextmanager
def listening(receive_buffer: int = 0) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        if receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


async def connected(listener: socket.socket) -> tuple[Wire, socket.socket]:
    """Our wire, and the other side's socket."""
    _, wire = await asyncio.get_running_loop().create_connection(Wire, *listener.getsockname())
    other, _ = listener.accept()
    return wire, other


@LOOPS
def test_what_rides_behind_the_dot_may_still_be_here_when_the_dot_has_left(loop: LoopFactory) -> None:
    """The other side reads a kilobyte at a time: "drained but for 20,000" comes true before all has left."""

    async def story() -> None:
        with listening(receive_buffer=4096) as listener:
            wire, other = await connected(listener)
            sock = wire.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            wire.write(b"x" * 200_000)
            left = asyncio.create_task(wire.drained(30, but=20_000))
            await asyncio.sleep(0)
            assert wire.full
            with other:
                while wire.full:
                    other.recv(1024)
                    await asyncio.sleep(0)
                assert wire.transport.get_write_buffer_size() <= 20_000
                wire.abort()
                assert await left
            await wire.closed(5)

    run(story(), loop)


@LOOPS
def test_what_is_stuck_is_told_from_what_has_left(loop: LoopFactory) -> None:
    async def story() -> None:
        with listening(receive_buffer=4096) as listener:
            wire, other = await connected(listener)
            wire.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            with other:
                wire.write(b"x" * 200_000, b"y" * 100)
                with pytest.raises(WireLost, match="in time"):
                    await wire.drained(0.2, but=100)
                assert wire.full
            await wire.closed(5)

    run(story(), loop)


def test_each_wait_has_its_own_limit_though_there_is_one_timer() -> None:
    async def story() -> None:
        with listening() as listener:
            wire, other = await connected(listener)
            with other:
                # A long wait that is over does not lengthen a short one …
                other.send(b"220 hello\r\n")
                assert (await wire.reply(600)).code == 220
                waiting = asyncio.create_task(wire.reply(0.3))
                await asyncio.sleep(0.1)
                other.send(b"250 one\r\n")
                assert (await waiting).code == 250
                # … nor a short one that is over the next, which outlives the first one's end.
                waiting = asyncio.create_task(wire.reply(600))
                await asyncio.sleep(0.5)
                other.send(b"250 two\r\n")
                assert (await waiting).lines == ("two",)
                with pytest.raises(WireLost, match="did not answer in time"):
                    async with asyncio.timeout(30):
                        await wire.reply(0.1)
                assert not wire.alive
            await wire.closed(5)

    asyncio.run(story())
