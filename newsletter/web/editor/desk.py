"""What the desk shows: the outline, the open section with its controls, and how the mail is looked at."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from newsletter import clock
from newsletter.domain.issues.checking import Finding, run_checks
from newsletter.domain.issues.headings import sub_headings
from newsletter.errors import Invalid, Problem
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Block, Issue
from newsletter.rendering.blocks import kind as kind_of
from newsletter.rendering.fields import Field, FieldType
from newsletter.states import Where
from newsletter.web.section_forms import PREFIX, Control, FormOf, control_id

from .words import all_words, name_of

#: The fields that every kind shares, as controls. Their names begin with "c." in the form.
_WHERE = (
    (Where.BOTH.value, _("In the mail and on the web page")),
    (Where.MAIL.value, _("Only in the mail")),
    (Where.WEB.value, _("Only on the web page")),
)
#: Sections that are made of the others.
_MADE = {"in_this_issue": _("Made from the headings"), "key_dates": _("Gathered from the sections")}


@dataclass(frozen=True)
class Row:
    """One line of the outline. `sign` is "!" where something stops the issue, "?" where it is worth a look."""

    block: Block
    name: str
    kind: str
    here: bool
    fixed: bool
    first: bool
    last: bool
    sign: str
    sign_words: str


@dataclass(frozen=True)
class Mend:
    """A finding in the open section; `href` is the id of the control it is about, or "". `excerpt` are the words that
    it is about, where another says the same of other words."""

    sentence: str
    href: str
    excerpt: str = ""


@dataclass(frozen=True)
class Sheet:
    """The open section."""

    block: Block
    name: str
    kind_name: str
    fixed: bool
    expected: int
    controls: tuple[Control, ...]
    common: tuple[Control, ...]
    findings: tuple[Mend, ...]
    stops: bool
    more_open: bool
    rich: bool
    bound: str
    bound_url: str
    bound_action: str
    words: str
    levels: tuple[tuple[str, str], ...]
    next_url: str


def first_to_write(issue: Issue) -> Block | None:
    """The section to open when none was asked for: the first whose words somebody writes."""
    blocks = issue.blocks
    written = [each for each in blocks if not kind_of(each.kind).fixed and each.kind not in _MADE]
    return next(iter(written or blocks), None)


def outline(issue: Issue, here: Block | None, findings: Sequence[Finding]) -> list[Row]:
    """The sections in order, each with its sign."""
    blocks = issue.blocks
    movable = [block for block in blocks if not kind_of(block.kind).fixed]
    rows = []
    for block in blocks:
        kind = kind_of(block.kind)
        mine = [each for each in findings if each.block_id == str(block.id) and not each.passed]
        stopping = sum(1 for each in mine if each.stops)
        rows.append(
            Row(
                block=block,
                name=kind.name if kind.fixed else name_of(block),
                kind=_kind_words(block),
                here=here is not None and block.id == here.id,
                fixed=bool(kind.fixed),
                first=block in movable[:1],
                last=block in movable[-1:],
                sign="!" if stopping else ("?" if mine else ""),
                sign_words=_sign_words(stopping, len(mine)),
            )
        )
    return rows


def _kind_words(block: Block) -> str:
    """What a section is, or why it is there."""
    kind = kind_of(block.kind)
    if kind.fixed:
        return _("Always first") if kind.fixed == "first" else _("Always last")
    return _MADE.get(block.kind, kind.name)


def _sign_words(stopping: int, found: int) -> str:
    if stopping:
        return ngettext("%(number)s thing to mend", "%(number)s things to mend", stopping) % {"number": stopping}
    return ngettext("%(number)s thing to look at", "%(number)s things to look at", found) % {"number": found}


def announced(issue: Issue, block: Block) -> str:
    """ "Contact, now 4 of 8"."""
    blocks = issue.blocks
    place = next((number for number, each in enumerate(blocks, 1) if each.id == block.id), 0)
    return _("{name}, now {place} of {total}").format(name=name_of(block), place=place, total=len(blocks))


def sheet(
    issue: Issue,
    block: Block,
    findings: Sequence[Finding],
    *,
    typed: dict[str, Any] | None = None,
    common: dict[str, Any] | None = None,
    problems: Sequence[Problem] = (),
    expected: int | None = None,
    more: str = "",
) -> Sheet:
    """The section as a form. `typed` and `common` take the place of what is stored when a save was refused."""
    kind = kind_of(block.kind)
    found, stops = mends(block, findings)
    shared = common or {name: getattr(block, name) for name in ("continues", "diary", "where", "language")} | {
        "audience_note": block.audience_note
    }
    controls = FormOf(problems, more).controls(kind.fields, block.data if typed is None else typed)
    bound, bound_url, bound_action = _bound(issue, block)
    blocks = issue.blocks
    after = next((each for each in blocks if each.position > block.position and not kind_of(each.kind).fixed), None)
    return Sheet(
        block=block,
        name=name_of(block),
        kind_name=kind.name,
        fixed=bool(kind.fixed),
        expected=block.version if expected is None else expected,
        controls=controls,
        common=_common_controls(shared, problems),
        findings=found,
        stops=stops,
        more_open=any(problem.field in shared for problem in problems),
        rich=_has_rich(kind.fields),
        bound=bound,
        bound_url=bound_url,
        bound_action=bound_action,
        words=all_words(block),
        levels=_levels(issue, block),
        next_url=url_for("editor.compose", slug=issue.slug, block_id=after.id) if after else "",
    )


def findings_of(issue: Issue) -> tuple[list[Finding], str]:
    """What the checks say; and why the mail cannot be drawn, where it cannot."""
    try:
        return run_checks(issue, clock.now()), ""
    except Invalid as error:
        return [], error.problems[0].sentence


def mends(block: Block, findings: Sequence[Finding]) -> tuple[tuple[Mend, ...], bool]:
    """What there is to mend in the section, and whether any of it stops the issue."""
    mine = [] if untouched(block) else [each for each in findings if each.block_id == str(block.id) and not each.passed]
    fields = kind_of(block.kind).fields
    said = Counter(each.sentence for each in mine)
    shown = (
        Mend(each.sentence, _href(each.field, fields), each.excerpt if said[each.sentence] > 1 else "") for each in mine
    )
    return tuple(shown), any(each.stops for each in mine)


def untouched(block: Block) -> bool:
    """Whether nobody has written in the section since it was added: there is nothing to find fault with yet."""
    return block.version == 1 and block.data == kind_of(block.kind).empty()


def first_field(kind_name: str) -> str:
    """The id of the control in which a new section of this kind is begun; "write" where it has none."""
    fields = kind_of(kind_name).fields
    return control_id(PREFIX + fields[0].name) if fields else "write"


def _href(path: str, fields: tuple[Field, ...]) -> str:
    known = {field.name for field in fields}
    return control_id(PREFIX + path) if path.partition(".")[0] in known else ""


def _has_rich(fields: tuple[Field, ...]) -> bool:
    return any(field.type is FieldType.RICH or _has_rich(field.fields) for field in fields)


def _common_controls(shared: dict[str, Any], problems: Sequence[Problem]) -> tuple[Control, ...]:
    errors = {problem.field: problem.sentence for problem in problems}
    return (
        Control(
            "line", "c.audience_note", _("Who this is for"), shared["audience_note"],
            hint=_("Printed under the heading, such as: managers of nurseries. Empty means everybody."),
            error=errors.get("audience_note", ""),
        ),
        Control(
            "line", "c.diary", _("Line in Key dates"), shared["diary"],
            hint=_("What Key dates says about this section’s date, in a few words."), error=errors.get("diary", ""),
        ),
        Control(
            "flag", "c.continues", _("It goes on with the section above"), shared["continues"],
            hint=_("No line is drawn between the two, and “In this issue” does not list it."),
        ),
        Control("select", "c.where", _("Where it stands"), str(shared["where"]), choices=_WHERE),
        Control(
            "line", "c.language", _("Language, if it is not that of the issue"), shared["language"] or "",
            hint=_("A tag such as cy for Welsh or ur for Urdu."), width="5", error=errors.get("language", ""),
        ),
    )  # fmt: skip


def _bound(issue: Issue, block: Block) -> tuple[str, str, str]:
    """What a section prints that is written elsewhere, and where to change it."""
    frame_url = url_for("editor.issue_frame", slug=issue.slug)
    match block.kind:
        case "masthead":
            sentence = _("The name, the title and the line below it come from the list and the issue.")
            return sentence, frame_url, _("Change the title")
        case "footer":
            return _("Who publishes it, why people get it and how they leave: made from the list."), "", ""
        case "in_this_issue":
            return _("Made from the headings of the sections below."), "", ""
        case "key_dates":
            return _("Gathered from the sections that have a date. Add your own below."), "", ""
        case "call":
            following = issue.next_issue
            if following and following.deadline:
                sentence = _("The deadline is that of {title}: {when}.")
                words = sentence.format(title=following.title, when=following.deadline.words)
                return words, f"{frame_url}#next", _("Change it")
            return _("The next issue has no deadline yet."), f"{frame_url}#next", _("Set it")
    return "", "", ""


def _levels(issue: Issue, block: Block) -> tuple[tuple[str, str], ...]:
    """Headings of the section that one click raises, or "" for the section itself, which one click lowers."""
    raised = tuple((str(number), words) for number, words in enumerate(sub_headings(block)))
    blocks = issue.blocks
    above = next((each for each in reversed(blocks) if each.position < block.position), None)
    lowered = block.kind == "section" and above is not None and above.kind in ("section", "findings")
    return (*((("", name_of(above)),) if lowered and above else ()), *raised)
