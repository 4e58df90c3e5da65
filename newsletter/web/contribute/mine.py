"""What somebody wrote: all of it in a list, one with where it stands, checked and sent, taken back."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.calls.deadline import reading
from ...domain.calls.deadline.rights import right
from ...domain.calls.handing_in import contributing, drafting, withdrawing
from ...domain.calls.partners import proving
from ...domain.calls.texts import advising, items, revisions, sent_pictures
from ...errors import Conflict, Invalid, Problem, Refused
from ...i18n import gettext as _
from ...models import Contribution
from ...rendering.fields import FieldType
from ...states import ContributionState
from ..access import public
from ..fields import put_problems
from .access import for_contributors, signed_in_contributor
from .forms import DeclarationForm, ReasonForm
from .questions import own
from .room import blueprint, kept_token, key_page, other_calls, seconds_left
from .standing import known_state, standing

_ONE = "/contribute/mine/<uuid:public_id>"
_SENDER = "from"
_OPEN = (ContributionState.DRAFT, ContributionState.CHANGES_REQUESTED)
_OVER = (ContributionState.WITHDRAWN, ContributionState.DECLINED, ContributionState.MERGED)


@blueprint.get("/contribute/mine")
@public
@for_contributors
def mine() -> Response:
    """Everything they wrote: what waits for them first."""
    found = reading.own(signed_in_contributor())
    open_ones = [one for one in found if known_state(one) in _OPEN]
    over = [one for one in found if known_state(one) in _OVER]
    rest = [one for one in found if one not in open_ones and one not in over]
    titles = ((_("Waiting for you"), open_ones), (_("With the editors"), rest), (_("Over"), over))
    groups = [{"title": title, "rows": rows} for title, rows in titles if rows]
    unclaimed = reading.unclaimed(signed_in_contributor())
    return key_page("mine", groups=groups, unclaimed=unclaimed, calls=other_calls(clock.now()))


@blueprint.post(f"{_ONE}/from-me")
@public
@for_contributors
def from_me(public_id: UUID) -> Response:
    """They say that they sent what came under their address before they signed in: it counts."""
    found, contributor = reading.find_contribution(public_id), signed_in_contributor()
    if found not in reading.unclaimed(contributor):
        return redirect(url_for(".mine"), 303)
    with transaction():
        now = clock.now()
        proving.prove_own(found, contributor, now=now)
        contributing.tell_proved(found, now)
    return redirect(url_for(".mine_one", public_id=public_id), 303)


@blueprint.get(_ONE)
@public
@for_contributors
def mine_one(public_id: UUID) -> Response:
    """Where one of them stands; a draft that is not sent leads to its answers."""
    found = own(public_id)
    if known_state(found) is ContributionState.CHANGES_REQUESTED or (
        reading.is_private(found) and not found.withdrawn_at
    ):
        return redirect(url_for(".check", public_id=public_id))
    given = drafting.may_change(found, clock.now())
    late = found.state is ContributionState.DRAFT
    return key_page(
        "mine_one",
        issue=found.issue,
        contribution=found,
        item=items.item(found.kind),
        now_is=standing(found),
        note=found.decision_note if known_state(found) is found.state else "",
        rows=_rows(found, linked=False),
        panel="sent" in request.args,
        copied=contributing.copy_was_sent(found),
        token=kept_token(found),
        can={
            "change": given is not None,
            "withdraw": withdrawing.can_withdraw(found),
            # Not before they know that it was accepted: by the decision's mail, or because they were asked about it.
            "ask": withdrawing.can_ask(found) and (known_state(found) is found.state or found.confirm_by is not None),
            "more_time": late and not (given is not None and given.counts),
        },
    )


@blueprint.get(f"{_ONE}/check")
@public
@for_contributors
def check(public_id: UUID) -> Response:
    """All answers on one page, each with a way back to it, and the promise."""
    found = own(public_id)
    if not _to_send(found):
        return redirect(url_for(".mine_one", public_id=public_id))
    return _check_page(found, DeclarationForm())


@blueprint.post(f"{_ONE}/send")
@public
@for_contributors
def send(public_id: UUID) -> Response:
    """Hand it in. After the deadline it is kept, and the editors see it."""
    found, now = own(public_id), clock.now()
    form = DeclarationForm(request.form)
    expected = request.form.get("expected", "")
    try:
        with transaction():
            drafting.submit(
                found, expected=int(expected) if expected.isdecimal() and len(expected) < 10 else 0,
                declared=form.validate(), now=now,
            )  # fmt: skip
    except Conflict:
        sentence = _("This text was changed in another window. Check it once more, then send it.")
        return _check_page(own(public_id), form, [Problem("", sentence)], 409)
    except Invalid as error:
        others = [each for each in error.problems if each.field != "declared"]
        return _check_page(own(public_id), form, others, 422)
    except Refused as error:
        flash(str(error), "problem")
        return redirect(url_for(".mine_one", public_id=public_id), 303)
    return redirect(url_for(".mine_one", public_id=public_id, sent=1), 303)


@blueprint.route(f"{_ONE}/withdraw", methods=["GET", "POST"])
@public
@for_contributors
def withdraw(public_id: UUID) -> Response:
    """Take it back, once one has said so on a page of its own; ask for it where it is in an issue already."""
    found = own(public_id)
    asks = withdrawing.can_ask(found)
    form = ReasonForm(request.form)
    if request.method != "POST":
        if not asks and not withdrawing.can_withdraw(found):
            return redirect(url_for(".mine_one", public_id=public_id))
        return _withdraw_page(found, form, asks)
    try:
        with transaction():
            if asks:
                withdrawing.ask(found, form.words.data or "", now=clock.now())
            else:
                withdrawing.withdraw(found, now=clock.now())
    except Invalid as error:
        put_problems(form, error)
        return _withdraw_page(own(public_id), form, asks, 422)
    except Refused as error:
        flash(str(error), "problem")
    return redirect(url_for(".mine_one", public_id=public_id), 303)


def _withdraw_page(found: Contribution, form: ReasonForm, asks: bool, status: int = 200) -> Response:
    return key_page("withdraw", status, issue=found.issue, contribution=found, form=form, asks=asks)


def _to_send(found: Contribution) -> bool:
    return found.state in _OPEN


def _check_page(
    found: Contribution, form: DeclarationForm, problems: list[Problem] | None = None, status: int = 200
) -> Response:
    now, item = clock.now(), items.item(found.kind)
    piece = revisions.piece_of(found)
    given = right(found.issue, now, found.opened_at, contribution=found)
    wrong = problems or []
    open_still = given.until is not None and given.until.is_open(now)
    return key_page(
        "check",
        status,
        issue=found.issue,
        contribution=found,
        item=item,
        form=form,
        rows=_rows(found, linked=True, problems=wrong),
        problems=_links(wrong),
        advice=advising.advice(found.issue, piece, now),
        late=not given.counts,
        token=kept_token(found),
        until=given.until if given.counts and open_still else None,
        hurry=given.counts and not open_still,
        seconds_left=seconds_left(given, now),
        back=url_for(".question", public_id=found.public_id, step=item.pages[-1].name),
    )


def _links(problems: list[Problem]) -> list[Problem]:
    """The problems, each at the row of its field on this page."""
    return [Problem(f"row-{_row_of(each)}" if each.field else "", each.sentence) for each in problems]


def _row_of(problem: Problem) -> str:
    """The row at which a problem is shown: all that is wrong with whom to ask stands at one."""
    name = problem.field.partition(".")[0]
    return _SENDER if name in ("agency", "contact_name", "contact_address", "contact_phone") else name


def _rows(found: Contribution, *, linked: bool, problems: list[Problem] | None = None) -> list[dict[str, Any]]:
    """The answers in words; with what is wrong with each, and a way back to it."""
    item, piece = items.item(found.kind), revisions.piece_of(found)
    pages = {field.name: page.name for page in item.pages for field in item.fields_on(page)}
    wrong = {_row_of(each): each.sentence for each in reversed(problems or [])}
    rows: list[dict[str, Any]] = [
        {
            "id": f"row-{field.name}",
            "key": field.label,
            # A box that was not ticked is an answer, too.
            "words": words or (_("No") if field.type is FieldType.FLAG else ""),
            "picture": piece.data.get(field.name, "") if field.type is FieldType.MEDIA else "",
            "shown": [],
            "problem": wrong.get(field.name, ""),
            "url": url_for(".question", public_id=found.public_id, step=pages[field.name], check=1) if linked else "",
        }
        for field, words in items.rows_of(piece)
        if words or linked or field.type is FieldType.MEDIA
    ]
    contact = "\n".join(filter(None, (found.agency, found.contact_name, found.contact_address, found.contact_phone)))
    more = url_for(".sender", public_id=found.public_id) if linked else ""
    problem = wrong.get(_SENDER, "")
    sender = {
        "id": f"row-{_SENDER}",
        "key": _("From"),
        "words": contact,
        "picture": "",
        "shown": [],
        "problem": problem,
        "url": more,
    }
    return [*rows, *_pictures_row(found, linked), sender]


def _pictures_row(found: Contribution, linked: bool) -> list[dict[str, Any]]:
    """What came with the words; to be described where nobody has yet."""
    if not (found.pictures or linked):
        return []
    url = url_for(".sent_pictures", public_id=found.public_id) if linked else ""
    row = {"id": "row-pictures", "key": _("Pictures"), "words": "", "picture": "", "problem": "", "url": url}
    return [{**row, "shown": sent_pictures.besides(found)}]
