"""Words that must go for good: a form for administrators, the record of what went, and opening what lies under seal."""

import base64
import binascii

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import StringField, TextAreaField

from ... import clock
from ...db import db, transaction
from ...domain.issues import taking_down, taking_down_pictures
from ...domain.staff.permissions import Permission, require
from ...errors import Conflict, Invalid, NotFound
from ...i18n import gettext as _
from ...models import Issue, Rendition, SealedCopy, TakeDown
from ..access import signed_in_account, staff
from ..fields import put_problems
from ..form_bases import PlainForm
from ..headers import private_page
from .room import blueprint

_MANAGE = Permission.MANAGE_INSTALLATION


class TakeDownForm(PlainForm):
    """What goes, and what will stand in its place."""

    words = TextAreaField(_("The words, exactly"), render_kw={"rows": 4})
    reason = StringField(_("Why"))


class PictureForm(PlainForm):
    """Which picture goes, and why."""

    picture = StringField(_("Its address"), render_kw={"autocomplete": "off"})
    why = StringField(_("Why"))


class KeyForm(PlainForm):
    """The key of one copy."""

    key = TextAreaField(_("Its key"), render_kw={"rows": 6})


@blueprint.route("/desk/settings/take-down", methods=["GET", "POST"])
@staff(_MANAGE)
def take_down() -> ResponseReturnValue:
    """Take words down; the answer holds the keys, which nobody can have a second time."""
    require(signed_in_account(), _MANAGE)
    form = TakeDownForm(request.form)
    if request.method != "POST":
        return _page(form)
    try:
        with transaction():
            done = taking_down.take_down(
                form.words.data or "", form.reason.data or "", actor=signed_in_account(), now=clock.now()
            )
    except Invalid as error:
        put_problems(form, error)
        return _page(form, 422)
    except Conflict as error:
        form.words.errors = [str(error)]
        return _page(form, 409)
    return _done(done)


@blueprint.post("/desk/settings/take-down/picture")
@staff(_MANAGE)
def take_down_picture() -> ResponseReturnValue:
    """Take a picture down; the answer holds the keys, as that of words does."""
    require(signed_in_account(), _MANAGE)
    form, account = PictureForm(request.form), signed_in_account()
    try:
        with transaction():
            done = taking_down_pictures.take_down_picture(
                form.picture.data or "", form.why.data or "", actor=account, now=clock.now()
            )
    except Invalid as error:
        put_problems(form, error)
        return _page(TakeDownForm(None), 422, form)
    except Conflict as error:
        form.picture.errors = [str(error)]
        return _page(TakeDownForm(None), 409, form)
    return _done(done)


def _done(done: taking_down.TakenDown) -> ResponseReturnValue:
    keys = {number: base64.b64encode(key).decode() for number, key in done.keys.items()}
    return private_page(render_template("admin/taken_down.html", done=done, keys=keys, titles=_titles(set(keys))))


@blueprint.route("/desk/settings/take-down/sealed/<int:key>", methods=["GET", "POST"])
@staff(_MANAGE)
def sealed_copy(key: int) -> ResponseReturnValue:
    """With its key, a copy under seal is given out as the text that was sent. Nothing of it is kept here."""
    require(signed_in_account(), _MANAGE)
    copy, form = db.session.get(SealedCopy, key), KeyForm(request.form)
    if copy is None:
        raise NotFound(_("There is no such copy."))
    status = 200
    if request.method == "POST":
        try:
            opened = taking_down.unseal(copy, base64.b64decode("".join((form.key.data or "").split()), validate=True))
            return _given_out(opened, copy.id)
        except (binascii.Error, Invalid):
            form.key.errors = [_("This key does not open this copy")]
            status = 422
    return render_template("admin/sealed_copy.html", copy=copy, form=form), status


def _given_out(opened: dict[str, str], number: int) -> Response:
    """What lay under seal, as a file: the words that were sent, or the picture."""
    if "picture" in opened:
        answer = Response(base64.b64decode(opened["picture"]), mimetype=opened["type"])
        kind = opened["type"].rpartition("/")[2]
    else:
        answer, kind = Response(f"{opened['subject']}\n\n{opened['text']}", mimetype="text/plain"), "txt"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Disposition"] = f'attachment; filename="as-sent-{number}.{kind}"'
    return answer


def _page(form: TakeDownForm, status: int = 200, picture: PictureForm | None = None) -> tuple[str, int]:
    records = db.session.scalars(select(TakeDown).order_by(TakeDown.id.desc()).limit(100)).all()
    copies: dict[int, list[SealedCopy]] = {}
    for copy in db.session.scalars(select(SealedCopy).order_by(SealedCopy.id)):
        copies.setdefault(copy.take_down_id, []).append(copy)
    shown = {"words": form, "picture": picture or PictureForm(None), "records": records, "copies": copies}
    # The one whose problems stand at the head of the page.
    shown["form"] = picture or form
    return render_template("admin/take_down.html", **shown), status


def _titles(renditions: set[int]) -> dict[int, str]:
    chosen = select(Rendition.id, Issue.title).join(Issue, Issue.id == Rendition.issue_id)
    return dict(db.session.execute(chosen.where(Rendition.id.in_(renditions))).all())
