"""The checks of an issue: what stops it, what is worth a look, what one click mends, what a person says is right."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from newsletter import clock, dates
from newsletter.config import current_settings
from newsletter.db import transaction
from newsletter.domain.issues.checking import FAMILY_WORDS, Finding, find_finding, pass_check, run_checks
from newsletter.domain.issues.checking.asking import ask_again, links_of
from newsletter.domain.issues.checking.link_answers import stale
from newsletter.domain.issues.checking.mending import can_mend, mend
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Conflict, Invalid
from newsletter.i18n import gettext as _
from newsletter.models import Block, Issue
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import signed_in_account, staff
from newsletter.web.section_forms import PREFIX, control_id
from newsletter.work.queue import ring

from .room import blueprint, can, find_issue, page, to
from .words import name_of

_CHECKS = "/desk/issues/<slug>/checks"


@blueprint.get(_CHECKS)
@staff(Permission.VIEW_ISSUES)
def issue_checks(slug: str) -> tuple[str, int]:
    return _checks_page(find_issue(slug), clock.now())


def _checks_page(
    found: Issue, now: datetime, *, refused: str = "", why: str = "", status: int = 200
) -> tuple[str, int]:
    """The page; `refused` is the key of the finding whose answer was not taken, `why` what is said there."""
    try:
        findings, broken = run_checks(found, now), ""
    except Invalid as error:
        findings, broken = [], error.problems[0].sentence
    stopping = [each for each in findings if each.stops]
    looking = [each for each in findings if not each.stops and not each.passed]
    unasked = len(stale(links_of(found), now)) if current_settings().check_links else 0
    return page(
        "checks.html",
        issue=found,
        status=status,
        broken=broken,
        stopping=_grouped(found, stopping, {refused: why}),
        looking=_grouped(found, looking),
        stops=len(stopping),
        looks=len(looking),
        safe=len(_safe(found, findings)),
        passed=[each.sentence for each in findings if each.passed],
        silent=_silent(findings),
        unasked=unasked,
        links_off=not current_settings().check_links,
        checked_at=dates.clock_time(dates.local(now, found.mailing_list.timezone)),
        editable=_editable(found),
    )


def _editable(found: Issue) -> bool:
    return found.state in EDITABLE_STATES and can(Permission.EDIT_ISSUES, found)


def _silent(findings: Sequence[Finding]) -> list[str]:
    """The families of checks that found nothing."""
    spoke = {each.family for each in findings}
    return [words for family, words in FAMILY_WORDS.items() if family not in spoke]


def _grouped(
    found: Issue, findings: Sequence[Finding], errors: Mapping[str, str] | None = None
) -> list[tuple[str, list[dict[str, Any]]]]:
    """(name of the family, what is shown) in the order of the families, within one in that of the sections. `errors`
    are what is said at findings, by their keys."""
    order = {family: number for number, family in enumerate(FAMILY_WORDS)}
    by_family = sorted(findings, key=lambda each: order[each.family])
    return [
        (FAMILY_WORDS[family], [_shown(found, each) | {"error": (errors or {}).get(each.key, "")} for each in group])
        for family, group in groupby(by_family, key=lambda each: each.family)
    ]


def _shown(found: Issue, finding: Finding) -> dict[str, Any]:
    """A finding with where it is and the ways to mend it."""
    block = _block_of(found, finding)
    where = ""
    if block:
        place = found.blocks.index(block) + 1
        where = _("In “{name}”, section {place}").format(name=name_of(block), place=place)
    elif finding.field in ("subject", "preheader"):
        where = _("In the subject") if finding.field == "subject" else _("In the preview text")
    return {
        "finding": finding,
        "where": where,
        "go_url": _go_url(found, block, finding),
        "marked": marked(finding),
        "suggestion": finding.suggestion if finding.suggestion not in finding.why else "",
        "fix": finding.fix.words if block and finding.fix and can_mend(block, finding) else "",
    }


def _block_of(found: Issue, finding: Finding) -> Block | None:
    return next((each for each in found.blocks if str(each.id) == finding.block_id), None)


def _safe(found: Issue, findings: Sequence[Finding]) -> list[Finding]:
    """What can be mended without anybody thinking about it."""
    return [
        each
        for each in findings
        if each.fix
        and each.fix.safe
        and not each.passed
        and (block := _block_of(found, each))
        and can_mend(block, each)
    ]


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


def _go_url(found: Issue, block: Block | None, finding: Finding) -> str:
    """The field that a finding is about; "" where it is not in the issue."""
    if block is not None:
        anchor = control_id(PREFIX + finding.field) if finding.field else "write"
        return url_for("editor.compose", slug=found.slug, block_id=block.id, _anchor=anchor)
    match finding.code:
        case "help_line":
            return url_for("editor.issue_add", slug=found.slug)
        case "accent" | "accent_changed":
            may = can(Permission.MANAGE_LISTS, found)
            return url_for("admin.edit_list", slug=found.mailing_list.slug, _anchor="accent") if may else ""
    return url_for("editor.issue_frame", slug=found.slug, _anchor=finding.field or None)


@blueprint.post(f"{_CHECKS}/pass")
@staff(Permission.EDIT_ISSUES)
def issue_check_pass(slug: str) -> Response | tuple[str, int]:
    """ "It is right"."""
    found, now = find_issue(slug, Permission.EDIT_ISSUES), clock.now()
    finding = find_finding(found, request.form.get("key", ""), now)
    reason = request.form.get("reason", "")
    if finding.blocking and finding.passable and not reason.strip():
        return _checks_page(found, now, refused=finding.key, why=_("Say why these words may be published."), status=422)
    with transaction():
        pass_check(found, finding, actor=signed_in_account(), now=now, reason=reason)
    flash(_("Noted for these very words: {what}").format(what=finding.sentence), "success")
    return to("issue_checks", slug=slug)


@blueprint.post(f"{_CHECKS}/fix")
@staff(Permission.EDIT_ISSUES)
def issue_check_fix(slug: str) -> Response:
    """Do what the button beside a finding says, or with no key all that is safe."""
    found, now = find_issue(slug, Permission.EDIT_ISSUES), clock.now()
    key = request.form.get("key", "")
    findings = [find_finding(found, key, now)] if key else _safe(found, run_checks(found, now))
    try:
        with transaction():
            mend(found, findings, actor=signed_in_account(), now=now)
    except Conflict as error:
        flash(str(error), "problem")
        return to("issue_checks", slug=slug)
    return to("issue_checks", slug=slug)  # which says what was mended, and offers to undo it


@blueprint.post(f"{_CHECKS}/links")
@staff(Permission.EDIT_ISSUES)
def issue_check_links(slug: str) -> Response:
    """Have all links of the issue asked for again, in the background."""
    found = find_issue(slug, Permission.EDIT_ISSUES)
    with transaction():
        ask_again(found)
        ring("check_links")
    flash(_("The links are being asked for. Look again in a minute."), "success")
    return to("issue_checks", slug=slug)
