"""What every kind of block can do. A kind is a table of fields, three templates' worth of looks, and its rules."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

from markupsafe import Markup, escape

from newsletter.errors import Invalid, Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import characters, checks, cleaning, plain, rich, styles, templates, when
from newsletter.rendering.content import BlockContent
from newsletter.rendering.context import Context, direction
from newsletter.rendering.fields import Field, FieldType

TEXT_GROUP, FACTS_GROUP, PEOPLE_GROUP, ASK_GROUP = _("Text"), _("Facts and dates"), _("People"), _("Ask")

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
#: As long as a heading may be.
_SUMMARY = 90
_LONGEST_NOTE = 150


@dataclass(frozen=True)
class Part:
    """A block in its surroundings, as a text rendering sees it: `data` is cleaned."""

    content: BlockContent
    data: dict[str, Any]
    context: Context

    def words(self, text: str, **values: object) -> str:
        """An interface text in the issue's language, with its values put in."""
        return self.context.gettext(text).format(**values)

    @cached_property
    def audience(self) -> str:
        """ "Who this is for: …", or ""."""
        note = self.content.audience_note
        return self.words("Who this is for: {people}", people=note) if note else ""

    def opened(self, heading: str, *parts: str, byline: str = "") -> str:
        """The heading with its rule, the byline, whom the block is for, and its parts with air between them.

        The first part follows the rule at once unless something stands between; what is missing is left out.
        """
        title = plain.underlined(heading, whole=not self.content.continues) if heading else ""
        above = plain.lines(title, plain.wrap(byline), plain.wrap(self.audience))
        if title and above == title:
            first, *others = [part for part in parts if part] or [""]
            return plain.spaced(plain.lines(title, first), *others)
        return plain.spaced(above, *parts)


class BlockKind(ABC):
    """One kind of block. Subclasses fill in the table and the rules; instances hold no state.

    `kind` names it in data and templates; `name`, `purpose`, `icon` and `group` show it in the palette. `once`
    says that an issue has one at most, `fixed` that it stands first or last and cannot be removed.
    `own_ground` kinds paint their own background in the mail. `diary_field` is the date that the common field
    `diary` gives to Key dates.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    purpose: ClassVar[str]
    icon: ClassVar[str]
    group: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]] = ()
    once: ClassVar[bool] = False
    fixed: ClassVar[Literal["first", "last"] | None] = None
    own_ground: ClassVar[bool] = False
    listed: ClassVar[bool] = True
    diary_field: ClassVar[str] = ""
    version: ClassVar[int] = 1

    # --- data ---------------------------------------------------------------------------------------------

    def clean(self, data: Any) -> dict[str, Any]:
        """`data` with every field of the table, sanitised. Raises Invalid for what has the wrong shape."""
        return cleaning.clean(self.fields, data, self.name)

    def empty(self) -> dict[str, Any]:
        """The data of a new block."""
        return {field.name: field.empty for field in self.fields}

    def validate(self, content: BlockContent, context: Context) -> list[Problem]:
        """What stops the issue in this block; [] when it is ready. Paths are those of the data, such as
        "items.2.text"; the common fields go by their own names."""
        try:
            data = self.clean(content.data)
        except Invalid as invalid:
            return invalid.problems
        return [*checks.check(self.fields, data), *self.check(data, context), *self._check_common(content)]

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        """The kind's own rules, beyond its table."""
        yield from ()

    def _check_common(self, content: BlockContent) -> Iterator[Problem]:
        if content.language is not None and not _LANGUAGE.fullmatch(content.language):
            yield Problem("language", _("Enter the language as a tag, such as cy for Welsh or ur for Urdu."))
        for name, text in (("diary", content.diary), ("audience_note", content.audience_note)):
            yield from checks.merge_fields(text, name)
            if len(text) > _LONGEST_NOTE:
                words = _("Use {most} characters or fewer; there are {number}.")
                yield Problem(name, words.format(most=_LONGEST_NOTE, number=len(text)))

    # --- what neighbours ask ------------------------------------------------------------------------------

    def heading(self, data: dict[str, Any], context: Context) -> str:
        """The block's heading, or "" where it has none."""
        heading: str = data.get("heading", "")
        return heading

    def diary(self, content: BlockContent, data: dict[str, Any], context: Context) -> Iterator[tuple[str, str]]:
        """(date as stored, words) of each line that the block gives to Key dates."""
        if self.diary_field and content.diary:
            yield data[self.diary_field], content.diary

    def bound_date(self, context: Context) -> str:
        """The stored form of the date that the next issue hangs on, where this kind prints it."""
        return ""

    def summary(self, content: BlockContent) -> str:
        """One line for the outline: the heading, or the first words there are."""
        try:
            data = self.clean(content.data)
        except Invalid:
            return self.name
        said = next(_texts(self.fields, data), "") or self.name
        return characters.shortened(said, _SUMMARY)

    # --- renderings ---------------------------------------------------------------------------------------

    def mjml(self, content: BlockContent, context: Context) -> Markup:
        """What stands in the mail's column (or, for `own_ground`, whole sections), as MJML."""
        source = templates.fill(f"blocks/{self.kind}.mjml", self._values(content, context))
        return _in_language(source, content.language) if content.language else source

    def web(self, content: BlockContent, context: Context) -> Markup:
        """What stands in the article of the web page, as HTML without styles."""
        values = self._values(content, context)
        classes = f"issue-block issue-{self.kind.replace('_', '-')}" + (" issue-continues" if content.continues else "")
        language = Markup("")
        if content.language:
            language = Markup(' lang="{}" dir="{}"').format(content.language, direction(content.language))
        values["attrs"] = Markup(' class="{}"').format(classes) + language
        return templates.fill(f"blocks/{self.kind}.html", values)

    def text(self, content: BlockContent, context: Context) -> str:
        """What stands in the text part: lines of at most 65 characters, but for addresses."""
        return self.say(Part(_tidy(content), self.clean(content.data), context)).strip("\n")

    @abstractmethod
    def say(self, part: Part) -> str:
        """The text of a cleaned block."""

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Values that only this kind's templates need."""
        return {}

    def _values(self, content: BlockContent, context: Context) -> dict[str, Any]:
        content = _tidy(content)
        data = self.clean(content.data)
        colours = context.palette.light
        way = direction(content.language) if content.language else context.direction
        named = styles.styles(colours, way)
        part = Part(content, data, context)

        def stamped(html: str, *, solid: bool = False) -> Markup:
            return rich.to_mail(html, styles.stamps(named, solid=solid))

        return {
            **data, "c": colours, "s": named, "rich": stamped, "frame": context.frame, "context": context,
            "audience": part.audience, "continues": content.continues, "_": context.gettext,
            "anchor": context.anchors.get(content.id, ""), "start": "right" if way == "rtl" else "left",
            **self.more_values(data, context),
        }  # fmt: skip


