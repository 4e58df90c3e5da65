"""What has to be settled before an issue is scheduled: each is used, kept for the next issue, or declined."""

from flask import flash, request
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.calls.deadline import reading
from newsletter.domain.calls.decisions import guarding, settling, triage
from newsletter.domain.calls.decisions.triage import Mail
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Issue
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.form_bases import GuardedForm

from .contribution import find_contribution
from .room import blueprint, find_issue, page, to

_TRIAGE = Permission.TRIAGE_CONTRIBUTIONS


class KeepAllForm(GuardedForm):
    """Why all that is left over waits for the next issue."""

    why = TextAreaField(_("Why do they wait?"), description=_("Their senders read these words."), render_kw={"rows": 3})


@blueprint.get("/desk/issues/<slug>/leftovers")
@staff(_TRIAGE)
def contributions_left(slug: str) -> tuple[str, int]:
    return _page(find_issue(slug, _TRIAGE), KeepAllForm(formdata=None))


@blueprint.post("/desk/issues/<slug>/leftovers/<reference>/use")
@staff(_TRIAGE)
def contributions_left_use(slug: str, reference: str) -> Response:
    """Accept one, with our usual words to its sender."""
    issue, found = find_issue(slug, _TRIAGE), find_contribution(reference)
    try:
        with transaction():
            triage.place(found, seen=request.form.get("seen") or None, actor=signed_in_account(), now=clock.now())
        flash(_("“{title}” stands in the issue.").format(title=found.title), "success")
    except Refused as error:
        flash(str(error), "problem")
    return to("contributions_left", slug=issue.slug)


@blueprint.post("/desk/issues/<slug>/leftovers/keep-all")
@staff(_TRIAGE)
def contributions_left_keep(slug: str) -> Response | tuple[str, int]:
    """All that is left over waits for the next issue, and every sender hears why."""
    issue, form = find_issue(slug, _TRIAGE), KeepAllForm()
    following, why, actor, now = issue.next_issue, (form.why.data or "").strip(), signed_in_account(), clock.now()
    if following is None:
        flash(_("There is no next issue yet. Name it first, in the frame of this one."), "problem")
        return to("contributions_left", slug=issue.slug)
    if not why:
        put_problems(form, Invalid([Problem("why", _("Say why they wait. Their senders read these words."))]))
        return _page(issue, form)
    try:
        with transaction():
            left = guarding.leftovers(issue)
            for each in left:
                triage.carry(each, following, mail=Mail(why=why), actor=actor, now=now)
    except Invalid as error:
        put_problems(form, Invalid([Problem("why", problem.sentence) for problem in error.problems]))
        return _page(issue, form)
    except Refused as error:
        flash(str(error), "problem")
        return to("contributions_left", slug=issue.slug)
    said = ngettext("%(number)s is kept for %(title)s.", "%(number)s are kept for %(title)s.", len(left))
    flash(said % {"number": len(left), "title": following.title}, "success")
    return to("contributions_left", slug=issue.slug)


def _page(issue: Issue, form: KeepAllForm) -> tuple[str, int]:
    left = guarding.leftovers(issue)
    return page(
        "contributions_left.html",
        issue=issue,
        under="editor.contributions",
        status=422 if form.errors else 200,
        form=form,
        left=[{"it": each, "seen": triage.token(each)} for each in left],
        late=reading.late(issue),
        asked_back=settling.asked_back(issue),
        following=issue.next_issue,
        takes=issue.state in EDITABLE_STATES,
    )
