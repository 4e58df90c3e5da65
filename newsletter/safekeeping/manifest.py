"""What an archive says of itself, in front of everything else: versions, counts, and the SHA-256 of each member."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ..errors import Refused
from .streams import DAMAGED

NAME = "manifest.json"
#: Raised when an older program could not put an archive back as it should be.
FORMAT = 1
LONGEST = 16 * 1024 * 1024

KEYS = "secret_keys"
#: The one member that is the database, by which database it is.
DATABASES = {"sqlite": "newsletter.db", "postgresql": "newsletter.sql"}
ERASURES, OBJECTIONS = "erasures.log", "objections.log"
#: Names are the archive's, never paths: nothing else is ever written, whatever an archive says.
_ALLOWED = re.compile(
    rf"{re.escape(KEYS)}|{re.escape(ERASURES)}|{re.escape(OBJECTIONS)}|newsletter\.db|newsletter\.sql"
    r"|imports/[0-9a-f]{32}/(?:upload|report\.csv)",
    re.ASCII,
)
_TABLE = re.compile(r"[a-z_]{1,60}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class Member:
    """One file of the archive: its length in bytes, and SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What is in an archive. `schema` is the revision of the tables, `rows` how many each table has."""

    made_at: datetime
    program: str
    schema: str
    database: str
    rows: Mapping[str, int]
    members: Mapping[str, Member]
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes of all members, unpacked."""
        return sum(member.size for member in self.members.values())

    def as_bytes(self) -> bytes:
        return json.dumps({**asdict(self), "made_at": self.made_at.isoformat()}, indent=1, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, octets: bytes) -> "Manifest":
        """Read and check. Raises Refused, in words that follow a file's name."""
        try:
            return cls._checked(json.loads(octets))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Refused(DAMAGED) from None

    @classmethod
    def _checked(cls, said: dict[str, Any]) -> "Manifest":
        if said["format"] != FORMAT:
            raise Refused(
                f"was made by another version of this program ({str(said['program'])[:40]}): use that one, or a newer"
            )
        found = cls(
            made_at=datetime.fromisoformat(said["made_at"]),
            program=_text(said["program"]),
            schema=_text(said["schema"]),
            database=_text(said["database"]),
            rows={_matching(_TABLE, table): _number(count) for table, count in said["rows"].items()},
            members={
                _matching(_ALLOWED, name): Member(_number(each["size"]), _matching(_HASH, each["sha256"]))
                for name, each in said["members"].items()
            },
        )
        databases = set(DATABASES.values()) & found.members.keys()
        if found.made_at.tzinfo is None or databases != {DATABASES[found.database]} or KEYS not in found.members:
            raise ValueError
        return found


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 60 or not value.isprintable():
        raise ValueError
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError
    return value


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError
    return value
