"""Bringing in a document: a file or a paste is read, and kept for the person's choices on the next page."""

from flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response
from wtforms import FileField, HiddenField, TextAreaField

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues.documents import Document, keeping, read_document, remade, with_stored_pictures
from newsletter.domain.issues.transitions import require_editable
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Issue
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import signed_in_account, staff
from newsletter.web.form_bases import GuardedForm

from .room import blueprint, find_issue, page, to

#: What file dialogs offer; what is taken is decided by what is in the file.
TAKES = ".docx,.html,.htm,.md,.txt"


class DocumentForm(GuardedForm):
    """A file, or the text itself. `pasted` is the paste with its links and lists, where the browser gave it."""

    file = FileField(
        _("A file"),
        description=_("A Word document (.docx), a web page (.html), Markdown or plain text. 20 MB at most."),
        render_kw={"accept": TAKES},
    )
    text = TextAreaField(
        _("Or paste the text here"),
        description=_("From Word, an email, Google Docs or a web page: headings, lists and links are kept."),
        render_kw={"data-paste-into": "pasted"},
    )
    pasted = HiddenField(render_kw={"id": "pasted"})

    def read(self) -> Document | None:
        """What was brought in, read; None where it cannot be, with the reason at its field."""
        source, name = self._source()
        try:
            return read_document(source, name, with_pictures=True)
        except Invalid as error:
            field = self.file if isinstance(source, bytes) else self.text
            field.errors = [problem.sentence for problem in error.problems]
            return None

    @property
    def name(self) -> str:
        """The file's name, or "" for a paste."""
        return self._source()[1]

    def _source(self) -> tuple[str | bytes, str]:
        """The file, where one was chosen; else what was pasted, with its links where they came along."""
        upload = self.file.data
        # A form that was not sent as multipart holds the file's name alone.
        if isinstance(upload, FileStorage) and upload.filename:
            upload.stream.seek(0)
            return upload.stream.read(), upload.filename
        text, pasted = str(self.text.data or ""), str(self.pasted.data or "")
        return (pasted or text), ""


@blueprint.route("/desk/issues/<slug>/document", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def issue_document(slug: str) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    form = DocumentForm()
    if request.method == "GET":
        return _form_page(issue, form)
    document = form.read()
    if document is None:
        return _form_page(issue, form, 422)
    made, actor, now = remade(document.pictures), signed_in_account(), clock.now()
    try:
        with transaction():
            require_editable(issue)
            document = with_stored_pictures(document, made, actor=actor, now=now)
            row = keeping.keep_document(issue, document, name=form.name, actor=actor, now=now)
            read_id = row.public_id
    except Refused as error:
        form.form_errors = [str(error)]
        return _form_page(find_issue(slug, Permission.EDIT_ISSUES), form, 422)
    return to("issue_document_found", slug=slug, read_id=read_id)


def _form_page(issue: Issue, form: DocumentForm, status: int = 200) -> tuple[str, int]:
    return page("document.html", issue=issue, status=status, form=form, editable=issue.state in EDITABLE_STATES)
