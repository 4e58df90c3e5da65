"""What was read of a document, section by section, as it will look; each is kept, merged, changed or left out."""

from dataclasses import dataclass
from uuid import UUID

from flask import flash, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from newsletter import clock, dates
from newsletter.db import transaction
from newsletter.domain.issues.content import frame
from newsletter.domain.issues.documents import Document, ProposedBlock, import_document, keeping
from newsletter.domain.issues.documents.changing import offers
from newsletter.domain.issues.documents.choosing import Choice, Decision, as_kind, chosen, groups
from newsletter.domain.issues.documents.leaving_out import Left, summary
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, Problem, Refused
from newsletter.i18n import ngettext
from newsletter.models import Issue, ReadDocument
from newsletter.rendering import assembly
from newsletter.rendering.blocks import KINDS
from newsletter.rendering.blocks import kind as kind_of
from newsletter.rendering.content import BlockContent, IssueContent
from newsletter.rendering.context import Context
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import signed_in_account, staff

from .room import blueprint, find_issue, page, to
from .words import words_of

_FOUND = "/desk/issues/<slug>/document/<uuid:read_id>"


@dataclass(frozen=True)
class Row:
    """One proposal on the page: what it is, as it will look, and what may be done with it."""

    number: int
    kind: str
    name: str
    heading: str
    look: Markup
    words: int
    decision: Decision
    kinds: tuple[tuple[str, str], ...]
    mergeable: bool

    @property
    def is_left_out(self) -> bool:
        return self.decision is Decision.DROP


@blueprint.get(_FOUND)
@staff(Permission.EDIT_ISSUES)
def issue_document_found(slug: str, read_id: UUID) -> tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    return _found_page(issue, keeping.find_document(issue, read_id, actor=signed_in_account(), now=clock.now()))


@blueprint.post(_FOUND, endpoint="issue_document_choose")
@staff(Permission.EDIT_ISSUES)
def choose(slug: str, read_id: UUID) -> Response | tuple[str, int]:
    """Keep what was chosen; with the button that brings it in, do that."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    actor, now = signed_in_account(), clock.now()
    with transaction():
        row = keeping.find_document(issue, read_id, actor=actor, now=now)
        choices = _choices(keeping.document_of(row))
        keeping.keep_choices(row, choices, with_unplaced="unplaced" in request.form)
    if request.form.get("do") != "add":
        anchor = f"part-{request.form.get('look', '')}" if request.form.get("look", "").isdecimal() else None
        return to("issue_document_found", slug=slug, read_id=read_id, anchor=anchor)
    try:
        with transaction():
            row = keeping.find_document(issue, read_id, actor=actor, now=now)
            document = chosen(
                keeping.document_of(row), keeping.choices_of(row), with_unplaced=keeping.wants_unplaced(row)
            )
            made = import_document(issue, document, actor=actor, now=now)
            keeping.let_go(row)
            number, first = len(made), made[0].id if made else None
            unset = issue.next_issue is None or issue.next_issue.deadline is None
            today = dates.local(now, issue.mailing_list.timezone).date()
            is_past = issue.archive_only
    except (Refused, Invalid) as error:
        found = find_issue(slug, Permission.EDIT_ISSUES)
        row = keeping.find_document(found, read_id, actor=actor, now=now)
        return _found_page(found, row, str(error), 422)
    words = ngettext("%(number)s section was added.", "%(number)s sections were added.", number)
    flash(words % {"number": number}, "success")
    if is_past:
        return to("issue_past", slug=slug)
    named = document.next_deadline
    offered = named.isoformat() if named and named > today and unset else None  # an old document names one that is over
    return to("compose", slug=slug, block_id=first, deadline=offered, anchor="write")


def _choices(document: Document) -> list[Choice]:
    """What the form says of each proposal; what it does not name is kept as proposed."""
    made = []
    for number, block in enumerate(document.proposals):
        typed, kind = request.form.get(f"do-{number}", ""), request.form.get(f"kind-{number}", "")
        decision = Decision(typed) if typed in set(Decision) else Decision.KEEP
        if decision is Decision.MERGE and not number:
            decision = Decision.KEEP
        made.append(Choice(decision, kind if kind in KINDS and kind != block.kind else ""))
    return made


def _found_page(issue: Issue, row: ReadDocument, problem: str = "", status: int = 200) -> tuple[str, int]:
    document, choices = keeping.document_of(row), keeping.choices_of(row)
    unplaced = keeping.wants_unplaced(row)
    context = assembly.context_of(assembly.prepared(IssueContent((), frame(issue))))
    return page(
        "document_found.html",
        issue=issue,
        status=status,
        read_id=row.public_id,
        name=row.name,
        document=document,
        rows=_rows(document, choices, context),
        number=len(groups(document, choices)) + bool(document.unplaced and unplaced),
        unplaced=unplaced,
        left_out=summary(document.left_out),
        left_words=[(each.sentence, each.words) for each in document.left_out if each.words],
        pictures=sum(each.number for each in document.left_out if each.what is Left.PICTURES),
        head_words=" · ".join(filter(None, (document.publication, document.label, document.strapline))),
        problems=[Problem("do-0", problem)] if problem else [],
        editable=issue.state in EDITABLE_STATES,
    )


def _rows(document: Document, choices: list[Choice], context: Context) -> list[Row]:
    given = [*choices, *[Choice()] * (len(document.proposals) - len(choices))]
    return [
        _row(number, block, choice, context, document.proposals[number - 1] if number else None)
        for number, (block, choice) in enumerate(zip(document.proposals, given, strict=True))
    ]


def _row(number: int, block: ProposedBlock, choice: Choice, context: Context, above: ProposedBlock | None) -> Row:
    shown = as_kind(block, choice.kind)
    kind = kind_of(shown.kind)
    data = kind.clean(shown.data)
    words = words_of(kind.fields, data)
    return Row(
        number=number,
        kind=shown.kind,
        name=kind.name,
        heading=str(data.get("heading") or (words[0] if words else kind.name)),
        look=kind.web(BlockContent(f"part-{number}", shown.kind, data, continues=shown.continues), context),
        words=sum(len(each.split()) for each in words),
        decision=choice.decision,
        kinds=tuple((each.kind, kind_of(each.kind).name) for each in offers(block)),
        mergeable=above is not None and "image" not in (block.kind, above.kind),
    )
