"""What people in other agencies sent in: to read, and decided."""

from collections.abc import Sequence

from flask import flash, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import BooleanField, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.calls import reading, triage
from newsletter.domain.calls.news import to_xhtml
from newsletter.domain.issues.content import address
from newsletter.domain.staff.permissions import Permission, require
from newsletter.errors import Invalid, NotFound, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Block, Contribution, Issue
from newsletter.rendering import characters, rich
from newsletter.states import EDITABLE_STATES, Cadence, ContributionState, IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.form_bases import GuardedForm

from .room import blueprint, lists_for, page, to

_MOST = 200
_MOST_ISSUES = 4


class DecisionForm(GuardedForm):
    """What happens to it, and what its sender is told."""

    decision = RadioField(
        _("What happens to it?"),
        choices=[
            SelectChoice("place", _("Accept it")),
            SelectChoice("carry", _("Keep it for another issue")),
            SelectChoice("decline", _("Decline it")),
        ],
        validators=[InputRequired(_("Choose what happens to it"))],
    )
    issue = RadioField(_("Which issue?"), choices=[], validate_choice=False)
    note = TextAreaField(
        _("A few words to the sender"),
        description=_("They stand in the mail as you write them. Needed when you decline."),
        validators=[Length(max=2000)],
    )
    quiet = BooleanField(_("Do not email them"))


@blueprint.get("/desk/contributions")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contributions() -> tuple[str, int]:
    lists = lists_for(signed_in_account(), Permission.TRIAGE_CONTRIBUTIONS)
    asked = characters.one_line(request.args.get("issue", ""))
    rows = reading.contributions_of(lists, limit=_MOST)
    issue = db.session.scalar(select(Issue).where(Issue.slug == asked)) if asked else None
    if issue is not None and issue.list_id in {each.id for each in lists}:
        rows = [each for each in rows if each.issue_id == issue.id]
    else:
        issue = None
    now = clock.now()
    to_read = [each for each in rows if each.state is ContributionState.SUBMITTED]
    calls = [call for call in (reading.open_call(each, now) for each in lists) if call is not None]
    number = len(to_read)
    heading = ngettext("%(number)s contribution to read", "%(number)s contributions to read", number)
    return page(
        "contributions.html",
        only=issue,
        heading=heading % {"number": number} if number else _("Contributions"),
        to_read=to_read,
        late=[each for each in rows if each.state is ContributionState.DRAFT and each.late],
        decided=[each for each in rows if each.state not in (ContributionState.SUBMITTED, ContributionState.DRAFT)],
        calls=[{"issue": each, "url": address(url_for("contribute.call", slug=each.slug))} for each in calls],
        quarterly=any(each.cadence is Cadence.QUARTERLY for each in lists),
        timezone=lists[0].timezone if lists else None,
    )


def _find(reference: str) -> Contribution:
    typed = characters.one_line(reference).upper()
    found = db.session.scalar(select(Contribution).where(Contribution.reference == typed))
    if found is None:
        raise NotFound(_("There is no contribution with this reference."))
    require(signed_in_account(), Permission.TRIAGE_CONTRIBUTIONS, found.issue.mailing_list)
    return found


def _issues_for(contribution: Contribution) -> Sequence[Issue]:
    """The issues of its list that still take words, its own first."""
    found = db.session.scalars(
        select(Issue)
        .where(Issue.list_id == contribution.issue.list_id, Issue.state.in_(EDITABLE_STATES))
        .order_by(Issue.planned_at.is_(None), Issue.planned_at, Issue.id)
    ).all()
    return sorted(found, key=lambda issue: issue.id != contribution.issue_id)[:_MOST_ISSUES]


@blueprint.route("/desk/contributions/<reference>", methods=["GET", "POST"])
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution(reference: str) -> Response | tuple[str, int]:
    found = _find(reference)
    form = DecisionForm()
    issues = _issues_for(found)
    form.issue.choices = [SelectChoice(str(each.id), each.title) for each in issues]
    if request.method == "GET":
        form.decision.data = "place"
        form.issue.data = str(issues[0].id) if issues else None
    elif form.validate():
        done = _decide(found, form, issues)
        if done:
            return done
        found = _find(reference)
    return _page(found, form, issues)


def _page(found: Contribution, form: DecisionForm, issues: Sequence[Issue]) -> tuple[str, int]:
    waiting = reading.undecided(found.issue)
    others = [each for each in waiting if each.id != found.id]
    place = next((number for number, each in enumerate(waiting, 1) if each.id == found.id), 0)
    return page(
        "contribution.html",
        under="editor.contributions",
        status=422 if form.errors else 200,
        form=form,
        found=found,
        body=rich.to_web(to_xhtml(found.body)),
        issues=issues,
        open=triage.is_open(found),
        place=place,
        waiting=len(waiting),
        next_one=others[0] if others else None,
        block=db.session.scalar(
            select(Block).where(Block.contribution_id == found.id, Block.deleted_at.is_(None)).limit(1)
        ),
        first_name=found.contact_name.split()[0] if found.contact_name else _("the sender"),
        timezone=found.issue.mailing_list.timezone,
        accent=found.issue.mailing_list.accent,
        sending=found.issue.state in (IssueState.SENDING, IssueState.SENT),
    )


def _decide(found: Contribution, form: DecisionForm, issues: Sequence[Issue]) -> Response | None:
    """Do what was chosen; None with the reasons in the form when it is refused."""
    target_id = form.issue.data
    target = next((each for each in issues if str(each.id) == target_id), None)
    actor, now, note, tell = signed_in_account(), clock.now(), form.note.data or "", not form.quiet.data
    try:
        with transaction():
            match form.decision.data:
                case "place":
                    triage.place(found, issue=target, note=note, tell=tell, actor=actor, now=now)
                    said = _("Accepted. It stands in the issue as a section of its own, where you can shorten it.")
                case "carry":
                    if target is None:
                        raise Invalid([Problem("issue", _("Choose the issue to keep it for"))])
                    triage.carry(found, target, actor=actor, now=now)
                    said = _("Kept for the other issue, where it waits for a decision.")
                case _:
                    triage.decline(found, note, tell=tell, actor=actor, now=now)
                    said = _("Declined. You can take that back.")
    except Invalid as error:
        put_problems(
            form, Invalid([Problem({"reason": "note"}.get(p.field, p.field), p.sentence) for p in error.problems])
        )
        return None
    except Refused as error:
        form.form_errors = [str(error)]
        return None
    flash(said, "success")
    return to("contribution", reference=found.reference)


@blueprint.post("/desk/contributions/<reference>/reopen")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution_reopen(reference: str) -> Response:
    """Take back that it was declined."""
    found = _find(reference)
    try:
        with transaction():
            triage.reopen(found, actor=signed_in_account(), now=clock.now())
        flash(_("It waits for a decision again. If a mail went, it is not called back."), "success")
    except Refused as error:
        flash(str(error), "problem")
    return to("contribution", reference=reference)
