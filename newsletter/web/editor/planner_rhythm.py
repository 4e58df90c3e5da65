"""A list gets its rhythm: one that others have, or put together from pieces, with its next days shown first."""

import hashlib
from datetime import datetime

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock, dates
from newsletter.db import transaction
from newsletter.domain.calls.rhythm import cadence, naming
from newsletter.domain.calls.rhythm.cadence import PRESETS, Rhythm, Turn
from newsletter.domain.calls.rhythm.rule_pieces import in_words
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, Problem
from newsletter.i18n import gettext as _
from newsletter.models import MailingList
from newsletter.states import Cadence
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems

from .planner import planned_list
from .planner_forms import RhythmForm
from .room import blueprint, page, to

_SHOWN = 4


@blueprint.route("/desk/lists/<slug>/rhythm", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def planner_rhythm(slug: str) -> Response | tuple[str, int]:
    """The form. A POST shows the next days; only one that has shown exactly these keeps the rhythm."""
    mailing_list, now = planned_list(slug, Permission.EDIT_ISSUES), clock.now()
    if mailing_list.cadence is Cadence.NONE:
        return to("planner_now", slug=slug)
    form, kept = RhythmForm(), cadence.rhythm_of(mailing_list)
    form.keep_region(kept.region if kept else form.region.choices[0].value)
    if request.method == "GET":
        preset = next((each.rhythm for each in PRESETS if each.name == request.args.get("preset")), None)
        shown = preset or kept or PRESETS[0].rhythm
        form.fill(shown)
        return _rhythm_page(mailing_list, form, shown if preset or kept else None, now)
    rhythm = _read(form, now)
    if rhythm is None:
        # Asked while somebody is still choosing, a gap is no fault yet.
        return _rhythm_page(mailing_list, form, None, now, 200 if "HX-Request" in request.headers else 422)
    if request.form.get("do") != "save" or request.form.get("shown") != _mark(rhythm):
        return _rhythm_page(mailing_list, form, rhythm, now)
    with transaction():
        cadence.choose(mailing_list, rhythm, actor=signed_in_account(), now=now)
    flash(_("The rhythm is kept. Issues that are there keep their dates."), "success")
    return to("planner_now", slug=slug)


def _read(form: RhythmForm, now: datetime) -> Rhythm | None:
    """The rhythm in the form; None where it has none, with each problem at a field that is shown."""
    if not form.validate():
        return None
    try:
        return cadence.checked(form.rhythm(), now)
    except Invalid as error:
        put_problems(form, Invalid([_at_a_field(form, problem) for problem in error.problems]))
        return None


def _at_a_field(form: RhythmForm, problem: Problem) -> Problem:
    """What is wrong with a rule stands at the choice it was made by, unless the rule itself was typed."""
    part, _underscore, what = problem.field.partition("_")
    if what == "rule" and form[f"{part}_way"].data != "rule":
        return Problem(f"{part}_way", problem.sentence)
    return problem


def _rhythm_page(
    mailing_list: MailingList, form: RhythmForm, rhythm: Rhythm | None, now: datetime, status: int = 200
) -> tuple[str, int]:
    today = dates.local(now, mailing_list.timezone).date()
    following = cadence.next_turns(rhythm, today, _SHOWN) if rhythm else []
    number = naming.next_number(mailing_list)
    return page(
        "planner_rhythm.html",
        under="editor.quarter",
        status=status,
        mailing_list=mailing_list,
        form=form,
        presets=PRESETS,
        chosen=cadence.rhythm_of(mailing_list) is not None,
        sentences=_sentences(rhythm) if rhythm else [],
        days=[_shown(rhythm, turn, number + at) for at, turn in enumerate(following) if rhythm],
        days_mark=_mark(rhythm) if rhythm else "",
    )


def _sentences(rhythm: Rhythm) -> list[str]:
    return [
        _("News closes at {time} on {days}.").format(
            time=dates.clock_time(rhythm.deadline_time), days=in_words(rhythm.deadline_rule)
        ),
        _("Issues go out at {time} on {days}.").format(
            time=dates.clock_time(rhythm.send_time), days=in_words(rhythm.send_rule)
        ),
    ]


def _shown(rhythm: Rhythm, turn: Turn, number: int) -> dict[str, str | list[str]]:
    return {
        "title": naming.title(rhythm.naming, turn.key, number),
        "deadline": f"{dates.clock_time(rhythm.deadline_time)}, {dates.day(turn.deadline.day)}",
        "send": f"{dates.clock_time(rhythm.send_time)}, {dates.day(turn.send.day)}",
        "moved": [each.moved for each in (turn.deadline, turn.send) if each.moved],
    }


def _mark(rhythm: Rhythm) -> str:
    """What a form carries to say which days its reader has seen."""
    return hashlib.sha256(repr(rhythm).encode()).hexdigest()[:16]
