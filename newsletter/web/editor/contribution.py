"""One contribution: read, and decided on."""

from collections.abc import Sequence
from typing import Any

from flask import flash, request
from sqlalchemy import select
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.calls.deadline import reading, rights
from newsletter.domain.calls.decisions import confirming, merging, noting, outcomes, replying, triage
from newsletter.domain.calls.decisions.placing import section_of
from newsletter.domain.calls.decisions.triage import Mail
from newsletter.domain.calls.reminding import extending
from newsletter.domain.calls.texts import sent_pictures
from newsletter.domain.calls.texts.items import ITEMS, as_block
from newsletter.domain.calls.texts.news import to_xhtml
from newsletter.domain.staff.permissions import Permission, may, require
from newsletter.errors import Invalid, NotFound, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Account, Contribution, Extension, Issue
from newsletter.rendering import characters, rich
from newsletter.rendering.blocks import kind as kind_of
from newsletter.states import EDITABLE_STATES, ContributionState, ExtensionState, IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems

from .contribution_forms import MAILS, DecisionForm, fill, prepare, subjects
from .contributions import group_of
from .room import blueprint, page, to

_MOST_ISSUES = 6
_DONE = {
    "place": _("Accepted. It stands in the issue as a section of its own, where you can shorten it."),
    "changes": _("Its sender is asked, and has time of their own to change it."),
    "carry": _("Kept for the other issue."),
    "merge": _("Put together with the other one. Copy over what you want of its words."),
    "decline": _("Declined."),
}
#: The state that says that a choice was made already, by a first click.
_MADE = {
    "place": ContributionState.ACCEPTED,
    "changes": ContributionState.CHANGES_REQUESTED,
    "merge": ContributionState.MERGED,
    "decline": ContributionState.DECLINED,
}


def find_contribution(reference: str, permission: Permission = Permission.TRIAGE_CONTRIBUTIONS) -> Contribution:
    """What has this reference, if the person may do this on its list. Raises NotFound, also for a private draft."""
    typed = characters.one_line(reference).upper()
    found = db.session.scalar(select(Contribution).where(Contribution.reference == typed))
    if found is None or reading.is_private(found):
        raise NotFound(_("There is no contribution with this reference."))
    require(signed_in_account(), permission, found.issue.mailing_list)
    return found


@blueprint.route("/desk/contributions/<reference>", methods=["GET", "POST"])
@staff(Permission.VIEW_ISSUES)
def contribution(reference: str) -> Response | tuple[str, int]:
    needed = Permission.TRIAGE_CONTRIBUTIONS if request.method == "POST" else Permission.VIEW_ISSUES
    found = find_contribution(reference, needed)
    form = DecisionForm()
    targets = _targets(found)
    prepare(form, found, targets)
    if request.method == "POST" and form.validate():
        done = _decide(found, form, targets)
        if done:
            return done
        found = find_contribution(reference)
    return one_page(found, form if request.method == "POST" else None)


def _asks_for_time(found: Contribution) -> Extension | None:
    """The question of its sender for more time that nobody has answered."""
    for each in extending.extensions_of(found.issue):
        theirs = found.contributor_id is not None and each.contributor_id == found.contributor_id
        if each.state is ExtensionState.ASKED and (theirs or each.contribution_id == found.id):
            return each
    return None


def one_page(found: Contribution, form: DecisionForm | None = None, **values: Any) -> tuple[str, int]:
    """The page; with a `form` that was posted and is wrong, with that."""
    me, now, issue = signed_in_account(), clock.now(), found.issue
    targets = _targets(found)
    status = 422 if form is not None or values.get("problems") else 200
    if form is None:
        form = DecisionForm(formdata=None)
        prepare(form, found, targets)
        fill(
            form,
            found,
            request.args.get("decision", ""),
            actor=me,
            reply_by=extending.suggested_end(issue, now, days=2),
        )
    others = [each for each in reading.contributions_to(issue) if each.id != found.id]
    section, notice = section_of(found), outcomes.last(found)
    kind, data = as_block(found)
    shown = data["body"] if kind == "section" else to_xhtml(found.body)
    frame: dict[str, Any] = {
        "form": form,
        "found": found,
        "group": group_of(found),
        "decides": may(me, Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list),
        "kind": ITEMS[kind].name if kind in ITEMS else kind_of(kind).name,
        "body": rich.to_web(shown),
        "subjects": subjects(found, targets),
        "open": triage.is_open(found),
        "is_decided": triage.is_decided(found),
        "state_words": triage.state_words(found),
        "targets": targets,
        "others": others,
        "section": section,
        "extension": rights.extension_of(found),
        "asks": _asks_for_time(found),
        "reply_time": replying.reply_time(found),
        "waits": outcomes.waiting(found),
        "notice": notice,
        "told": (notice.values.get("words") if notice else "") or found.decision_note,
        "decided_by": db.session.get(Account, found.decided_by_id) if found.decided_by_id else None,
        "standing": confirming.standing(found, section, now).name,
        "may_ask": confirming.may_answer(found) and section is not None and bool(found.contact_address),
        "question": confirming.suggested_question(found, me),
        "parts": merging.parts_of(found),
        "root": merging.root_of(found),
        "notes": noting.notes_on(found),
        "own_pictures": sent_pictures.own(found),
        "pictures": sent_pictures.besides(found),
        "closed": issue.state not in EDITABLE_STATES,
        "scheduled": issue.state is IssueState.SCHEDULED,
        "first_name": found.contact_name.split()[0] if found.contact_name else _("the sender"),
        "problems": [],
        "typed": {},
        **_neighbours(found),
        **values,
        "timezone": issue.mailing_list.timezone,
        "accent": issue.mailing_list.accent,
    }
    return page("contribution.html", under="editor.contributions", status=status, **frame)


