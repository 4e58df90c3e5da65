"""What differs between two versions of an issue: section by section, field by field, word by word."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any
from uuid import UUID

from sqlalchemy import tuple_

from ...db import db
from ...i18n import gettext as _
from ...i18n import ngettext
from ...models import Block, BlockRevision, Issue, IssueVersion
from ...rendering import when
from ...rendering.blocks import kind as kind_of
from ...rendering.content import BlockContent
from ...rendering.fields import Field, FieldType
from ...rendering.picture_names import size_of
from ...rendering.rich_reading import Item, List, Run, read
from ...states import Where
from . import framing
from .changed import FieldChange, SectionChange, What
from .word_pieces import Mark, Piece, word_pieces

__all__ = [
    "FieldChange",
    "Mark",
    "Piece",
    "SectionChange",
    "Stood",
    "What",
    "changes",
    "compare",
    "in_short",
    "in_words",
    "of_revision",
    "standing_in",
    "standing_now",
    "stood",
    "word_pieces",
]


@dataclass(frozen=True)
class Stood:
    """A section as it stood at one version."""

    block_id: UUID
    version: int
    kind: str
    data: Mapping[str, Any]
    common: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its heading, or what it is."""
        content = BlockContent(str(self.block_id), self.kind, dict(self.data))
        return kind_of(self.kind).summary(content)

    def lines(self) -> dict[str, tuple[str, str]]:
        """Its words by the path of their field: the field's label, and the words."""
        found = dict(_lines(kind_of(self.kind).fields, self.data))
        found.update(_common_lines(self.common))
        return found


def standing_now(issue: Issue) -> list[Stood]:
    """The sections of the issue as they stand."""
    return [stood(block) for block in issue.blocks]


def stood(block: Block) -> Stood:
    """A section as it stands."""
    common = {name: getattr(block, name) for name in ("diary", "where", "language", "audience_note")}
    return Stood(block.id, block.version, block.kind, block.data, common)


def standing_in(version: IssueVersion) -> list[Stood]:
    """The sections of a version, in order; without those whose words were taken down since."""
    wanted = [(entry.block_id, entry.block_version) for entry in version.entries]
    kept = {
        (each.block_id, each.version): each
        for each in db.session.query(BlockRevision).where(
            tuple_(BlockRevision.block_id, BlockRevision.version).in_(wanted)
        )
    }
    return [of_revision(kept[key]) for key in wanted if key in kept]


def of_revision(revision: BlockRevision) -> Stood:
    """A section as a revision keeps it."""
    data = revision.data
    return Stood(revision.block_id, revision.version, data["kind"], data["data"], data)


def changes(from_version: IssueVersion, to_version: IssueVersion | Issue) -> list[SectionChange]:
    """What differs between two versions, or between a version and the issue as it stands, in the order of the
    later; subject and preview text come first, what was removed comes last."""
    after = standing_now(to_version) if isinstance(to_version, Issue) else standing_in(to_version)
    return [*framing.difference(from_version, to_version), *compare(standing_in(from_version), after)]


def compare(before: Sequence[Stood], after: Sequence[Stood]) -> list[SectionChange]:
    """What differs between two lists of sections."""
    old = {each.block_id: each for each in before}
    new = {each.block_id: each for each in after}
    moved = _moved([each.block_id for each in before], [each.block_id for each in after])
    found = []
    for each in after:
        was = old.get(each.block_id)
        fields = _fields(was.lines() if was else {}, each.lines())
        if was is None:
            found.append(SectionChange(each.block_id, each.kind, each.name, What.ADDED, fields, None, each.version))
        elif fields or each.block_id in moved:
            what = What.CHANGED if fields else What.MOVED
            found.append(
                SectionChange(
                    each.block_id, each.kind, each.name, what, fields, was.version, each.version,
                    each.block_id in moved,
                )
            )  # fmt: skip
    for was in before:
        if was.block_id not in new:
            fields = _fields(was.lines(), {})
            found.append(SectionChange(was.block_id, was.kind, was.name, What.REMOVED, fields, was.version, None))
    return found


def in_words(found: Sequence[SectionChange]) -> str:
    """ "3 sections changed, 1 added, order changed, subject changed"; "" where nothing differs."""
    sections = [each for each in found if each.kind != framing.KIND]
    numbers = {what: sum(1 for each in sections if each.what is what) for what in What}
    parts: list[str] = []
    for what, one, many in (
        (What.CHANGED, _("%(number)s section changed"), _("%(number)s sections changed")),
        (What.ADDED, _("%(number)s section added"), _("%(number)s sections added")),
        (What.REMOVED, _("%(number)s section removed"), _("%(number)s sections removed")),
    ):
        number = numbers[what]
        if number and parts:
            parts.append(f"{number} {_(what.value)}")
        elif number:
            parts.append(ngettext(one, many, number) % {"number": number})
    if any(each.moved for each in found):
        parts.append(_("order changed"))
    parts += [_("%(name)s changed") % {"name": each.name.lower()} for each in found if each.kind == framing.KIND]
    told = ", ".join(parts)
    return told[:1].upper() + told[1:]


