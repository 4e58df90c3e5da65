"""Mail transactions on an open SMTP connection.

Two ways, chosen by what EHLO offers. One command at a time (RFC 5321): four round trips a message. Or in groups
(RFC 2920): the message, its final dot and MAIL, RCPT and DATA of the next one in one write, so one round trip a
message; §3.1 allows both, and wants the replies matched one to one. The reply to DATA is what proves the match: it
alone is 354, so a server that says one reply too many or too few is found out before the next message's first byte.

At most two messages are out at a time: one whose final dot was written, and the next one's commands.

The line between RelayDown and RelayUnsure is drawn by bytes: while the final dot is known to be still in this
process, the server cannot have the message.
"""

from collections import deque
from collections.abc import Sequence
from typing import NoReturn

from newsletter.errors import RelayDown, RelayError, RelayUnsure

from .relay import BeforeFinalDot, Envelope, Mailing, Receipt
from .replies import Reply, Stage, error_for, make
from .smtp_offer import FINAL_DOT, Offer, Terms
from .smtp_opening import Extensions
from .smtp_wire import Timeouts, Wire, WireLost

_BLOCK = 64 * 1024
_STAGES = (Stage.MAIL, Stage.RCPT, Stage.DATA)
_AS_USUAL = [250, 250, 354]
#: Taken from the mailing and not settled, in the order in which they were offered.
_Out = deque[Offer]


