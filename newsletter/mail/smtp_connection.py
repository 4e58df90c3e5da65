"""Mail transactions on an open SMTP connection, one envelope at a time.

Two ways, chosen by what EHLO offers: one command at a time (RFC 5321), or MAIL, RCPT and DATA in one write with the
replies matched one to one (RFC 2920). The bytes of a message leave in one write with their final dot when they fit
into one block, else block by block.

What may be sent behind the final dot: the next envelope's commands could ride in the same write (RFC 2920 §3.1
allows it after DATA's text), which saves a round trip a message on a distant relay. The parts for it are here:
`_commands` makes the bytes, `_verdict` reads their replies, and neither touches the message before. It is left
out because one envelope would then have two outcomes to wait for; `send` would become a pair (offer, await receipt).

The line between RelayDown and RelayUnsure is drawn by bytes: while any byte of the block with the final dot is
known to be still in this process, the server cannot have the message.
"""

import re
from collections.abc import Sequence
from typing import NoReturn

from newsletter.errors import RelayDown, RelayError, RelayRefused, RelayRejectsUs, RelayUnsure

from .relay import BeforeFinalDot, Envelope, Mailing, Receipt, WireReady, work_one_by_one
from .replies import Reply, Stage, error_for, make
from .smtp_opening import Extensions
from .smtp_wire import Timeouts, Wire, WireLost

_ADDRESS = re.compile(r"[!-~]+@[!-~]+")
_BLOCK = 64 * 1024
_STAGES = (Stage.MAIL, Stage.RCPT, Stage.DATA)


