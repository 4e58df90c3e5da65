"""Links that prove something, and nothing more than that.

Two sorts:

* `Signer`: tokens with one purpose each (confirm, preferences, a form's opening time …), as itsdangerous makes them:
  with HMAC-SHA-256 and a salt of its own per purpose. They carry a random id or an instant, never an address. Whether
  one is expired, used or replaced stands in the database row that the id leads to.
* `permanent_token`: the unsubscribe link and the envelope tag. They never change and never expire: a quarterly is
  acted on years later. 34 bytes: version, key id, 16 bytes of id, the first 16 bytes of an HMAC-SHA-256.
  docs/tokens.md has test vectors.

Every token consists of letters, digits, "-" and "_" only: it survives link rewriting, quoted-printable and
the full stop somebody's mail program glues to it.
"""

import base64
import binascii
import hashlib
import hmac
import re
import uuid
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from .errors import TokenInvalid

_LONGEST = 512
_SIGNATURE_LENGTH = 43  # 32 bytes in base64url without padding
_PERMANENT_VERSION = 1
_PERMANENT_LENGTH = 34
_LEADING_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_COUNTED = "limits.v1"
_MESSAGE_NAME = "message-id.v1"
_OUR_MESSAGE_NAME = re.compile(r"([1-9][0-9]{0,17})\.([1-9][0-9]{0,17})\.[0-9a-f]{18}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_CUT = "This link is not complete. Copy the whole of it from the email, or ask for a new one."


class Purpose(StrEnum):
    """What a token may be used for. A token of one purpose fails for every other."""

    CONFIRM = "confirm.v1"
    NOT_ME = "not-me.v1"
    PREFERENCES = "preferences.v1"
    OWN_DATA = "own-data.v1"
    REJOIN = "rejoin.v1"
    RENEW = "renew.v1"
    NEW_ADDRESS = "new-address.v1"
    CONFIRM_ADDRESS = "confirm-address.v1"
    UNDO_ADDRESS = "undo-address.v1"
    FORM = "form.v1"
    CONTRIBUTION_FORM = "contribution-form.v1"
    CONTRIBUTION = "contribution.v1"
    INVITATION = "invitation.v1"
    SIGN_IN_STEP = "sign-in-step.v1"
    DRAFT = "draft.v1"
    ADDRESS_PROOF = "address-proof.v1"
    PERSONAL_CALENDAR = "personal-calendar.v1"
    VIEWS_FORM = "views-form.v1"
    HELD_PICTURE = "held-picture.v1"
    AGENCY_NOTHING = "agency-nothing.v1"


class Signer:
    """Makes and reads tokens of every purpose. `keys` are oldest first: the newest signs, all verify."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = list(keys)

    def sign_id(self, purpose: Purpose, value: uuid.UUID | bytes) -> str:
        """A token that leads to the row with this random id (or its 16 bytes)."""
        return self._sign(purpose, _octets(value))

    def read_id(self, purpose: Purpose, token: str) -> uuid.UUID:
        """The id in the token. Raises TokenInvalid for anything that we did not make for this purpose."""
        payload = self._read(purpose, token)
        if len(payload) != 16:
            raise TokenInvalid(_CUT)
        return uuid.UUID(bytes=payload)

    def sign_instant(self, purpose: Purpose, instant: datetime) -> str:
        """A token that proves when a form was opened (aware datetime, kept to the microsecond)."""
        return self._sign(purpose, ((instant - _EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big"))

    def read_instant(self, purpose: Purpose, token: str) -> datetime:
        """The instant in the token, aware UTC. Raises TokenInvalid."""
        payload = self._read(purpose, token)
        if len(payload) != 8:
            raise TokenInvalid(_CUT)
        return _EPOCH + timedelta(microseconds=int.from_bytes(payload, "big"))

    def sign_name(self, purpose: Purpose, name: str) -> str:
        """A token that holds this name, such as a picture's: whoever has it was given it by us."""
        return self._sign(purpose, name.encode())

    def read_name(self, purpose: Purpose, token: str) -> str:
        """The name in the token. Raises TokenInvalid."""
        try:
            return self._read(purpose, token).decode()
        except UnicodeDecodeError:
            raise TokenInvalid(_CUT) from None

    def _sign(self, purpose: Purpose, payload: bytes) -> str:
        """What itsdangerous would make, without its full stop, in a tenth of the time: a run makes one a message."""
        head = _encode(payload)
        return (head + _encode(_seal(self._keys[-1], purpose, head))).decode()

    def _read(self, purpose: Purpose, token: str) -> bytes:
        found = _LEADING_TOKEN.match(token[: _LONGEST + 1])
        text = found.group() if found else ""
        if not _SIGNATURE_LENGTH < len(text) <= _LONGEST:
            raise TokenInvalid(_CUT)
        head, seal = text[:-_SIGNATURE_LENGTH], text[-_SIGNATURE_LENGTH:]
        made = (_encode(_seal(key, purpose, head.encode())) for key in reversed(self._keys))
        if not any(hmac.compare_digest(one, seal.encode()) for one in made):
            raise TokenInvalid(_CUT)
        try:
            return _decode(head)
        except (ValueError, binascii.Error):
            raise TokenInvalid(_CUT) from None


class PermanentPurpose(StrEnum):
    UNSUBSCRIBE = "unsubscribe.v1"
    ENVELOPE = "envelope.v1"


def permanent_token(keys: tuple[str, ...], purpose: PermanentPurpose, value: uuid.UUID | bytes) -> bytes:
    """The 34 bytes that lead to `value` (an id, or its 16 bytes) for ever, made with the newest key."""
    key = keys[-1]
    head = _permanent_head(key) + _octets(value)
    return head + _mac(key, purpose, head)


def unsubscribe_token(keys: tuple[str, ...], value: uuid.UUID | bytes) -> str:
    """The part of an unsubscribe address that names a subscription: 46 characters of base64url."""
    return _encode(permanent_token(keys, PermanentPurpose.UNSUBSCRIBE, value)).decode()


def read_unsubscribe_token(keys: tuple[str, ...], token: str) -> uuid.UUID:
    """The subscription's public id. Raises TokenInvalid."""
    found = _LEADING_TOKEN.match(token[: _LONGEST + 1])
    try:
        raw = _decode(found.group() if found else "")
    except (ValueError, binascii.Error):
        raise TokenInvalid(_CUT) from None
    return _read_permanent(keys, PermanentPurpose.UNSUBSCRIBE, raw)


def envelope_tag(keys: tuple[str, ...], value: uuid.UUID | bytes) -> str:
    """The local part of an envelope sender: "b-" and 55 characters of lower-case base32 (57 of 64 octets)."""
    raw = permanent_token(keys, PermanentPurpose.ENVELOPE, value)
    return "b-" + base64.b32encode(raw).decode().rstrip("=").lower()


def read_envelope_tag(keys: tuple[str, ...], local_part: str) -> uuid.UUID:
    """The subscription's public id in a bounce's recipient. Raises TokenInvalid for a forged one."""
    text = local_part.lower().removeprefix("b-").upper()
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except (ValueError, binascii.Error):
        raise TokenInvalid(_CUT) from None
    return _read_permanent(keys, PermanentPurpose.ENVELOPE, raw)


def _read_permanent(keys: tuple[str, ...], purpose: PermanentPurpose, raw: bytes) -> uuid.UUID:
    if len(raw) != _PERMANENT_LENGTH or raw[0] != _PERMANENT_VERSION:
        raise TokenInvalid(_CUT)
    head, mac = raw[:18], raw[18:]
    for key in keys:
        if _key_id(key) == raw[1] and hmac.compare_digest(_mac(key, purpose, head), mac):
            return uuid.UUID(bytes=head[2:])
    raise TokenInvalid(_CUT)


def _mac(key: str, purpose: PermanentPurpose, head: bytes) -> bytes:
    return _seal(key, purpose, head)[:16]


def _seal(key: str, purpose: str, message: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104) of the message under a key of this purpose's own, derived from `key`."""
    fresh_inner, fresh_outer = _keyed(key, purpose)
    inner, outer = fresh_inner.copy(), fresh_outer.copy()
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=256)
def _keyed(key: str, purpose: str) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """The two hashes of an HMAC that have taken its key and nothing else, to be copied: that is most of the work.

    (`hmac.HMAC.copy` does the same, through so many calls that it takes half as long again.)
    """
    derived = hmac.digest(key.encode(), purpose.encode(), "sha256").ljust(hashlib.sha256().block_size, b"\0")
    inner, outer = (hashlib.sha256(bytes(octet ^ pad for octet in derived)) for pad in (0x36, 0x5C))
    return inner, outer


