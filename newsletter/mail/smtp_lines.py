"""Bytes to replies (RFC 5321 §4.2): what comes in is cut into lines, and lines into whole replies."""

from collections import deque

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
            self._line_received(line[:-1] if line[-1:] == b"\r" else line)
        if len(self._tail) > _LONGEST_LINE:
            raise NotSmtp

    def _line_received(self, line: bytes) -> None:
        code, mark = _CODES.get(line[:3]), line[3:4]
        if code is None or len(line) > _LONGEST_LINE:
            raise NotSmtp
        text = line[4:].decode("utf-8", "replace")
        if mark in _ENDS and not self._lines:
            self._add(Reply(code, (text,)))
            return
        if (self._lines and code != self._code) or len(self._lines) >= _MOST_LINES:
            raise NotSmtp
        self._code = code
        self._lines.append(text)
        if mark in _ENDS:
            lines, self._lines = self._lines, []
            self._add(Reply(code, tuple(lines)))
        elif mark != _GOES_ON:
            raise NotSmtp

    def _add(self, reply: Reply) -> None:
        self.replies.append(reply)
        if len(self.replies) > _MOST_REPLIES:
            raise NotSmtp