def in_short(before: IssueVersion | None, after: IssueVersion) -> str:
    """`in_words` of two versions by their numbers alone, for long lists; how many sections, where there is none
    before."""
    if before is None:
        number = len(after.entries)
        return ngettext("%(number)s section", "%(number)s sections", number) % {"number": number}
    old = {entry.block_id: entry.block_version for entry in before.entries}
    new = {entry.block_id: entry.block_version for entry in after.entries}
    moved = _moved(list(old), list(new))
    found = [_told(each, old.get(each), version, each in moved) for each, version in new.items()]
    found += [_told(each, version, None) for each, version in old.items() if each not in new]
    told = [each for each in found if each.moved or each.before != each.after]
    return in_words([*told, *framing.difference(before, after)])


def _told(block_id: UUID, before: int | None, after: int | None, moved: bool = False) -> SectionChange:
    what = What.ADDED if before is None else What.REMOVED if after is None else What.CHANGED
    return SectionChange(
        block_id, "", "", What.MOVED if before == after else what, (), before, after, moved
    )  # fmt: skip


def _moved(before: Sequence[UUID], after: Sequence[UUID]) -> set[UUID]:
    """Which of those that stand in both were put elsewhere: all but the longest runs that kept their order."""
    both = set(before) & set(after)
    old = [each for each in before if each in both]
    new = [each for each in after if each in both]
    kept = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    stayed = {old[place] for block in kept for place in range(block.a, block.a + block.size)}
    return both - stayed


def _fields(before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]]) -> tuple[FieldChange, ...]:
    found = []
    for path in dict.fromkeys([*after, *before]):
        label = (after.get(path) or before[path])[0]
        was, now = before.get(path, ("", ""))[1], after.get(path, ("", ""))[1]
        if was != now:
            found.append(FieldChange(label, word_pieces(was, now)))
    return tuple(found)


def _lines(fields: Sequence[Field], data: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
    """(path, (label, words)) of every field that says something."""
    for field in fields:
        value = data.get(field.name)
        if not value:
            continue
        here = f"{path}{field.name}"
        match field.type:
            case FieldType.GROUP if isinstance(value, Mapping):
                yield from _lines(field.fields, value, f"{here}.")
            case FieldType.ITEMS if isinstance(value, list):
                yield here, (field.label, "\n".join(_entry(field, each) for each in value))
            case FieldType.STRINGS if isinstance(value, list):
                yield here, (field.label, "\n".join(map(str, value)))
            case _:
                yield here, (field.label, _words(field, value))


def _entry(field: Field, data: Mapping[str, Any]) -> str:
    """An entry of a list in one line."""
    return ". ".join(words.rstrip(".") for _path, (_label, words) in _lines(field.fields, data)) + "."


def _words(field: Field, value: Any) -> str:
    match field.type:
        case FieldType.RICH:
            return "\n".join(_rich(str(value)))
        case FieldType.FLAG:
            return str(_("Yes"))
        case FieldType.CHOICE:
            return str(dict(field.choices).get(value, value))
        case FieldType.DATE | FieldType.MOMENT:
            return when.words(str(value))
        case FieldType.MEDIA:
            return _picture(str(value))
    return str(value)


def _picture(name: str) -> str:
    """A few letters that tell it from another one, and its size: its whole name says nothing to people."""
    size, mark = size_of(name), name[:4]
    if size is None:
        return _("picture {mark}").format(mark=mark)
    return _("picture {mark}, {width} by {height}").format(mark=mark, width=size[0], height=size[1])


def _rich(html: str) -> Iterator[str]:
    """The paragraphs, headings and points of a rich text, one a line."""
    for node in read(html):
        if isinstance(node, List):
            yield from _points(node.items, "")
        else:
            yield _run_words(node.runs)


def _points(items: Sequence[Item], indent: str) -> Iterator[str]:
    for item in items:
        yield f"{indent}• {_run_words(item.runs)}"
        for inner in item.lists:
            yield from _points(inner.items, indent + "  ")


def _run_words(runs: Sequence[Run]) -> str:
    """The words, each link with where it leads: a link that changed is a change."""
    return "".join(f"{run.text} ({run.href})" if run.href else run.text for run in runs)


_COMMON_LABELS = {
    "diary": _("Line in Key dates"),
    "language": _("Language"),
    "audience_note": _("Who this is for"),
}
_WHERE_WORDS = {Where.MAIL.value: _("Only in the mail"), Where.WEB.value: _("Only on the web page")}


def _common_lines(common: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, label in _COMMON_LABELS.items():
        if common.get(name):
            yield f"c.{name}", (label, str(common[name]))
    if words := _WHERE_WORDS.get(str(common.get("where", ""))):
        yield "c.where", (_("Where it stands"), words)
