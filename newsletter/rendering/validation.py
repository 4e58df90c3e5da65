"""What still stops an issue: the problems of its blocks, and the rules that only the whole can break.

Sources: WCAG 2.2 (1.1.1, 1.3.1, 2.4.4); the size at which large webmails cut a message short (102 KB).
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser

from newsletter.errors import Invalid, NotFound, Problem
from newsletter.i18n import gettext as _
from newsletter.states import Where

from . import assembly, blocks, checks, mjml
from .content import IssueContent
from .context import Context
from .palette import palette
from .personalise import MERGE_FIELDS

LARGEST_HTML = 100 * 1024
LARGE_HTML = 90 * 1024
MOST_NOTICES = 2


@dataclass(frozen=True)
class BlockProblem:
    """One thing to mend. `block_id` is "" for the issue as a whole; `field` is a path in the block's data.

    Only a `blocking` one stops the issue; the others are worth a look. `code` names the kind of problem, "" where
    nobody asks.
    """

    block_id: str
    field: str
    sentence: str
    blocking: bool = True
    code: str = dataclasses.field(default="", compare=False)


def validate_issue(content: IssueContent) -> list[BlockProblem]:
    """Every problem of an issue, in the order of its blocks; then those of the whole. [] when it is ready."""
    known, problems = _known_kinds(content)
    try:
        palette(content.frame.accent)
        ready = assembly.prepared(known)
    except Invalid as invalid:
        return [*problems, *map(_placed, invalid.problems)]
    context = assembly.context_of(ready)
    for block in ready.blocks:
        found = blocks.kind(block.kind).validate(block, context)
        problems += [BlockProblem(block.id, each.field, each.sentence, code=each.code) for each in found]
    problems += [*_order(ready), *_counts(ready), *_frame(ready)]
    return [*problems, *_headings(ready, context), *_mail(ready, context)]


def _known_kinds(content: IssueContent) -> tuple[IssueContent, list[BlockProblem]]:
    known, problems = [], []
    for block in content.blocks:
        try:
            blocks.kind(block.kind)
            known.append(block)
        except NotFound as error:
            problems.append(BlockProblem(block.id, "kind", str(error)))
    return IssueContent(tuple(known), content.frame), problems


def _placed(problem: Problem) -> BlockProblem:
    found = re.fullmatch(r"blocks\.([^.]*)\.(.*)", problem.field)
    if found:
        return BlockProblem(found[1], found[2], problem.sentence)
    return BlockProblem("", problem.field, problem.sentence)


def _order(content: IssueContent) -> Iterator[BlockProblem]:
    kinds = [block.kind for block in content.blocks]
    for place, name, sentence in (
        (0, "masthead", _("The masthead must stand first.")),
        (-1, "footer", _("The footer must stand last.")),
    ):
        if name not in kinds:
            yield BlockProblem("", name, _("The issue has no {name}.").format(name=blocks.kind(name).name.lower()))
        elif kinds[place] != name:
            yield BlockProblem(content.blocks[kinds.index(name)].id, "", sentence)


def _counts(content: IssueContent) -> Iterator[BlockProblem]:
    ids = Counter(block.id for block in content.blocks)
    seen: Counter[str] = Counter()
    for block in content.blocks:
        kind = blocks.kind(block.kind)
        seen[block.kind] += 1
        if kind.once and seen[block.kind] > 1:
            yield BlockProblem(block.id, "", _("There can be only one “{name}” in an issue.").format(name=kind.name))
        if block.kind == "notice" and seen["notice"] > MOST_NOTICES:
            words = _("An issue has {most} notices at most: when everything is important, nothing is.")
            yield BlockProblem(block.id, "", words.format(most=MOST_NOTICES))
        if kind.fixed and block.where != Where.BOTH:
            words = _("“{name}” stands in the mail and on the web.")
            yield BlockProblem(block.id, "where", words.format(name=kind.name))
        if ids[block.id] > 1:
            yield BlockProblem(block.id, "id", _("Two blocks of this issue have the same id."))


def _frame(content: IssueContent) -> Iterator[BlockProblem]:
    frame = content.frame
    needed = {
        "publication": _("The publication has no name."),
        "label": _("The issue has no label, such as “January 2027”."),
        "subject": _("Enter a subject."),
        "organisation": _("The publisher's name is missing."),
        "organisation_address": _("The publisher's postal address is missing."),
        "contact_email": _("The publisher's email address is missing."),
        "why": _("The sentence that tells readers why they get this is missing."),
    }
    for name, sentence in needed.items():
        if not getattr(frame, name).strip():
            yield BlockProblem("", name, sentence)
    for name in ("web_url", "privacy_url", "accessibility_url"):
        if not re.match(r"https?://[^/\s]+", getattr(frame, name)):
            yield BlockProblem("", name, _("The address “{name}” must be a whole web address.").format(name=name))
    for name in ("publication", "label", "strapline", "preheader", "subject", "organisation", "why"):
        for problem in checks.merge_fields(getattr(frame, name), name):
            yield BlockProblem("", problem.field, problem.sentence)
    if frame.logo and not frame.logo.decorative and not frame.logo.alt.strip():
        yield BlockProblem("", "logo.alt", _("Describe the logo in words, or mark it as decoration."))


def _headings(content: IssueContent, context: Context) -> Iterator[BlockProblem]:
    """One h1, no skipped level, no two chapters of one name: in the mail as well as on the page."""
    level, titles = 0, Counter(title.title.casefold() for title in context.chapters)
    for block in content.blocks:
        kind = blocks.kind(block.kind)
        levels = _levels(str(kind.web(block, context)))
        for found in levels:
            if found > level + 1:
                words = _("This stands under no heading: put it after a section with a heading, or give it one.")
                yield BlockProblem(block.id, "heading", words, code="heading_order")
                break
            level = found
        if block.kind != "masthead" and 1 in levels:
            yield BlockProblem(block.id, "", _("An issue has one main heading, and that is in the masthead."))
        heading = kind.heading(block.data, context)
        if kind.listed and not block.continues and titles[heading.casefold()] > 1:
            words = _("Two sections are called “{heading}”: readers cannot tell them apart in the contents.")
            yield BlockProblem(block.id, "heading", words.format(heading=heading), code="same_anchor")


@lru_cache(maxsize=1000)
def _levels(html: str) -> tuple[int, ...]:
    """The levels of the headings in a rendering. Kept, since one section of thirty changes at a time."""
    return tuple(_Outline(html).levels)


def _mail(content: IssueContent, context: Context) -> Iterator[BlockProblem]:
    """The mail itself: that it can be made, its size, what it holds."""
    parts = assembly.mail_parts(content, context)
    try:
        html = mjml.compile_mjml(assembly.laid_out(parts, context))
    except Invalid as invalid:
        yield _culprit(parts, context, invalid)
        return
    size = len(html.encode())
    words = _("The mail has {size} KB; above {most} KB some services cut it short. Show some of it on the web only.")
    if size > LARGE_HTML:
        limit = LARGEST_HTML if size > LARGEST_HTML else LARGE_HTML
        sentence = words.format(size=size // 1024, most=limit // 1024)
        yield BlockProblem("", "size", sentence, blocking=size > LARGEST_HTML)
    seen = _Outline(html)
    for source in seen.pictures:
        if not source.startswith(context.frame.media_base):
            words = _("A picture comes from another place than our own: {url}.")
            yield BlockProblem("", "media", words.format(url=source))
    if seen.without_alt:
        yield BlockProblem("", "alt", _("A picture has no description."))
    if seen.forbidden:
        words = _("The mail holds something that mail must not hold: {what}.")
        yield BlockProblem("", "", words.format(what=seen.forbidden))
    text = assembly.text_of(content, context)
    for name in sorted(MERGE_FIELDS):
        # A page behind a reader's own link ("…/join/…") stands where a section puts it; the link itself in the footer.
        own = re.compile(re.escape(f"{{{name}}}") + "(?!/)")
        if len(own.findall(html)) != 1 or len(own.findall(text)) != 1:
            words = _("The link {name} must stand in the mail exactly once.")
            yield BlockProblem("", "footer", words.format(name=name))


def _culprit(parts: list[assembly.MailPart], context: Context, whole: Invalid) -> BlockProblem:
    """The block that the mail cannot be made of, found by making each alone."""
    for part in parts:
        try:
            mjml.compile_mjml(assembly.laid_out([part], context))
        except Invalid as alone:
            return BlockProblem(part.block.id, "", str(alone))
    return BlockProblem("", "", str(whole))


class _Outline(HTMLParser):
    """What a rendering holds: the levels of its headings, its pictures, and what must not be there."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.levels: list[int] = []
        self.pictures: list[str] = []
        self.without_alt = False
        self.forbidden = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "img":
            self.pictures.append(values.get("src") or "")
            self.without_alt = self.without_alt or values.get("alt") is None
        if tag in ("script", "form", "iframe", "object", "embed", "link", "base", "input", "svg"):
            self.forbidden = f"<{tag}>"
        for name, value in attrs:
            if name.startswith("on") or "javascript:" in (value or "").lower():
                self.forbidden = name