def _tidy(content: BlockContent) -> BlockContent:
    """The block with its common texts free of what cannot be printed."""
    return replace(
        content, audience_note=characters.one_line(content.audience_note), diary=characters.one_line(content.diary)
    )


def _texts(fields: tuple[Field, ...], data: dict[str, Any]) -> Iterator[str]:
    """The words in a block's own order of fields, without addresses and dates."""
    for field in fields:
        value = data[field.name]
        match field.type:
            case FieldType.TEXT | FieldType.EMAIL | FieldType.PHONE if value:
                yield value
            case FieldType.RICH if value:
                yield rich.words(value)
            case FieldType.STRINGS:
                yield from value
            case FieldType.ITEMS:
                for entry in value:
                    yield from _texts(field.fields, entry)
            case FieldType.GROUP:
                yield from _texts(field.fields, value)


def _in_language(source: Markup, language: str) -> Markup:
    """The partial with its language on everything that can carry it.

    MJML's own elements take no `lang`, so it goes on the HTML inside them. The partials are ours and people's
    words in them are escaped: these tags cannot be anybody's text.
    """
    way = direction(language)
    align = ";text-align:right" if way == "rtl" else ""
    attributes = f'lang="{escape(language)}" dir="{way}"'
    html = re.sub(r"(<mj-text\b[^>]*>)", rf'\1<div {attributes} style="margin:0{align}">', str(source))
    html = html.replace("</mj-text>", "</div></mj-text>")
    html = re.sub(r"(<mj-button\b[^>]*>)", rf"\1<span {attributes}>", html)
    html = html.replace("</mj-button>", "</span></mj-button>")
    return Markup(re.sub(r"<(tr|caption)\b", rf"<\1 {attributes}", html))  # noqa: S704 - only our own markup was added


def after_send(value: str, context: Context, path: str, sentence: str) -> Iterator[Problem]:
    """A problem where a date that asks readers to act is over when the issue is sent."""
    found, send = when.parse(value), context.local_send
    if found and send and found.past(send):
        yield Problem(path, sentence)
