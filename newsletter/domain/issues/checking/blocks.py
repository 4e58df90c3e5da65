"""What the sections themselves say is missing, and what only the whole mail can break (its size, its headings)."""

from collections.abc import Iterator

from sqlalchemy import select

from ....db import db
from ....i18n import gettext as _
from ....models import Media
from ....rendering.content import IssueContent
from ....rendering.issue import BlockProblem
from ..content import problems_of
from ..pictures import MOST_IN_MAIL, size_words, weight_of
from .findings import Finding
from .passages import pictures

#: What may be missing although the words are right: it is asked about when the issue is scheduled.
_PUBLISHERS = frozenset({"publication", "organisation", "organisation_address", "contact_email", "why"})
_ASKED_LATER = _PUBLISHERS | {"subject"}
_CALL_BOUND = frozenset({"deadline", "url"})


def check_blocks(content: IssueContent) -> Iterator[Finding]:
    """The findings about sections, pictures and the mail. Compiles the mail: not for use inside `transaction()`."""
    for problem in problems_of(content):
        if not is_setting(problem, content):
            yield Finding(
                _code(problem), problem.blocking, problem.sentence,
                block_id=problem.block_id or None, field=problem.field,
                exact=f"{problem.block_id}\0{problem.field}\0{problem.sentence}",
            )  # fmt: skip
    yield from _missing_pictures(content)
    yield from _heavy_pictures(content)


def _code(problem: BlockProblem) -> str:
    if problem.code:
        return problem.code
    match problem.field.rpartition(".")[2]:
        case "size":
            return "large_mail"
        case "alt":
            return "missing_alt"
        case "accent" if not problem.block_id:
            return "accent"
    return "section" if problem.block_id else "mail"


def settings_problems(content: IssueContent) -> Iterator[str]:
    """A sentence for each thing that the publisher or the list still lacks."""
    frame = content.frame
    for name, sentence in (
        ("organisation", _("The publisher's name is missing.")),
        ("organisation_address", _("The publisher's postal address is missing: every mail must carry it.")),
        ("contact_email", _("The publisher's email address is missing.")),
        ("why", _("The list does not say yet why people get this newsletter.")),
    ):
        if not getattr(frame, name).strip():
            yield sentence


def is_setting(problem: BlockProblem, content: IssueContent) -> bool:
    """Whether the problem is about the list, the frame or the next issue, and not about the words."""
    if not problem.block_id:
        return problem.field in _ASKED_LATER and not getattr(content.frame, problem.field).strip()
    call = any(block.id == problem.block_id and block.kind == "call" for block in content.blocks)
    return call and problem.field in _CALL_BOUND


def _missing_pictures(content: IssueContent) -> Iterator[Finding]:
    shown = list(pictures(content))
    if not shown:
        return
    known = set(db.session.scalars(select(Media.name).where(Media.name.in_({name for _b, _p, name in shown}))))
    for block, path, name in shown:
        if name not in known:
            yield Finding(
                "missing_picture", True, _("A picture is not there any more."),
                _("Readers would see an empty frame."), block.id, path, name,
            )  # fmt: skip


def _heavy_pictures(content: IssueContent) -> Iterator[Finding]:
    weight = weight_of(content)
    if weight.too_much:
        words = _("The pictures of the mail have {size} together; {most} is the most that reads well.")
        yield Finding(
            "heavy_pictures", False, words.format(size=size_words(weight.size), most=size_words(MOST_IN_MAIL)),
            _("They take long on a phone, and some mail programs leave them out."), exact=str(weight.size),
        )  # fmt: skip