def _neighbours(found: Contribution) -> dict[str, Any]:
    """Where it stands among those to read, and the ones before and after it."""
    waiting = [each for each in reading.contributions_to(found.issue) if group_of(each) in ("read", "late")]
    at = next((number for number, each in enumerate(waiting) if each.id == found.id), None)
    if at is None:
        return {"place": 0, "waiting": len(waiting), "before": None, "after": waiting[0] if waiting else None}
    before, after = waiting[at - 1] if at else None, waiting[at + 1] if at + 1 < len(waiting) else None
    return {"place": at + 1, "waiting": len(waiting), "before": before, "after": after}


def _targets(found: Contribution) -> Sequence[Issue]:
    """The other issues of its list that still take words, the next one first."""
    chosen = select(Issue).where(
        Issue.list_id == found.issue.list_id, Issue.state.in_(EDITABLE_STATES), Issue.id != found.issue_id
    )
    targets = db.session.scalars(chosen.order_by(Issue.planned_at.is_(None), Issue.planned_at, Issue.id)).all()
    return sorted(targets, key=lambda issue: issue.id != found.issue.next_issue_id)[:_MOST_ISSUES]


def _decide(found: Contribution, form: DecisionForm, targets: Sequence[Issue]) -> Response | None:
    """Do what was chosen; None with the reasons in the form when it is refused."""
    choice, actor = form.decision.data, signed_in_account()
    if _made_already(found, form, actor):
        return to("contribution", reference=found.reference)
    until = form.reply_by(found.issue.mailing_list.timezone) if choice == "changes" else None
    if choice == "changes" and until is None:
        return None
    try:
        with transaction():
            _verb(found, form, targets, until, actor)
    except Invalid as error:
        names = {"words": f"{choice}_words", "until": "reply_day"}
        put_problems(form, Invalid([Problem(names.get(p.field, p.field), p.sentence) for p in error.problems]))
        return None
    except Refused as error:
        form.form_errors = [str(error)]
        return None
    flash(_(_DONE[choice]), "success")
    return to("contribution", reference=found.reference)


def _verb(
    found: Contribution, form: DecisionForm, targets: Sequence[Issue], until: Deadline | None, actor: Account
) -> None:
    now, choice, seen = clock.now(), form.decision.data, form.seen.data or triage.token(found)
    mail = Mail(form[f"{choice}_words"].data or "", send=not form.quiet.data)
    match choice:
        case "place":
            triage.place(found, mail=mail, seen=seen, actor=actor, now=now)
        case "changes" if until is not None:
            triage.request_changes(found, until, mail=mail, seen=seen, actor=actor, now=now)
        case "carry":
            target = next((each for each in targets if str(each.id) == form.carry_issue.data), None)
            if target is None:
                raise Invalid([Problem("carry_issue", _("Choose the issue to keep it for"))])
            words = outcomes.words_of(MAILS[choice], found, mail, actor=actor)
            mail = Mail(words, send=mail.send)
            triage.carry(found, target, mail=mail, leave=form.leave.data, seen=seen, actor=actor, now=now)
        case "merge":
            into = find_contribution(form.merge_into.data or "")
            merging.merge(found, into, mail=mail, seen=seen, actor=actor, now=now)
        case _:
            triage.decline(found, mail=mail, seen=seen, actor=actor, now=now)


def _made_already(found: Contribution, form: DecisionForm, actor: Account) -> bool:
    """Whether this is the second click of somebody whose first has done it."""
    db.session.refresh(found)
    changed = bool(form.seen.data) and form.seen.data != triage.token(found)
    if form.decision.data == "carry":
        return changed and form.carry_issue.data == str(found.issue_id)
    return changed and found.state is _MADE[form.decision.data] and found.decided_by_id == actor.id
