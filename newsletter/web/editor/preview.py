"""The issue as it stands, in each of its forms, at an address of its own: for the frame beside the desk."""

from dataclasses import replace
from uuid import UUID

from flask import Response, render_template, request
from markupsafe import Markup

from newsletter.domain.issues import editing
from newsletter.domain.issues.content import block_content, issue_content, render_issue
from newsletter.domain.issues.rewritten_links import cleaned_links
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, NotFound
from newsletter.i18n import gettext as _
from newsletter.models import Block, Issue
from newsletter.rendering.blocks import kind as kind_of
from newsletter.rendering.content import BlockContent, IssueContent
from newsletter.rendering.marking import marked_mail, marked_web, render_text
from newsletter.rendering.personalise import fill
from newsletter.web.access import staff
from newsletter.web.headers import PREVIEW_POLICY, preview_response
from newsletter.web.section_forms import common_of, read_data

from .room import blueprint, find_issue

#: What stands where each reader's own links will stand.
_SAMPLE = {"unsubscribe_url": "https://example.org/unsubscribe", "preferences_url": "https://example.org/preferences"}


@blueprint.get("/desk/issues/<slug>/preview/<any(html, text, web):form>")
@staff(Permission.VIEW_ISSUES)
def issue_preview(slug: str, form: str) -> Response:
    """The mail's HTML, its text part, or the web page's article. Links lead nowhere: the frame stops them.

    With `marks` each section carries its id, for the desk; without, it is what would be sent, to the byte.
    """
    issue = find_issue(slug)
    if request.args.get("marks") and form != "text":
        return _shown(issue, form, issue_content(issue))
    try:
        rendered = render_issue(issue)
    except Invalid as error:
        raise _not_drawn(error) from None
    if form == "html":
        return _mail(rendered.html)
    return _dressed(issue, form, text=rendered.text, article=rendered.web)


@blueprint.post("/desk/issues/<slug>/preview/<any(html, text, web):form>/<uuid:block_id>")
@staff(Permission.EDIT_ISSUES)
def issue_preview_typed(slug: str, form: str, block_id: UUID) -> Response:
    """The issue with one section as somebody types it. Nothing is saved."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    block = editing.find_block(issue, str(block_id))
    content = issue_content(issue)
    typed = _typed(block)
    if typed is not None:
        blocks = tuple(typed if each.id == typed.id else each for each in content.blocks)
        content = replace(content, blocks=blocks)
    return _shown(issue, form, content)


def _typed(block: Block) -> BlockContent | None:
    """The section as the posted form has it; None where it is made of the list, or cannot be read as it stands."""
    kind = kind_of(block.kind)
    if kind.fixed:
        return None
    try:
        data = cleaned_links(block.kind, kind.clean(read_data(kind.fields, request.form)))
    except Invalid:
        return None
    return replace(block_content(block), data=data, **common_of(request.form))


def _shown(issue: Issue, form: str, content: IssueContent) -> Response:
    try:
        if form == "html":
            return _mail(marked_mail(content))
        text = render_text(content) if form == "text" else ""
        return _dressed(issue, form, text=text, article=marked_web(content) if form == "web" else Markup())
    except Invalid as error:
        raise _not_drawn(error) from None


def _not_drawn(error: Invalid) -> NotFound:
    return NotFound(_("The preview cannot be drawn. {why}").format(why=error.problems[0].sentence))


def _mail(html: str) -> Response:
    return preview_response(fill(html, _SAMPLE, html=True))


def _dressed(issue: Issue, form: str, *, text: str, article: Markup) -> Response:
    """The text part or the article, in the product's own style sheet, as the page itself will be."""
    words = fill(text, _SAMPLE, html=False) if form == "text" else ""
    response = preview_response(
        render_template(f"editor/preview_{form}.html", issue=issue, text=words, article=article)
    )
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY.replace("'unsafe-inline'", "'self'")
    return response


@blueprint.get("/desk/issues/<slug>/as-sent")
@staff(Permission.VIEW_ISSUES)
def issue_as_sent(slug: str) -> Response:
    """The mail's HTML as it was approved and sent, to the byte, but for each reader's own links."""
    issue = find_issue(slug)
    if issue.rendition is None:
        raise NotFound(_("Nothing of this issue was approved to be sent."))
    return preview_response(fill(issue.rendition.html, _SAMPLE, html=True))
