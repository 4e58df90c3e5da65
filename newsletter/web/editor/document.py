"""Bringing in a document: read it, show what was recognised, and only then add it."""

from typing import Any

from flask import flash, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response
from wtforms import FileField, TextAreaField

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues.documents import Document, import_document, read_text
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Issue
from newsletter.rendering.blocks import kind as kind_of
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import signed_in_account, staff
from newsletter.web.form_bases import GuardedForm

from .room import blueprint, find_issue, page, to
from .words import words_of

_LONGEST_GLANCE = 240


class DocumentForm(GuardedForm):
    """A file, or the text itself."""

    file = FileField(_("A text file (.txt)"), description=_("Save a Word document as plain text first. 2 MB at most."))
    text = TextAreaField(_("Or paste the text here"))


@blueprint.route("/desk/issues/<slug>/document", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def issue_document(slug: str) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    form = DocumentForm()
    if request.method == "GET":
        return _form_page(issue, form)
    source = _source(form)
    try:
        document = read_text(source)
        if request.form.get("do") == "add":
            return _add(issue, document)
    except Invalid as error:
        field = form.file if isinstance(source, bytes) else form.text
        field.errors = [problem.sentence for problem in error.problems]
        return _form_page(issue, form, 422)
    except Refused as error:
        form.form_errors = [str(error)]
        return _form_page(find_issue(slug, Permission.EDIT_ISSUES), form, 422)
    text = source if isinstance(source, str) else _text(source)
    return page("document_found.html", issue=issue, document=document, text=text, proposals=_shown(document))


def _source(form: DocumentForm) -> str | bytes:
    """The file, where one was chosen; else what was pasted."""
    upload = form.file.data
    # A form that was not sent as multipart holds the file's name alone.
    if isinstance(upload, FileStorage) and upload.filename:
        with upload.stream as stream:
            content: bytes = stream.read()
        return content
    return str(form.text.data or "")


def _text(source: bytes) -> str:
    """What `read_text` took as text, to be carried to the next page."""
    from newsletter.domain.issues.documents.decoding import text_of

    return text_of(source)


def _form_page(issue: Issue, form: DocumentForm, status: int = 200) -> tuple[str, int]:
    return page("document.html", issue=issue, status=status, form=form, editable=issue.state in EDITABLE_STATES)


def _shown(document: Document) -> list[dict[str, Any]]:
    """Each proposed section: what it would be, its heading, and its first words."""
    rows = []
    for proposal in document.proposals:
        kind = kind_of(proposal.kind)
        words = words_of(kind.fields, proposal.data)
        heading, rest = (words[0], words[1:]) if words else (kind.name, [])
        glance = " ".join(rest)
        rows.append(
            {
                "kind": kind.name,
                "heading": heading,
                "glance": glance if len(glance) <= _LONGEST_GLANCE else glance[:_LONGEST_GLANCE].rstrip() + "…",
                "words": sum(len(each.split()) for each in words),
            }
        )
    return rows


def _add(issue: Issue, document: Document) -> Response:
    slug, now = issue.slug, clock.now()
    with transaction():
        made = import_document(issue, document, actor=signed_in_account(), now=now)
        number, first = len(made), made[0].id if made else None
        unset = issue.next_issue is None or issue.next_issue.deadline is None
    words = ngettext("%(number)s section was added.", "%(number)s sections were added.", number)
    flash(words % {"number": number}, "success")
    deadline = document.next_deadline.isoformat() if document.next_deadline and unset else None
    return to("compose", slug=slug, block_id=first, deadline=deadline, anchor="write")
