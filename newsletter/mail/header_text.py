"""Text in header fields: names and subjects in any script, and nothing that could begin another header.

Sources: RFC 5322 §3.2.3-3.2.5 (atoms, quoted strings, folding), RFC 2047 §2 and §5 (encoded words: 75 characters
at most, white space between two of them, never inside an address or a quoted string).
"""

import base64
import re
import unicodedata

from newsletter.errors import Invalid, Problem

#: The longest name shown beside a recipient's address; what is longer is cut, the mail still goes.
LONGEST_NAME = 60
_LINE = 76
_WORD = 75
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PLAIN = re.compile(r"[A-Za-z0-9'-]+(?: [A-Za-z0-9'-]+)*")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_Q_LITERAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
#: What takes one character in a Q word: these, and the space, which is written as "_".
_Q_PLAIN = _Q_LITERAL + b" "
_Q_FORMS = ["_" if octet == 32 else chr(octet) if octet in _Q_LITERAL else f"={octet:02X}" for octet in range(256)]


def checked(text: str, field: str) -> str:
    """The text with its white space made single spaces. Raises Invalid for control characters."""
    # What is printable is of none of these categories, and no bidirectional mark.
    for character in () if text.isprintable() else text:
        if unicodedata.category(character) in _FORBIDDEN_CATEGORIES or character in _BIDI:
            sentence = f"The {field.replace('_', ' ')} cannot hold line breaks or control characters"
            raise Invalid([Problem(field, sentence)])
    return " ".join(text.split())


def shown(name: str) -> str:
    """A recipient's name as the mail shows it. Raises Invalid for control characters."""
    return _cut(checked(name, "name"), LONGEST_NAME)


def checked_address(address: str, field: str) -> str:
    """The address, if it can stand in a header as it is. Raises Invalid otherwise."""
    if not _ADDRESS.fullmatch(address):
        raise Invalid([Problem(field, "The address cannot be used in a mail")])
    return address


def mailbox(label: str, name: str, address: str, *, longest_name: int | None = None) -> bytes:
    """A whole header field with one mailbox, folded, with its CRLF: `To: Asha Patel <asha@example.org>`.

    `label` is the header's name. Raises Invalid, naming the field, for control characters or a bad address.
    """
    if not _ADDRESS.fullmatch(address):
        checked_address(address, label.lower().replace("-", "_"))
    longest_name = longest_name or len(name)
    fits = len(name) <= longest_name and len(label) + len(name) + len(address) + 5 <= _LINE
    if fits and _PLAIN.fullmatch(name):
        return f"{label}: {name} <{address}>\r\n".encode("ascii")
    name = _cut(checked(name, "name"), longest_name) if name else ""
    if not name:
        return f"{label}: {address}\r\n".encode("ascii")
    return fold(label, [*phrase(name, room=_LINE - len(label) - 2), f"<{address}>"])


def unstructured(label: str, text: str) -> bytes:
    """A whole header field of free text (Subject), folded, with its CRLF.

    Raises Invalid for an empty text and for control characters.
    """
    text = checked(text, label.lower())
    if not text:
        raise Invalid([Problem(label.lower(), f"The mail needs a {label.lower()}")])
    words = text.split(" ")
    if text.isascii() and "=?" not in text and max(map(len, words)) < _LINE - len(label) - 2:
        return fold(label, words)
    return fold(label, encoded_words(text, room=_LINE - len(label) - 2))


def phrase(name: str, *, room: int = _WORD) -> list[str]:
    """A display name as tokens that may be folded between: atoms, one quoted string, or encoded words.

    `room` is what the first line leaves beside the header's name. The name must have passed `checked`.
    """
    if _PLAIN.fullmatch(name):
        return name.split(" ")
    if name.isascii() and "=?" not in name:
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if len(quoted) <= room:
            return [quoted]
    return encoded_words(name, room=room)


def encoded_words(text: str, *, room: int = _WORD) -> list[str]:
    """RFC 2047 words in UTF-8, cut between characters; Q where it is the shorter, else B."""
    octets = text.encode()
    q_size = len(octets) + 2 * len(octets.translate(None, _Q_PLAIN))
    quoted = q_size <= 4 * ((len(octets) + 2) // 3)
    wrap = _q_word if quoted else _b_word
    if len(whole := wrap(text)) <= min(_WORD, room):
        return [whole]
    words: list[str] = []
    pending = ""
    for character in text:
        longest = min(_WORD, room) if not words else _WORD
        if pending and len(wrap(pending + character)) > longest:
            words.append(wrap(pending))
            pending = ""
        pending += character
    return [*words, wrap(pending)]


def fold(label: str, tokens: list[str]) -> bytes:
    """Join tokens by single spaces into a header field, breaking lines before those that would pass 76."""
    lines = [f"{label}:"]
    for token in tokens:
        if len(lines[-1]) + 1 + len(token) > _LINE and lines[-1] != f"{label}:":
            lines.append("")
        lines[-1] += f" {token}"
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _q_word(text: str) -> str:
    return f"=?utf-8?q?{''.join([_Q_FORMS[octet] for octet in text.encode()])}?="


def _b_word(text: str) -> str:
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode('ascii')}?="


def _cut(name: str, longest: int) -> str:
    """At most `longest` characters, not ending in half of a joined or accented one."""
    if len(name) <= longest:
        return name
    end = longest
    while end > 1 and (unicodedata.combining(name[end]) or "\u200d" in name[end - 1 : end + 1]):
        end -= 1
    return name[:end].rstrip()
