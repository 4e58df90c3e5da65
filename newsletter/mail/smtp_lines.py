"""Bytes to replies (RFC 5321 §4.2): what comes in is cut into lines, and lines into whole replies."""

from collections import deque
from functools import lru_cache

from .replies import Reply

_CODES = {b"%d" % code: code for code in range(200, 600)}
_GOES_ON, _ENDS = b"-", (b" ", b"")
_LONGEST_LINE = 4096
_MOST_LINES = 128
_MOST_REPLIES = 64


class NotSmtp(Exception):
    """The server said something that is no reply: from here on nobody can tell what answers what."""


class ReplyReader:
    """Takes bytes as they come. `replies` holds the whole ones that nobody has taken yet, in order."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self._lines: list[str] = []
        self._code = 0
        self._tail = b""

    @property
    def unread(self) -> bool:
        """Whether there is anything that nobody has taken, be it half a line."""
        return bool(self.replies or self._tail or self._lines)

    def feed(self, data: bytes) -> None:
        """Raises NotSmtp for anything that breaks the order; what was whole before it stays in `replies`."""
        *lines, self._tail = (self._tail + data).split(b"\n") if self._tail else data.split(b"\n")
        for line in lines:
            if not self._lines and (reply := _reply_of_one_line(line)) is not None:
                self.replies.append(reply)
            else:
                self._line_received(line.removesuffix(b"\r"))
        if len(self._tail) > _LONGEST_LINE or len(self.replies) > _MOST_REPLIES:
            raise NotSmtp

    def _line_received(self, line: bytes) -> None:
        """A line of a reply that has more of them."""
        code, mark = _CODES.get(line[:3]), line[3:4]
        if code is None or len(line) > _LONGEST_LINE or len(self._lines) >= _MOST_LINES:
            raise NotSmtp
        if self._lines and code != self._code:
            raise NotSmtp
        self._code = code
        self._lines.append(line[4:].decode("utf-8", "replace"))
        if mark == _GOES_ON:
            return
        if mark not in _ENDS:
            raise NotSmtp
        lines, self._lines = self._lines, []
        self.replies.append(Reply(code, tuple(lines)))


@lru_cache(maxsize=256)
def _reply_of_one_line(line: bytes) -> Reply | None:
    """The reply, with or without its CR; None for what is none of one line. Remembered: most are the same each time."""
    line = line.removesuffix(b"\r")
    code = _CODES.get(line[:3])
    if code is None or line[3:4] not in _ENDS or len(line) > _LONGEST_LINE:
        return None
    return Reply(code, (line[4:].decode("utf-8", "replace"),))