class SmtpConnection:
    """An open connection. Made by SmtpRelay.connect(). `most_messages` is how many it may carry, 0 for any number."""

    def __init__(self, wire: Wire, extensions: Extensions, timeouts: Timeouts, most_messages: int = 0) -> None:
        self._wire = wire
        self._terms = Terms(extensions)
        self._timeouts = timeouts
        self._in_doubt = False
        self._must_reset = False
        self._most_messages = most_messages
        self._offered = 0

    @property
    def pipelining(self) -> bool:
        """Whether the server takes several commands in one write."""
        return self._terms.pipelining

    @property
    def usable(self) -> bool:
        return self._in_order and (self._offered < self._most_messages or not self._most_messages)

    @property
    def _in_order(self) -> bool:
        return not self._in_doubt and self._wire.alive and not self._wire.unread

    async def send(self, envelope: Envelope, *, before_final_dot: BeforeFinalDot | None = None) -> Receipt:
        """Hand one envelope over. See `relay.Connection.send` for the errors."""
        if not self.usable:
            self._give_up_idle()
        errand = _Errand(envelope, before_final_dot)
        await self.work(errand)
        if isinstance(errand.outcome, Receipt):
            return errand.outcome
        raise errand.outcome

    async def work(self, mailing: Mailing) -> None:
        out: _Out = deque()
        how = "closed the connection"
        try:
            while out or self._take(mailing, out):
                outcome = await self._outcome(mailing, out)
                mailing.settled(out.popleft().envelope, outcome)
                if self._in_doubt:
                    break
        except WireLost as lost:
            how = str(lost)
            self._in_doubt = True
        except BaseException:
            how = "was left"
            self._in_doubt = True
            raise
        finally:
            if self._in_doubt:
                self._wire.abort()
            while out:
                offer = out.popleft()
                mailing.settled(offer.envelope, self._how_it_ended(offer, how))

    async def close(self) -> None:
        if self._in_order:
            try:
                self._wire.write(b"QUIT\r\n")
                await self._wire.reply(self._timeouts.leave)
            except WireLost:
                pass
        self._in_doubt = True
        await self._wire.closed(self._timeouts.leave)

    def _give_up_idle(self) -> NoReturn:
        """Between two messages the server spoke, or went, or it has had as many as it may."""
        if self._in_order:
            raise RelayDown("This connection has carried as many messages as it may")
        unasked = self._wire.peek()
        self._in_doubt = True
        self._wire.abort()
        if unasked is not None and unasked.code >= 400:
            raise make(RelayDown, Stage.HELLO, unasked)
        raise RelayDown("The connection to the mail server is closed")

    def _take(self, mailing: Mailing, out: _Out) -> bool:
        """Take the next message that can be said. Those that cannot be are settled without a byte on the wire."""
        while self.usable and (envelope := mailing.next_ready()) is not None:
            try:
                offer = self._terms.offer(envelope)
            except RelayError as error:
                mailing.settled(envelope, error)
                continue
            out.append(offer)
            self._offered += 1
            return True
        return False

    async def _outcome(self, mailing: Mailing, out: _Out) -> Receipt | RelayError:
        """What comes of the first one out. Raises WireLost when the connection ends instead."""
        offer = out[0]
        error = await self._propose(offer)
        if error is None:
            error = await self._hand_over(offer, mailing, out)
        return error or self._settlement(await self._wire.reply(self._timeouts.final))

    def _how_it_ended(self, offer: Offer, how: str) -> Receipt | RelayError:
        """What is known of a message when its connection has ended."""
        if not offer.handed_over:
            return RelayDown(f"The mail server {how} before the message was handed over")
        reply = self._wire.peek()
        if reply is not None:
            # It had come already, and the task was cancelled before it looked.
            return self._settlement(reply)
        return RelayUnsure(f"The mail server {how} when it had the message, and did not say whether it took it")

    # Up to 354

    async def _propose(self, offer: Offer) -> RelayError | None:
        """Get as far as 354, or return what the first refusal means."""
        reset = b"RSET\r\n" if self._must_reset else b""
        if self.pipelining and not offer.said:
            self._wire.write(reset + offer.commands)
        elif reset:
            self._wire.write(reset)
        offer.said = True
        if reset and (error := await self._reset_error()):
            return error
        replies = await (self._group_replies() if self.pipelining else self._say_one_by_one(offer))
        codes = [reply.code for reply in replies]
        if codes == _AS_USUAL or (error := self._verdict(replies)) is None:
            return None
        if len(codes) == len(_STAGES) and codes[-1] == 354:
            # With the recipient accepted, a lone dot would be an empty mail: then only cutting is safe.
            self._in_doubt = codes[1] < 400 or not await self._taken_back()
        else:
            self._in_doubt = not error.code or 421 in codes
        return error

    async def _reset_error(self) -> RelayError | None:
        reply = await self._wire.reply(self._timeouts.command)
        self._in_doubt = reply.code != 250
        self._must_reset = self._in_doubt
        return make(RelayDown, Stage.RSET, reply) if self._in_doubt else None

    async def _group_replies(self) -> list[Reply]:
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

    async def _say_one_by_one(self, offer: Offer) -> list[Reply]:
        replies: list[Reply] = []
        for stage, command in zip(_STAGES, offer.commands.splitlines(keepends=True), strict=True):
            self._wire.write(command)
            seconds = self._timeouts.data if stage is Stage.DATA else self._timeouts.command
            replies.append(await self._wire.reply(seconds))
            if not _is_expected(stage, replies[-1]):
                break
        return replies

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
            self._wire.write(FINAL_DOT)
            reply = await self._wire.reply(self._timeouts.final)
        except WireLost:
            return False
        return reply.code >= 400 and reply.code != 421

    # From 354 to the final dot

    async def _hand_over(self, offer: Offer, mailing: Mailing, out: _Out) -> RelayError | None:
        """Write the message, and behind its final dot what is said for the next one where the server allows it.

        Returns what a refusal means that came before the message was complete. WireLost from here means that the
        dot did not leave.
        """
        message = memoryview(offer.message) if len(offer.message) > _BLOCK else offer.message
        while len(message) > _BLOCK:
            self._wire.write(message[:_BLOCK])
            await self._wire.drained(self._timeouts.block)
            if self._wire.unread:
                return self._answered_early()
            message = message[_BLOCK:]
        if self._wire.unread:
            return self._answered_early()
        following = b""
        if self.pipelining and self._take(mailing, out):
            following = out[-1].commands
            out[-1].said = True
        mailing.before_final_dot(offer.envelope)
        self._wire.write(message, FINAL_DOT + following)
        try:
            offer.handed_over = await self._wire.drained(self._timeouts.block, but=len(following))
        except BaseException:
            offer.handed_over = not self._wire.full
            raise
        return None if offer.handed_over else self._answered_early()

    def _answered_early(self) -> RelayError:
        """A reply to a message that is not complete refuses it; anything else puts the order in doubt."""
        self._in_doubt = True
        early = self._wire.peek()
        if early is not None and early.code >= 400:
            return error_for(Stage.DOT, early)
        return RelayDown("The mail server answered out of order, before it had the message")

    def _settlement(self, reply: Reply) -> Receipt | RelayError:
        """What the answer to a whole message means."""
        if reply.code < 300:
            return Receipt(reply.code, reply.text)
        if reply.code < 400:
            self._in_doubt = True
            return RelayUnsure(
                f"The mail server had the message and answered out of order: {reply.text}", reply=reply.text
            )
        if reply.code == 421:
            self._in_doubt = True
        return error_for(Stage.DOT, reply)


class _Errand:
    """A mailing of one message."""

    def __init__(self, envelope: Envelope, before_final_dot: BeforeFinalDot | None) -> None:
        self.outcome: Receipt | RelayError = RelayDown("The message was not handed over")
        self._waiting: Envelope | None = envelope
        self._before_final_dot = before_final_dot

    def next_ready(self) -> Envelope | None:
        envelope, self._waiting = self._waiting, None
        return envelope

    def before_final_dot(self, envelope: Envelope) -> None:
        if self._before_final_dot is not None:
            self._before_final_dot()

    def settled(self, envelope: Envelope, outcome: Receipt | RelayError) -> None:
        self.outcome = outcome


def _is_expected(stage: Stage, reply: Reply) -> bool:
    return reply.code == 354 if stage is Stage.DATA else 200 <= reply.code < 300
