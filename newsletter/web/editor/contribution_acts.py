"""What editors do about a contribution beside deciding: take back, take in, note, ask its sender, settle."""

from collections.abc import Callable

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.calls.decisions import confirming, noting, settling, triage
from newsletter.domain.calls.decisions.triage import Mail
from newsletter.domain.issues import commenting
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, NotFound, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Contribution
from newsletter.web.access import signed_in_account, staff

from .contribution import find_contribution, one_page
from .room import blueprint, to

_Answer = Response | tuple[str, int]


def _do(reference: str, act: Callable[[Contribution], object], said: str, field: str = "") -> _Answer:
    """Do it and go back to the contribution; where its words are wrong, show them again at their field."""
    found = find_contribution(reference)
    try:
        with transaction():
            act(found)
    except Invalid as error:
        problems = [Problem(field or problem.field, problem.sentence) for problem in error.problems]
        return one_page(find_contribution(reference), problems=problems, typed={field: request.form.get(field, "")})
    except (Refused, NotFound) as error:
        flash(str(error), "problem")
    else:
        flash(said, "success")
    return to("contribution", reference=found.reference)


@blueprint.post("/desk/contributions/<reference>/reopen")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution_reopen(reference: str) -> _Answer:
    """Take a decision back."""
    return _do(
        reference,
        lambda found: triage.reopen(found, actor=signed_in_account(), now=clock.now()),
        _("It waits for a decision again."),
    )


@blueprint.post("/desk/contributions/<reference>/take-in")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution_take_in(reference: str) -> _Answer:
    """Read it like any other, though nobody proved the address."""
    return _do(
        reference,
        lambda found: triage.take_in(found, actor=signed_in_account(), now=clock.now()),
        _("Taken in. The record says that you did."),
    )


@blueprint.post("/desk/contributions/<reference>/note")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution_note(reference: str) -> _Answer:
    """A word to the other editors."""
    words = request.form.get("note", "")
    return _do(
        reference,
        lambda found: noting.note(found, words, actor=signed_in_account(), now=clock.now()),
        _("Your note is kept. Its sender never reads it."),
        "note",
    )


@blueprint.post("/desk/contributions/<reference>/note/<int:number>/<any(resolve, reopen):verb>")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution_note_settle(reference: str, number: int, verb: str) -> _Answer:
    """A note is dealt with, or it is not after all."""
    settle = commenting.resolve if verb == "resolve" else commenting.reopen
    return _do(
        reference,
        lambda found: settle(noting.find_note(found, number), actor=signed_in_account(), now=clock.now()),
        _("Resolved.") if verb == "resolve" else _("It is open again."),
    )


@blueprint.post("/desk/contributions/<reference>/ask")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution_ask(reference: str) -> _Answer:
    """Ask its sender whether the edited section is right."""
    words = request.form.get("question", "")
    return _do(
        reference,
        lambda found: confirming.ask(found, words, actor=signed_in_account(), now=clock.now()),
        _("They are asked, and have 48 hours. If they say nothing, it goes as it stands."),
        "question",
    )


@blueprint.post("/desk/contributions/<reference>/settle")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution_settle(reference: str) -> _Answer:
    """Answer somebody who wants something taken out: all of it goes, or it stays, changed perhaps."""
    actor, now, words = signed_in_account(), clock.now(), request.form.get("answer", "")
    if request.form.get("settle") == "out":
        return _do(
            reference,
            lambda found: settling.take_out(found, actor=actor, now=now),
            _("Taken out. Its section is in the bin, and its sender is told."),
        )
    return _do(
        reference,
        lambda found: settling.keep(found, mail=Mail(why=words), actor=actor, now=now),
        _("Settled. Its sender is told what you have done."),
        "answer",
    )
