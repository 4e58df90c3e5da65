"""What a check says, and how a person answers it."""

import dataclasses
import hashlib

from .registry import RULES, Family, Weight


@dataclasses.dataclass(frozen=True)
class Change:
    """Other words in one field of a section: `old` becomes `new`.

    `path` is a path in the section's data. In a `rich` field words are looked for between the tags. `whole`: only
    where a whole stretch of text is `old`; `link`: in the addresses, and not in the words.
    """

    path: str
    old: str
    new: str
    rich: bool = False
    whole: bool = False
    link: bool = False


@dataclasses.dataclass(frozen=True)
class Fix:
    """What one click can do about a finding. `words` say what it does; a `safe` one needs nobody to think about it."""

    words: str
    changes: tuple[Change, ...]
    safe: bool = False


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that stops an issue, or is worth a look.

    `sentence` says what, `why` what comes of it, `excerpt` the words with the fault (masked where they are personal
    data). `block_id` is None for the issue as a whole; `field` is a path in the block's data, such as "items.2.text".
    `suggestion` are better words for the excerpt, or "". `passed` says that a person looked and said "It is right".
    `code` is one of registry.RULES.
    """

    code: str
    blocking: bool
    sentence: str
    why: str = ""
    block_id: str | None = None
    field: str = ""
    excerpt: str = ""
    suggestion: str = ""
    passed: bool = False
    #: What makes this text this one, where the excerpt is masked. Never shown or logged.
    exact: str = dataclasses.field(default="", repr=False)
    fix: Fix | None = dataclasses.field(default=None, repr=False)

    @property
    def stops(self) -> bool:
        """Whether the issue cannot be approved because of it."""
        return self.blocking and not self.passed

    @property
    def passable(self) -> bool:
        """Whether "It is right" is an answer; where it blocks, by name, with a reason, and on the record."""
        return not self.blocking or RULES[self.code].weight is Weight.REASON

    @property
    def family(self) -> Family:
        return RULES[self.code].family

    @property
    def mend(self) -> str:
        """How to mend it, in one sentence."""
        return RULES[self.code].mend

    @property
    def text_hash(self) -> bytes:
        """SHA-256 of the words that it is about: a pass holds for these, wherever they stand, and for no others."""
        return hashlib.sha256("\0".join((self.code, self.exact or self.excerpt or self.sentence)).encode()).digest()

    @property
    def key(self) -> str:
        """A name for forms: the same as long as the words are."""
        return f"{self.code}-{self.text_hash.hex()[:16]}"

    def to_json(self) -> dict[str, object]:
        """For machines; what is masked in the excerpt is in nothing else here."""
        return {
            "code": self.code, "blocking": self.blocking, "sentence": self.sentence, "why": self.why,
            "mend": self.mend, "block": self.block_id, "field": self.field, "excerpt": self.excerpt,
            "suggestion": self.suggestion, "passed": self.passed, "key": self.key,
        }  # fmt: skip
