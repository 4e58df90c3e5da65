"""Parts of a list by saved conditions: made on a page that counts as one goes, and chosen for an issue."""

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import audience as issue_audience_of
from newsletter.domain.staff.permissions import Permission, may, require
from newsletter.domain.subscribers import audiences
from newsletter.errors import Invalid, NotFound, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Audience, Issue, MailingList
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import current_account, signed_in_account, staff
from newsletter.web.fields import put_problems

from .audience_forms import AudienceForm
from .room import blueprint, can, find_issue, lists_for, page, to

_UNDER = "editor.subscribers"
_EVERYBODY = "everybody"


@blueprint.get("/desk/audiences", endpoint="audiences")
@staff(Permission.VIEW_SUBSCRIBERS)
def every() -> tuple[str, int]:
    """The saved audiences, list by list, each with its number now."""
    account = signed_in_account()
    groups = []
    for each in lists_for(account, Permission.VIEW_SUBSCRIBERS):
        rows = [
            (one, audiences.in_words(one.conditions), audiences.count(each, one.conditions))
            for one in audiences.of_list(each)
        ]
        may_do = (Permission.MANAGE_SUBSCRIBERS, Permission.EXPORT_SUBSCRIBERS)
        groups.append((each, rows, *(may(account, permission, each) for permission in may_do)))
    return page("audiences.html", under=_UNDER, groups=groups)


@blueprint.route("/desk/lists/<slug>/audiences/new", methods=["GET", "POST"])
@staff(Permission.MANAGE_SUBSCRIBERS)
def audience_new(slug: str) -> Response | tuple[str, int]:
    lists = lists_for(signed_in_account(), Permission.MANAGE_SUBSCRIBERS)
    mailing_list = next((one for one in lists if one.slug == slug), None)
    if mailing_list is None:
        raise NotFound(_("There is no such list."))
    return _form(None, mailing_list)


@blueprint.route("/desk/audiences/<int:number>", methods=["GET", "POST"])
@staff(Permission.MANAGE_SUBSCRIBERS)
def audience(number: int) -> Response | tuple[str, int]:
    found = _find(number)
    return _form(found, found.mailing_list)


@blueprint.post("/desk/audiences/<int:number>/end")
@staff(Permission.MANAGE_SUBSCRIBERS)
def audience_end(number: int) -> Response:
    found = _find(number)
    name = found.name
    with transaction():
        audiences.end(found, actor=signed_in_account(), now=clock.now())
    flash(_("“{name}” is gone. Issues that chose it keep it.").format(name=name), "success")
    return to("audiences")


def _find(number: int) -> Audience:
    found = audiences.find(number)
    require(current_account(), Permission.MANAGE_SUBSCRIBERS, found.mailing_list)
    return found


def _form(saved: Audience | None, mailing_list: MailingList) -> Response | tuple[str, int]:
    """The questions and the number. A POST counts; one that says so saves."""
    form = AudienceForm()
    others = lists_for(signed_in_account(), Permission.VIEW_SUBSCRIBERS)
    form.offer([one for one in others if one is not mailing_list])
    if request.method == "GET":
        if saved is not None:
            form.fill(saved)
        return _form_page(form, saved, mailing_list)
    form.validate()
    conditions = form.conditions()
    saving = request.form.get("do") == "save"
    if not form.errors and saving:
        try:
            with transaction():
                kept = audiences.save(
                    saved, mailing_list, form.name.data or "", conditions, actor=signed_in_account(), now=clock.now()
                )
                name = kept.name
            flash(_("“{name}” is saved. Choose it for an issue on the issue’s page.").format(name=name), "success")
            return to("audiences")
        except Invalid as error:
            put_problems(form, error)
    elif not form.errors:
        try:
            audiences.checked(conditions)
        except Invalid as error:
            put_problems(form, error)
    # Asked while somebody is still choosing, a gap is no fault yet.
    wrong = form.errors and "HX-Request" not in request.headers
    return _form_page(form, saved, mailing_list, 422 if wrong else 200)


def _form_page(
    form: AudienceForm, saved: Audience | None, mailing_list: MailingList, status: int = 200
) -> tuple[str, int]:
    try:
        conditions = audiences.checked(form.conditions())
        number = audiences.count(mailing_list, conditions)
    except Invalid:
        conditions, number = [], 0
    return page(
        "audience_form.html", under=_UNDER, status=status, form=form, saved=saved, mailing_list=mailing_list,
        number=number, sentences=audiences.in_words(conditions), whole=audiences.count(mailing_list),
    )  # fmt: skip


# --- who gets an issue --------------------------------------------------------------------------------------------


@blueprint.context_processor
def _for_issues() -> dict[str, object]:
    """Every page about an issue can say whom it is for, in the same words."""
    return {"audience_of": _shown}


def _shown(issue: Issue) -> dict[str, object] | None:
    """The part of its list that the issue goes to, {name, sentences}; None for all of it."""
    part = issue_audience_of.part_of(issue)
    return {"name": part.name, "sentences": audiences.in_words(part.conditions)} if part else None


@blueprint.route("/desk/issues/<slug>/audience", methods=["GET", "POST"])
@staff(Permission.VIEW_ISSUES)
def issue_audience(slug: str) -> Response | tuple[str, int]:
    """Everybody on the list, or a saved audience."""
    changing = request.method == "POST"
    issue = find_issue(slug, Permission.EDIT_ISSUES if changing else Permission.VIEW_ISSUES)
    if not changing:
        return _choice_page(issue)
    chosen = request.form.get("audience", "")
    try:
        with transaction():
            saved = None
            if chosen != _EVERYBODY:
                saved = audiences.find(int(chosen) if chosen.isdecimal() and len(chosen) < 10 else 0)
            changed = issue_audience_of.choose(issue, saved, actor=signed_in_account(), now=clock.now())
    except (Refused, NotFound) as error:
        flash(str(error), "problem")
        return to("issue_audience", slug=slug)
    number = issue_audience_of.count(issue)
    said = _("It goes to {number} people now.") if changed else _("Nothing was changed: it goes to {number} people.")
    flash(said.format(number=f"{number:,}"), "success")
    return to("issue", slug=slug)


def _choice_page(issue: Issue) -> tuple[str, int]:
    part = issue_audience_of.part_of(issue)
    whole = issue.mailing_list
    rows = [
        {
            "value": str(one.id), "name": one.name, "number": audiences.count(whole, one.conditions),
            "sentences": audiences.in_words(one.conditions),
            "chosen": part is not None and (part.name, part.conditions) == (one.name, one.conditions),
        }
        for one in audiences.of_list(whole)
    ]  # fmt: skip
    return page(
        "issue_audience.html", issue=issue, rows=rows, part=part, whole=audiences.count(whole), everybody=_EVERYBODY,
        number=issue_audience_of.count(issue),
        stale=part is not None and not any(row["chosen"] for row in rows),
        editable=issue.state in EDITABLE_STATES and can(Permission.EDIT_ISSUES, issue),
        manages=can(Permission.MANAGE_SUBSCRIBERS, issue),
    )  # fmt: skip
