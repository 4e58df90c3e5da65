"""Putting an issue together: what its blocks share, and its three renderings before MJML is compiled."""

import re
import textwrap
from collections import Counter
from dataclasses import dataclass, replace

from markupsafe import Markup

from newsletter.errors import Invalid, Problem
from newsletter.states import Where

from . import blocks, characters, plain, styles, templates, when
from .content import BlockContent, Frame, IssueContent
from .context import Chapter, Context, DateRow, slug

# --- what the blocks share ----------------------------------------------------------------------------------


def prepared(content: IssueContent) -> IssueContent:
    """The issue with an id for every block, clean data in each, and a frame free of what cannot be printed.

    Raises Invalid with the path "blocks.<id>.<path>", for data of the wrong shape.
    """
    problems: list[Problem] = []
    ready = []
    taken = Counter(block.id for block in content.blocks)
    for number, block in enumerate(content.blocks, 1):
        block_id = block.id if block.id and taken[block.id] == 1 else f"block-{number}"
        try:
            ready.append(replace(block, id=block_id, data=blocks.kind(block.kind).clean(block.data)))
        except Invalid as invalid:
            problems += [Problem(f"blocks.{block_id}.{each.field}", each.sentence) for each in invalid.problems]
    if problems:
        raise Invalid(problems)
    return IssueContent(tuple(ready), _printable(content.frame))


def _printable(frame: Frame) -> Frame:
    texts = {name: characters.one_line(value) for name, value in vars(frame).items() if isinstance(value, str)}
    logo = frame.logo and replace(
        frame.logo, src=characters.one_line(frame.logo.src), alt=characters.one_line(frame.logo.alt)
    )
    return replace(frame, **texts, logo=logo)  # type: ignore[arg-type]  # names come from the dataclass


def context_of(content: IssueContent) -> Context:
    """What the blocks of a prepared issue may know of each other."""
    bare = Context(content.frame)
    chapters: list[Chapter] = []
    anchors_: dict[str, str] = {}
    taken: set[str] = set()
    for block in content.blocks:
        kind = blocks.kind(block.kind)
        heading = kind.heading(block.data, bare)
        if not heading:
            continue
        anchor = _free(slug(heading) or "section", taken)
        anchors_[block.id] = anchor
        if kind.listed and not block.continues:
            chapters.append(Chapter(heading, "" if block.where == Where.MAIL else anchor))
    return Context(content.frame, tuple(chapters), _date_rows(content, bare), anchors_, event_numbers(content))


def event_numbers(content: IssueContent) -> dict[str, int]:
    """The number of each event on the web page, by its block's id; one without its times has no calendar entry."""
    numbers: dict[str, int] = {}
    for block in content.blocks:
        if block.kind == "event" and block.where != Where.MAIL:
            begins, ends = (when.parse(str(block.data.get(name, ""))) for name in ("start", "end"))
            if begins and ends and begins.timed and ends.timed and block.data.get("title"):
                numbers[block.id] = len(numbers) + 1
    return numbers


def _free(wanted: str, taken: set[str]) -> str:
    anchor, number = wanted, 2
    while anchor in taken:
        anchor, number = f"{wanted}-{number}", number + 1
    taken.add(anchor)
    return anchor


def _date_rows(content: IssueContent, context: Context) -> tuple[DateRow, ...]:
    rows: dict[tuple[str, str], DateRow] = {}
    for block in content.blocks:
        kind = blocks.kind(block.kind)
        bound = kind.bound_date(context)
        for value, what in kind.diary(block, block.data, context):
            if found := when.parse(value):
                row = DateRow(found, characters.one_line(what), value == bound)
                rows.setdefault((value, row.what), row)
    return tuple(sorted(rows.values(), key=lambda row: row.date.at))


# --- mail ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MailPart:
    """One block of the mail as MJML: whether it brings sections of its own, whether it opens a chapter."""

    block: BlockContent
    own_ground: bool
    source: Markup
    opens: bool


