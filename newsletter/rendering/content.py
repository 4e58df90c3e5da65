"""The words of an issue as plain values: what the renderer takes, without a database.

A block outside the database is `{"id", "kind", "version", "data": {…}}`; the fields that every kind shares
stand beside `data`. What is bound (dates of the next issue, addresses, the publication's name) is in `Frame`
and never in a block.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from newsletter.errors import Invalid, Problem
from newsletter.states import Where

#: What a block holds beside its id, kind, version and data, with the value that stands for "nothing said".
COMMON_DEFAULTS: Mapping[str, Any] = {
    "continues": False,
    "diary": "",
    "where": Where.BOTH,
    "language": None,
    "audience_note": "",
}


@dataclass(frozen=True)
class BlockContent:
    """One section of an issue.

    `data` holds the fields of the kind, as its `clean` returned them. `continues` says that it goes on with
    the subject above (no rule is drawn, the contents do not list it); `diary` is the line it gives to Key
    dates; `language` is a BCP 47 tag where it is not the issue's.
    """

    id: str
    kind: str
    data: dict[str, Any]
    version: int = 1
    continues: bool = False
    diary: str = ""
    where: Where = Where.BOTH
    language: str | None = None
    audience_note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The outside form; common fields that say nothing are left out."""
        outside: dict[str, Any] = {
            "id": self.id, "kind": self.kind, "version": self.version, "data": self.data,
        }  # fmt: skip
        for name, default in COMMON_DEFAULTS.items():
            value = getattr(self, name)
            if value != default:
                outside[name] = str(value) if name == "where" else value
        return outside

    @classmethod
    def from_json(cls, outside: Mapping[str, Any]) -> "BlockContent":
        """A block from its outside form. Raises Invalid with a sentence for what has not that form.

        The data is taken as it is: the kind's `clean` judges it.
        """
        if not isinstance(outside, Mapping):
            raise Invalid([Problem("", "A block must be an object with a kind and data.")])
        return _block(outside)


def _block(outside: Mapping[str, Any]) -> BlockContent:
    problems: list[Problem] = []

    def take(name: str, kind: type, default: Any, sentence: str) -> Any:
        value = outside.get(name, default)
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        problems.append(Problem(name, sentence))
        return default

    known = {"id", "kind", "version", "data", *COMMON_DEFAULTS}
    problems += [
        Problem(str(name), f"“{name}” is not a field of a block; the fields of its kind belong in data.")
        for name in outside
        if name not in known
    ]
    block_id = take("id", str, "", "The id of a block must be text.")
    kind = take("kind", str, "", "The kind of a block must be text.")
    if not kind and not problems:
        problems.append(Problem("kind", "A block must say which kind it is."))
    version = take("version", int, 1, "The version of a block must be a whole number.")
    data = take("data", dict, {}, "The data of a block must be an object.")
    continues = take("continues", bool, False, "“continues” must be true or false.")
    diary = take("diary", str, "", "The diary line must be text.")
    note = take("audience_note", str, "", "“Who this is for” must be text.")
    language = outside.get("language")
    if language is not None and not isinstance(language, str):
        problems.append(Problem("language", "The language must be a tag such as en-GB or cy."))
    where = outside.get("where", Where.BOTH)
    if not isinstance(where, str) or where not in set(Where):
        problems.append(Problem("where", "“where” must be both, mail or web."))
    if problems:
        raise Invalid(problems)
    return BlockContent(block_id, kind, data, version, continues, diary, Where(where), language or None, note)


@dataclass(frozen=True)
class Logo:
    """The publisher's mark at the head of an issue. `width` is in CSS pixels."""

    src: str
    alt: str = ""
    decorative: bool = False
    width: int = 56


@dataclass(frozen=True)
class Joinable:
    """A list that an issue offers its readers: by its slug, its name and how often it comes."""

    slug: str
    name: str
    frequency: str = ""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Everything an issue prints that is bound to records and not written in its blocks.

    `next_deadline` and `planned_send` are aware; `timezone` is the IANA name they are printed in. `accent` is
    "#rrggbb". `media_base` is the address prefix of our own pictures, ending in "/": a block's picture is
    `media_base + media`. `why` is the sentence that tells readers why they get this.
    """

    organisation: str
    publication: str
    label: str
    web_url: str
    privacy_url: str
    accessibility_url: str
    organisation_address: str
    contact_email: str
    why: str
    media_base: str
    contact_phone: str = ""
    strapline: str = ""
    preheader: str = ""
    subject: str = ""
    language: str = "en-GB"
    timezone: str = "Europe/London"
    accent: str = "#0E5A63"
    logo: Logo | None = None
    next_issue_label: str | None = None
    next_deadline: datetime | None = None
    contribute_url: str | None = None
    planned_send: datetime | None = None
    subscribe_url: str | None = None
    #: Where whoever got it forwarded signs up for it; "" for a list that nobody can sign up for.
    own_copy_url: str = ""
    #: The address prefix of the pages where people answer a question of ours, ending in "/".
    views_base: str = ""
    #: The lists that its sections offer, as far as readers of this issue can join them.
    joinable: tuple[Joinable, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A mapping of JSON values; instants are ISO 8601 in UTC."""
        outside = asdict(self)
        for name in ("next_deadline", "planned_send"):
            if outside[name] is not None:
                outside[name] = outside[name].astimezone(UTC).isoformat()
        return outside

    @classmethod
    def from_json(cls, outside: Mapping[str, Any]) -> "Frame":
        """The frame of `to_json`. Raises Invalid, naming the field, for a missing or unknown one."""
        values = dict(outside)
        names = {f.name for f in fields(cls)}
        problems = [Problem(name, f"“{name}” is not a field of an issue's frame.") for name in values.keys() - names]
        for name in ("next_deadline", "planned_send"):
            if values.get(name) is not None:
                try:
                    values[name] = _instant(values[name])
                except (TypeError, ValueError):
                    problems.append(Problem(name, f"“{name}” must be a date and time with its offset."))
        if isinstance(values.get("logo"), Mapping):
            values["logo"] = Logo(**values["logo"])
        values["joinable"] = tuple(Joinable(**each) for each in values.get("joinable", ()))
        if problems:
            raise Invalid(problems)
        try:
            return cls(**values)
        except TypeError as error:
            raise Invalid([Problem("", f"The frame is not complete ({error}).")]) from None


def _instant(value: str) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("no offset")
    return instant.astimezone(UTC)


@dataclass(frozen=True)
class IssueContent:
    """An issue, ready to be rendered: its blocks in order, and what is bound."""

    blocks: tuple[BlockContent, ...]
    frame: Frame