@lru_cache(maxsize=256)
def _permanent_head(key: str) -> bytes:
    return bytes([_PERMANENT_VERSION, _key_id(key)])


@lru_cache(maxsize=256)
def _key_id(key: str) -> int:
    return hashlib.sha256(b"key id:" + key.encode()).digest()[0]


def _octets(value: uuid.UUID | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.bytes


def _encode(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=")


def _decode(text: str) -> bytes:
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encode(raw).decode() != text:
        # base64 ignores stray bits in the last character: one token, one spelling.
        raise ValueError("not canonical")
    return raw


def keyed_hash(keys: tuple[str, ...], purpose: str, text: str) -> bytes:
    """HMAC-SHA-256 of `text` under the oldest key, which is the one that is never retired (suppressions)."""
    return _seal(keys[0], purpose, text.encode())


def counted_as(keys: tuple[str, ...], text: str) -> str:
    """What stands for an address or a network among the counters of limits: 32 hex digits."""
    return keyed_hash(keys, _COUNTED, text).hex()[:32]


def message_name(keys: tuple[str, ...], issue: int, delivery: int) -> str:
    """The part of an issue's Message-ID before the @: "issue.delivery.seal", the same at each try.

    The seal (9 bytes of a keyed hash, in hexadecimal) keeps others from making one that we would take for ours.
    """
    name = f"{issue}.{delivery}"
    return f"{name}.{keyed_hash(keys, _MESSAGE_NAME, name)[:9].hex()}"


def read_message_name(keys: tuple[str, ...], name: str) -> tuple[int, int]:
    """The numbers of the issue and of the delivery in a Message-ID of ours. Raises TokenInvalid for a forged one."""
    found = _OUR_MESSAGE_NAME.fullmatch(name)
    if found is None:
        raise TokenInvalid(_CUT)
    issue, delivery = int(found[1]), int(found[2])
    if not hmac.compare_digest(message_name(keys, issue, delivery), name):
        raise TokenInvalid(_CUT)
    return issue, delivery