def mail_parts(content: IssueContent, context: Context) -> list[MailPart]:
    """The blocks that stand in the mail, each as MJML, in order."""
    parts = []
    more = _more_on_the_web(content, context)
    for block in content.blocks:
        kind = blocks.kind(block.kind)
        if block.where != Where.WEB or kind.fixed:
            opens = bool(kind.heading(block.data, context))
            parts.append(MailPart(block, kind.own_ground, kind.mjml(block, context), opens))
        elif block.id in more:
            values = {"s": styles.styles(context.palette.light, context.direction), "more": more[block.id]}
            parts.append(MailPart(block, False, templates.fill("blocks/_more.mjml", values), False))
    return parts


@dataclass(frozen=True)
class More:
    """Where the mail leads on to what stands only on the web: the words of the link, and its address."""

    words: str
    url: str


def _more_on_the_web(content: IssueContent, context: Context) -> dict[str, More]:
    """The line that stands in the mail for a block of the web alone, by its id. What follows under the same
    heading has no second one."""
    found: dict[str, More] = {}
    above, anchor, last = "", "", ""
    for block in content.blocks:
        kind = blocks.kind(block.kind)
        heading = kind.heading(block.data, context)
        if heading and block.where != Where.MAIL:
            above, anchor = heading, context.anchors[block.id]
        if block.where != Where.WEB or kind.fixed or not kind.listed:
            last = "" if block.where != Where.WEB else last
            continue
        words = "More on the web: {heading}" if heading else "Read the rest of “{heading}” on the web"
        url = context.frame.web_url + (f"#{anchor}" if anchor else "")
        if url != last:
            told = context.gettext(words if above else "More on the web").format(heading=above)
            found[block.id] = More(told, url)
        last = url
    return found


@dataclass
class _Group:
    """Blocks that share one section of the mail. A section costs 1.9 KB, so a chapter has one."""

    own_ground: bool
    rule: bool
    parts: list[str]

    @property
    def source(self) -> Markup:
        indent = " " * (4 if self.own_ground else 8)
        return Markup(textwrap.indent("\n".join(self.parts), indent))  # noqa: S704 - rendered partials


def laid_out(parts: list[MailPart], context: Context) -> str:
    """The MJML document of some blocks."""
    groups: list[_Group] = []
    for part in parts:
        own = part.own_ground
        if own or part.opens or not groups or groups[-1].own_ground:
            groups.append(_Group(own, part.opens and not part.block.continues, []))
        groups[-1].parts.append(part.source)
    frame = context.frame
    title = frame.subject or ", ".join(filter(None, (frame.publication, frame.label)))
    values = {
        "lang": frame.language, "dir": context.direction, "title": title, "preheader": frame.preheader,
        "groups": groups, "c": context.palette.light, "d": context.palette.dark, "sans": styles.SANS,
        "start": "right" if context.direction == "rtl" else "left",
    }  # fmt: skip
    return str(templates.fill("layouts/issue.mjml", values))


# --- text and web -------------------------------------------------------------------------------------------


def text_of(content: IssueContent, context: Context) -> str:
    """The text part: chapters two empty lines apart, what continues one."""
    said, more = "", _more_on_the_web(content, context)
    for block in content.blocks:
        kind = blocks.kind(block.kind)
        if block.where == Where.WEB and not kind.fixed:
            if block.id in more:
                said += "\n\n" + plain.at(more[block.id].words, more[block.id].url)
            continue
        chapter = kind.own_ground or bool(kind.heading(block.data, context))
        said += ("\n\n\n" if chapter else "\n\n") + kind.text(block, context)
    return re.sub(r"\n{4,}", "\n\n\n", said).strip() + "\n"


def web_of(content: IssueContent, context: Context) -> Markup:
    """The inside of the web page's article."""
    shown = (block for block in content.blocks if block.where != Where.MAIL or blocks.kind(block.kind).fixed)
    return Markup("\n").join(blocks.kind(block.kind).web(block, context) for block in shown)


def web_parts(content: IssueContent) -> list[tuple[BlockContent, Markup]]:
    """Every block as the web page shows it, one by one, for whoever reads a draft; the mail's own too.

    Raises Invalid as `prepared` does.
    """
    ready = prepared(content)
    context = context_of(ready)
    return [(block, blocks.kind(block.kind).web(block, context)) for block in ready.blocks]