class SmtpConnection:
    """An open connection. Made by SmtpRelay.connect()."""

    def __init__(self, wire: Wire, extensions: Extensions, timeouts: Timeouts) -> None:
        self._wire = wire
        self._extensions = extensions
        self._timeouts = timeouts
        self._doubt = False
        self._must_reset = False

    @property
    def pipelining(self) -> bool:
        """Whether the server takes several commands in one write."""
        return "PIPELINING" in self._extensions

    @property
    def usable(self) -> bool:
        return not self._doubt and self._wire.alive and not self._wire.unread

    async def send(self, envelope: Envelope, *, before_final_dot: BeforeFinalDot | None = None) -> Receipt:
        """Hand one envelope over. See `relay.Connection.send` for the errors."""
        message = _for_the_wire(envelope.message)
        commands = self._commands(envelope, len(envelope.message))
        if not self.usable:
            self._give_up_idle()
        # In doubt until a reply says where the two of us stand.
        self._doubt = True
        try:
            await self._offer(commands)
            await self._write_message(message, before_final_dot)
            return await self._final_reply()
        except WireLost as lost:
            raise RelayDown(f"The mail server {lost} before the message was handed over") from None
        finally:
            if self._doubt:
                self._wire.abort()

    async def work(self, mailing: Mailing) -> None:
        await work_one_by_one(self, mailing)

    async def close(self) -> None:
        if self.usable:
            try:
                self._wire.write(b"QUIT\r\n")
                await self._wire.reply(self._timeouts.leave)
            except WireLost:
                pass
        self._doubt = True
        await self._wire.closed(self._timeouts.leave)

    def _give_up_idle(self) -> NoReturn:
        """Between two messages the server spoke, or went."""
        unasked = self._wire.peek()
        self._doubt = True
        self._wire.abort()
        if unasked is not None and unasked.code >= 400:
            raise make(RelayDown, Stage.HELLO, unasked)
        raise RelayDown("The connection to the mail server is closed")

    def _commands(self, envelope: Envelope, size: int) -> list[bytes]:
        """MAIL, RCPT and DATA. Raises before a byte is sent where they cannot be written or would be in vain."""
        sender, recipient = envelope.sender, envelope.recipient
        if sender and not _is_plain(sender):
            raise RelayRejectsUs("The return path of this mail is not an address that SMTP can carry", code=553)
        if not _is_plain(recipient):
            raise RelayRefused("This is not an address that SMTP can carry", code=553, enhanced="5.1.3")
        mail, rcpt = f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>"
        if "SIZE" in self._extensions:
            limit = self._extensions["SIZE"]
            if limit.isdecimal() and 0 < int(limit) < size:
                raise RelayRejectsUs(
                    f"The mail is too large for the mail server: {size} bytes, and it takes {limit}",
                    code=552,
                    enhanced="5.3.4",
                )
            mail += f" SIZE={size}"
        if "DSN" in self._extensions:
            mail, rcpt = f"{mail} RET=HDRS", f"{rcpt} NOTIFY=FAILURE"
        return [f"{mail}\r\n".encode("ascii"), f"{rcpt}\r\n".encode("ascii"), b"DATA\r\n"]

    async def _offer(self, commands: Sequence[bytes]) -> None:
        """Get as far as 354, or raise what the first refusal means."""
        if self.pipelining:
            replies = await self._say_at_once(commands)
        else:
            replies = await self._say_one_by_one(commands)
        error = self._verdict(replies)
        if error is None:
            return
        codes = [reply.code for reply in replies]
        if len(codes) == len(_STAGES) and codes[-1] == 354:
            # With the recipient accepted, a lone dot would be an empty mail: then only cutting is safe.
            self._doubt = codes[1] < 400 or not await self._taken_back()
        elif error.code:
            self._doubt = 421 in codes
        raise error

    async def _say_at_once(self, commands: Sequence[bytes]) -> list[Reply]:
        reset = self._must_reset
        self._wire.write(b"".join([b"RSET\r\n", *commands] if reset else commands))
        if reset:
            await self._expect_reset()
        replies: list[Reply] = []
        for seconds in (self._timeouts.command, self._timeouts.command, self._timeouts.data):
            try:
                replies.append(await self._wire.reply(seconds))
            except WireLost:
                # What was answered before the end counts: a refusal is a refusal.
                if self._verdict(replies) is None:
                    raise
                break
        return replies

    async def _say_one_by_one(self, commands: Sequence[bytes]) -> list[Reply]:
        if self._must_reset:
            self._wire.write(b"RSET\r\n")
            await self._expect_reset()
        replies: list[Reply] = []
        for stage, command in zip(_STAGES, commands, strict=True):
            self._wire.write(command)
            seconds = self._timeouts.data if stage is Stage.DATA else self._timeouts.command
            replies.append(await self._wire.reply(seconds))
            if not _is_expected(stage, replies[-1]):
                break
        return replies

    async def _expect_reset(self) -> None:
        reply = await self._wire.reply(self._timeouts.command)
        if reply.code != 250:
            raise RelayDown(f"The mail server does not start anew: {reply.text}")
        self._must_reset = False

    def _verdict(self, replies: Sequence[Reply]) -> RelayError | None:
        """What the replies so far come to; None while all is well. Notes when the server has to be reset."""
        for stage, reply in zip(_STAGES, replies, strict=False):
            if _is_expected(stage, reply):
                continue
            if reply.code < 400:
                return RelayDown(f"The mail server answered {stage.value} out of order: {reply.text}")
            self._must_reset = True
            return error_for(stage, reply)
        return None

    async def _taken_back(self) -> bool:
        """354 although nobody is to get it: a lone dot ends it (RFC 2920 §3.1), and must then be refused."""
        try:
            self._wire.write(b".\r\n")
            reply = await self._wire.reply(self._timeouts.final)
        except WireLost:
            return False
        return reply.code >= 400 and reply.code != 421

    async def _write_message(self, message: bytes, before_final_dot: BeforeFinalDot | None) -> None:
        """All of it, to the last byte out of this process. WireLost from here means that the dot did not leave."""
        blocks = [message[start : start + _BLOCK] for start in range(0, len(message), _BLOCK)]
        *before, last = blocks
        for block in before:
            self._wire.write(block)
            await self._wire.drained(self._timeouts.block)
            self._stop_if_answered()
        self._stop_if_answered()
        if before_final_dot is not None:
            before_final_dot()
        self._wire.write(last)
        await self._wire.drained(self._timeouts.block)
        if self._wire.full:
            self._stop_if_answered()

    def _stop_if_answered(self) -> None:
        """A reply to a message that is not complete refuses it; anything else puts the order in doubt."""
        if not self._wire.unread:
            return
        early = self._wire.peek()
        if early is not None and early.code >= 400:
            raise error_for(Stage.DOT, early)
        raise RelayDown("The mail server answered out of order, before it had the message")

    async def _final_reply(self) -> Receipt:
        try:
            reply = await self._wire.reply(self._timeouts.final)
        except WireLost as lost:
            raise RelayUnsure(
                f"The mail server {lost} when it had the message, and did not say whether it took it"
            ) from None
        self._doubt = not (200 <= reply.code < 300 or reply.code >= 400) or reply.code == 421
        if reply.code < 300:
            return Receipt(reply.code, reply.text)
        if reply.code >= 400:
            raise error_for(Stage.DOT, reply)
        raise RelayUnsure(f"The mail server had the message and answered out of order: {reply.text}", reply=reply.text)


def _is_expected(stage: Stage, reply: Reply) -> bool:
    return reply.code == 354 if stage is Stage.DATA else 200 <= reply.code < 300


def _is_plain(address: str) -> bool:
    return bool(_ADDRESS.fullmatch(address)) and not set(address) & set('<>()[]\\,;:"')


def _for_the_wire(message: bytes) -> bytes:
    """With a line end and the final dot. A bare CR or LF would let one mail pose as two (SMTP smuggling)."""
    if isinstance(message, WireReady):
        return message + b".\r\n"
    line_ends = message.count(b"\r\n")
    if message.count(b"\n") != line_ends or message.count(b"\r") != line_ends:
        raise RelayRejectsUs("This mail holds a bare line break and was not sent", code=554, enhanced="5.6.0")
    if b"\r\n." in message or message.startswith(b"."):
        message = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
    return message + (b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n")
