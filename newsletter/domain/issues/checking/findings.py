"""What a check says, and how a person answers it."""

import dataclasses
import hashlib

#: Findings that block, and that a person may still pass, by name and on the record: a number may only look like one.
PASSABLE_BLOCKS = frozenset({"nhs_number", "ni_number", "upn", "birth_date"})


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that stops an issue, or is worth a look.

    `sentence` says what, `why` what comes of it, `excerpt` the words with the fault (masked where they are personal
    data). `block_id` is None for the issue as a whole; `field` is a path in the block's data, such as "items.2.text".
    `suggestion` are better words for the excerpt, or "". `passed` says that a person looked and said "It is right".
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

    @property
    def stops(self) -> bool:
        """Whether the issue cannot be approved because of it."""
        return self.blocking and not self.passed

    @property
    def passable(self) -> bool:
        """Whether "It is right" is an answer."""
        return not self.blocking or self.code in PASSABLE_BLOCKS

    @property
    def text_hash(self) -> bytes:
        """SHA-256 of the words that it is about: a pass holds for these, wherever they stand, and for no others."""
        return hashlib.sha256("\0".join((self.code, self.exact or self.excerpt or self.sentence)).encode()).digest()

    @property
    def key(self) -> str:
        """A name for forms: the same as long as the words are."""
        return f"{self.code}-{self.text_hash.hex()[:16]}"

    def to_json(self) -> dict[str, object]:
        """For machines; nothing in it is masked that is not masked here."""
        return {
            "code": self.code, "blocking": self.blocking, "sentence": self.sentence, "why": self.why,
            "block": self.block_id, "field": self.field, "excerpt": self.excerpt, "suggestion": self.suggestion,
            "passed": self.passed, "key": self.key,
        }  # fmt: skip
