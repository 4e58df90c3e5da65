"""What became of somebody's news: the section beside what they sent, to say it is right or suggest other words."""

from flask import redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from ... import clock
from ...db import transaction
from ...domain.calls.deadline import reading
from ...domain.calls.decisions import comparing, confirming
from ...domain.calls.decisions.confirming import Standing
from ...domain.calls.decisions.placing import pictures_of, section_of
from ...errors import Conflict, Invalid, NotFound, Refused, TokenInvalid
from ...i18n import gettext as _
from ...models import Contribution
from ...tokens import Purpose
from ..access import public
from ..fields import put_problems
from ..form_bases import PlainForm
from ..links import public_link
from ..public import form_tokens
from .room import blueprint, kept_token, key_page, signer


class SuggestionForm(PlainForm):
    """What somebody would change in the section that their news became."""

    words = TextAreaField(
        _("What would you change?"),
        description=_("The editors read it beside the section. Nothing is changed by itself."),
        render_kw={"rows": 5},
    )


@blueprint.get("/contribution/<token>/section")
@public
def section(token: str) -> Response:
    """The section as it stands, with what differs from what was sent. A key to it, like the mail's own link."""
    found = _find(token)
    if not _has_section(found):
        return redirect(url_for(".kept", token=token))
    return _page(found, SuggestionForm())


@blueprint.post("/contribution/<token>/section/right")
@public
def section_right(token: str) -> Response:
    """It is right. Pressed twice, it is said once."""
    found, now = _find(token), clock.now()
    if not _is_our_form():
        return _page(found, SuggestionForm(), _too_old(), 422)
    version = request.form.get("version", "")
    try:
        with transaction():
            confirming.confirm(found, int(version) if version.isdecimal() and len(version) < 10 else 0, now=now)
    except Conflict as error:
        return _page(found, SuggestionForm(), str(error), 409)
    except (Refused, NotFound):
        # It was decided otherwise while the page was open: that page says how.
        return redirect(url_for(".kept", token=kept_token(found)), 303)
    return redirect(url_for(".section", token=kept_token(found)), 303)


@blueprint.post("/contribution/<token>/section/suggest")
@public
def section_suggest(token: str) -> Response:
    """Other words, for the editors to look at."""
    found = _find(token)
    form = SuggestionForm(request.form)
    if not _is_our_form():
        return _page(found, form, _too_old(), 422)
    try:
        with transaction():
            confirming.suggest(found, form.words.data or "", now=clock.now())
    except Invalid as error:
        put_problems(form, error)
        return _page(found, form, status=422)
    except (Refused, NotFound):
        # It was decided otherwise while the page was open: that page says how.
        return redirect(url_for(".kept", token=kept_token(found)), 303)
    return redirect(url_for(".section", token=kept_token(found)), 303)


def _find(token: str) -> Contribution:
    try:
        return reading.find_contribution(signer().read_id(Purpose.CONTRIBUTION, token))
    except TokenInvalid:
        raise NotFound(_("There is nothing at this address.")) from None


def _has_section(found: Contribution) -> bool:
    """Whether it stands in its issue, by an editor's decision."""
    return confirming.is_accepted(found) and section_of(found) is not None


def _is_our_form() -> bool:
    """A mail filter that posts whatever it finds says nothing in somebody's name."""
    return form_tokens.opened_at(request.form.get(form_tokens.NAME, ""), clock.now()) is not None


def _too_old() -> str:
    return _("This page was open for more than a day. Look at it again, then send it.")


def _page(found: Contribution, form: SuggestionForm, problem: str = "", status: int = 200) -> Response:
    now, block, issue = clock.now(), section_of(found), found.issue
    if block is None or not confirming.is_accepted(found):
        raise NotFound(_("It does not stand in the issue."))
    standing = confirming.standing(found, block, now)
    if problem:
        form.form_errors = [problem]
    out = issue.published_at is not None
    response = key_page(
        "section",
        issue=issue,
        contribution=found,
        form=form,
        fields=comparing.whole(found, block),
        pictures=pictures_of(found),
        differs=bool(comparing.edited(found, block)),
        standing=standing.name,
        asked=standing in (Standing.WAITING, Standing.SILENT, Standing.CHANGED_SINCE),
        open=confirming.may_answer(found),
        version=block.version,
        token=kept_token(found),
        guard=Markup('<input type="hidden" name="{}" value="{}">').format(
            form_tokens.NAME, form_tokens.form_token(now)
        ),
        web_url=public_link("archive.issue", slug=issue.slug) if out and issue.mailing_list.public else "",
    )
    response.status_code = status
    return response
