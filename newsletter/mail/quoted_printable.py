"""Quoted-printable (RFC 2045 §6.7) that needs no second look on its way through SMTP.

No line begins with a dot (so nothing has to be dot-stuffed, RFC 5321 §4.5.2) or with "From " (which mailbox files
escape), none is longer than 76 characters, and a boundary that begins with "=_" cannot occur.
"""

import re

_LONGEST = 76
_LITERAL = frozenset(range(33, 127)) - {ord("=")}
_BLANK = frozenset(b" \t")
_LINE_END = re.compile(r"\r\n|\r|\n")

SOFT_BREAK = b"=\r\n"


def lines_of(text: str) -> list[str]:
    """The lines of a text whatever its line ends; a last one without an end counts as ended."""
    lines = _LINE_END.split(text)
    return lines[:-1] if lines[-1] == "" else lines


def encode(text: str) -> bytes:
    """A whole body: CRLF line ends, the last line ended too."""
    return b"".join(_encode_line(line.encode()) + b"\r\n" for line in lines_of(text))


def encode_around(pieces: list[str]) -> list[bytes]:
    """Encode the pieces of a body that has slots between them, so that any `encode_value` fits into each slot.

    A slot stands on a line of its own, between soft line breaks. The pieces must hold LF line ends only.
    """
    encoded = [_encode_piece(piece) for piece in pieces]
    encoded[-1] = encoded[-1] if encoded[-1].endswith(b"\r\n") else encoded[-1] + b"\r\n"
    for index in range(len(encoded) - 1):
        if encoded[index] and not encoded[index].endswith(b"\r\n"):
            encoded[index] += SOFT_BREAK
        encoded[index + 1] = SOFT_BREAK + encoded[index + 1]
    return encoded


def encode_value(value: str) -> bytes:
    """What goes into a slot: as it stands if it is plain, else encoded, in lines of 76 with the soft break."""
    return _encode_line(value.encode(), longest=_LONGEST - 1)


def _encode_piece(piece: str) -> bytes:
    *whole, last = piece.split("\n")
    ended = b"".join(_encode_line(line.encode()) + b"\r\n" for line in whole)
    return ended + _encode_line(last.encode(), longest=_LONGEST - 1)


def _encode_line(line: bytes, longest: int = _LONGEST) -> bytes:
    """One line without its end. The last output line has at most `longest` characters."""
    tokens = [_token(octet) for octet in line]
    if tokens and line[-1] in _BLANK:
        tokens[-1] = b"=%02X" % line[-1]
    rows: list[bytes] = []
    row = b""
    for index, token in enumerate(tokens):
        token = _guard(line, index, token) if not row else token
        is_last = index == len(tokens) - 1
        if len(row) + len(token) > (longest if is_last else _LONGEST - 1):
            rows.append(row)
            row, token = b"", _guard(line, index, token)
        row += token
    return SOFT_BREAK.join([*rows, row])


def _token(octet: int) -> bytes:
    return bytes((octet,)) if octet in _LITERAL or octet in _BLANK else b"=%02X" % octet


def _guard(line: bytes, index: int, token: bytes) -> bytes:
    """The first token of an output line: a dot, or the F of "From ", is written in hexadecimal."""
    if token == b"." or (token == b"F" and line.startswith(b"From ", index)):
        return b"=%02X" % line[index]
    return token
