"""The pictures of a piece that somebody signed in writes: one page on which they are added, described, taken away."""

from uuid import UUID

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.calls.handing_in import drafting, picturing
from ...domain.calls.texts.sent_pictures import LONGEST_ALT, MOST
from ...errors import Invalid, Problem, Refused
from ...i18n import gettext as _
from ...models import Contribution
from ..access import public
from . import pictures
from .access import for_contributors, signed_in_contributor
from .questions import own, what_is_left
from .room import blueprint, key_page

_PAGE = "/contribute/mine/<uuid:public_id>/pictures"
#: Before the name of a picture: the control of its description, and the button that takes it away.
_ALT, _REMOVE = "alt.", "remove."


@blueprint.get(_PAGE)
@public
@for_contributors
def sent_pictures(public_id: UUID) -> Response:
    """What came with it, and room for one more."""
    found = own(public_id)
    if drafting.may_change(found, clock.now()) is None:
        return redirect(url_for(".mine_one", public_id=public_id))
    return _page(found)


@blueprint.post(_PAGE, endpoint="sent_pictures_save")
@public
@for_contributors
def sent_pictures_save(public_id: UUID) -> Response:
    """Keep the descriptions, whatever was pressed; then add, take away, or go on."""
    found, now, pressed = own(public_id), clock.now(), request.form.get("do", "")
    alts = {each["media"]: request.form.get(_ALT + each["media"], each["alt"]) for each in found.pictures}
    try:
        with transaction():
            picturing.describe(found, alts, now=now)
        came = pictures.came_with("picture", signed_in_contributor(), now)
        with transaction():
            if came is not None:
                picturing.add(found, came, now=now)
            elif pressed.startswith(_REMOVE):
                picturing.remove(found, pressed.removeprefix(_REMOVE), now=now)
    except Invalid as error:
        return _page(own(public_id), error.problems, 422)
    except Refused:
        return redirect(url_for(".mine_one", public_id=public_id), 303)
    if pressed == "add" and came is None:
        return _page(own(public_id), [Problem("picture", _("Choose a picture."))], 422)
    if pressed != "go":
        return redirect(url_for(".sent_pictures", public_id=public_id), 303)
    undescribed = [each for each in own(public_id).pictures if not each["alt"]]
    if undescribed:
        problem = Problem(_ALT + undescribed[0]["media"], _("Say what the picture shows."))
        return _page(own(public_id), [problem], 422)
    return redirect(what_is_left(own(public_id), pictures_too=False), 303)


def _page(found: Contribution, problems: list[Problem] | None = None, status: int = 200) -> Response:
    return key_page(
        "question_pictures", status, issue=found.issue, contribution=found, problems=problems or [],
        most=MOST, longest=LONGEST_ALT, back=url_for(".check", public_id=found.public_id),
    )  # fmt: skip
