"""One issue: what it wants, as it stands, its dates; and the checks behind it."""

import re

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from newsletter import clock, dates
from newsletter.db import transaction
from newsletter.domain.issues import scheduling
from newsletter.domain.issues.checking import Finding, find_finding, pass_check, run_checks
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Block, Issue
from newsletter.states import EDITABLE_STATES, IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems

from . import tasks
from .block_forms import PREFIX, control_id
from .forms import ReasonForm
from .room import blueprint, can, find_issue, page, to
from .words import name_of

#: What each family of checks says when it finds nothing: its codes, its words.
_PASSED: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"section", "mail"}), _("Every section is whole, and headings are in order")),
    (frozenset({"lost_link", "short_link", "scanned_link", "inside_link", "tracking_link"}), _("Links lead somewhere")),
    (frozenset({"missing_picture"}), _("Every picture is there")),
    (frozenset({"empty_contact"}), _("No contact is left empty")),
    (frozenset({"past_date", "wrong_weekday", "no_such_date", "ambiguous_range"}), _("Dates are right, and ahead")),
    (frozenset({"repeated_word", "awkward_words"}), _("No word is repeated")),
    (
        frozenset({"nhs_number", "ni_number", "upn", "birth_date", "outside_email", "phone_number"}),
        _("No personal numbers in the text"),
    ),
    (frozenset({"long_subject", "loud_subject", "same_preheader", "preheader_length"}), _("The inbox lines fit")),
    (frozenset({"large_mail"}), _("The mail is small enough for every mail program")),
)


@blueprint.get("/desk/issues/<slug>")
@staff(Permission.VIEW_ISSUES)
def issue(slug: str) -> Response | tuple[str, int]:
    found, now = find_issue(slug), clock.now()
    if found.archive_only:
        return to("issue_past", slug=found.slug)
    editable = found.state in EDITABLE_STATES
    try:
        findings = run_checks(found, now) if editable else []
        obstacles = scheduling.obstacles(found, now) if editable else []
        broken = ""
    except Invalid as error:
        findings, obstacles, broken = [], [], error.problems[0].sentence
    return page(
        "issue.html",
        issue=found,
        editable=editable,
        tasks=tasks.tasks(found, findings, obstacles) if editable else None,
        sentence=tasks.when_words(found, now),
        broken=broken,
        facts=_facts(found),
        preview_url=url_for("editor.issue_preview", slug=found.slug, form="html", v=found.content_version),
        may_cancel=found.state in EDITABLE_STATES | {IssueState.SCHEDULED},
    )


def _facts(found: Issue) -> list[tuple[str, str]]:
    """The dates, for the aside."""
    zone = found.mailing_list.timezone
    facts = []
    if found.deadline:
        facts.append((_("Deadline"), found.deadline.words))
    if found.scheduled_at or found.planned_at:
        instant = found.started_at or found.scheduled_at or found.planned_at
        assert instant is not None
        facts.append((_("Send"), dates.moment(instant, zone)))
    following = found.next_issue
    if following and following.deadline:
        facts.append((_("Next deadline"), following.deadline.words))
    return facts


# --- checks ------------------------------------------------------------------------------------------------------


@blueprint.get("/desk/issues/<slug>/checks")
@staff(Permission.VIEW_ISSUES)
def issue_checks(slug: str) -> tuple[str, int]:
    found, now = find_issue(slug), clock.now()
    findings = run_checks(found, now)
    stopping = [each for each in findings if each.stops]
    looking = [each for each in findings if not each.stops and not each.passed]
    return page(
        "checks.html",
        issue=found,
        stopping=[_shown(found, each) for each in stopping],
        looking=[_shown(found, each) for each in looking],
        passed=[each.sentence for each in findings if each.passed],
        silent=[words for codes, words in _PASSED if not any(each.code in codes for each in findings)],
        checked_at=dates.clock_time(dates.local(now, found.mailing_list.timezone)),
        editable=found.state in EDITABLE_STATES and can(Permission.EDIT_ISSUES, found),
    )


def _shown(found: Issue, finding: Finding) -> dict[str, object]:
    """A finding with where it is and the way to mend it."""
    blocks = found.blocks
    block = next((each for each in blocks if str(each.id) == finding.block_id), None)
    where = ""
    if block:
        place = blocks.index(block) + 1
        where = _("In “{name}”, section {place}").format(name=name_of(block), place=place)
    return {
        "finding": finding,
        "where": where,
        "fix_url": _fix_url(found, block, finding),
        "marked": marked(finding),
        "suggestion": finding.suggestion if finding.suggestion not in finding.why else "",
    }


def marked(finding: Finding) -> tuple[str, str, str]:
    """The excerpt in three: what stands before the fault, the fault, what stands after it.

    Where the fault cannot be told from its surroundings it is "", and the first part holds all.
    """
    excerpt, better = finding.excerpt, finding.suggestion.split()
    if len(better) == 1:
        fault = re.search(rf"\b{re.escape(better[0])}\b,?\s+{re.escape(better[0])}\b", excerpt, re.IGNORECASE)
    elif better:
        fault = re.search(rf"{re.escape(better[0])}.*?{re.escape(better[-1])}", excerpt)
    else:
        fault = None if "…" in excerpt else re.fullmatch(r".*", excerpt, re.DOTALL)
    if fault is None:
        return excerpt, "", ""
    return excerpt[: fault.start()], fault[0], excerpt[fault.end() :]


def _fix_url(found: Issue, block: Block | None, finding: Finding) -> str:
    """The field that a finding is about."""
    if block is None:
        return url_for("editor.issue_frame", slug=found.slug)
    anchor = control_id(PREFIX + finding.field) if finding.field else "write"
    return url_for("editor.compose", slug=found.slug, block_id=block.id, _anchor=anchor)


@blueprint.post("/desk/issues/<slug>/checks/pass")
@staff(Permission.EDIT_ISSUES)
def issue_check_pass(slug: str) -> Response:
    """ "It is right"."""
    found = find_issue(slug, Permission.EDIT_ISSUES)
    finding = find_finding(found, request.form.get("key", ""), clock.now())
    reason = request.form.get("reason", "")
    if finding.blocking and not reason.strip():
        flash(_("Say why these words may be published, beside “It is right”."), "problem")
        return to("issue_checks", slug=slug)
    with transaction():
        pass_check(found, finding, actor=signed_in_account(), now=clock.now(), reason=reason)
    flash(_("Noted for these very words: {what}").format(what=finding.sentence), "success")
    return to("issue_checks", slug=slug)


# --- this issue will never go out --------------------------------------------------------------------------------


@blueprint.route("/desk/issues/<slug>/cancel", methods=["GET", "POST"])
@staff(Permission.SCHEDULE_ISSUES)
def issue_cancel(slug: str) -> Response | tuple[str, int]:
    found = find_issue(slug, Permission.SCHEDULE_ISSUES)
    form = ReasonForm()
    if request.method == "POST" and form.validate():
        try:
            with transaction():
                scheduling.cancel_issue(
                    found, reason=form.reason.data or "", actor=signed_in_account(), now=clock.now()
                )
            flash(_("Cancelled. Nothing was sent, and its words are kept."), "success")
            return to("issue", slug=slug)
        except Invalid as error:
            put_problems(form, error)
        except Refused as error:
            form.form_errors = [str(error)]
        found = find_issue(slug, Permission.SCHEDULE_ISSUES)
    return page("cancel_issue.html", issue=found, form=form, status=422 if form.errors else 200)
