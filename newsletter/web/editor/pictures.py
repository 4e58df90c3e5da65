"""Pictures: brought in by button, drop or paste, chosen for a section with words that say what they show."""

from typing import Any
from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, jsonify, render_template, request, url_for
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import editing, pictures
from newsletter.domain.staff.permissions import Permission, may
from newsletter.errors import Conflict, Invalid, NotFound, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Block, Issue, Media
from newsletter.rendering.pictures import remake
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import current_account, signed_in_account, staff

from .room import blueprint, find_issue, page, to
from .words import name_of

_ISSUE = "/desk/issues/<slug>/pictures"
_CHOOSE = "/desk/issues/<slug>/write/<uuid:block_id>/picture/<field>"
_SHOWN = 24
#: A script asks for the inside of a page, to show it in a dialog.
_PART = "X-Part"


# --- the pictures there are --------------------------------------------------------------------------------------


@blueprint.get(_ISSUE)
@staff(Permission.VIEW_ISSUES)
def issue_pictures(slug: str) -> tuple[str, int]:
    return _pictures_page(find_issue(slug))


@blueprint.post(_ISSUE, endpoint="issue_picture_add")
@staff(Permission.EDIT_ISSUES)
def issue_picture_add(slug: str) -> Response | tuple[str, int]:
    """One picture more. A script is told in JSON what it is called, or why it cannot be used."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    wants_json = request.accept_mimetypes.best == "application/json"
    try:
        media = _uploaded()
    except Invalid as error:
        if wants_json:
            return _told({"sentence": str(error)}, 422)
        return _pictures_page(find_issue(issue.slug), error.problems, 422)
    if wants_json:
        return _told({"name": media.name, "anchor": f"p-{media.id}"}, 201)
    flash(_("The picture is here. Choose it in a section that shows a picture."), "success")
    return to("issue_pictures", slug=slug, anchor=f"p-{media.id}")


@blueprint.post(f"{_ISSUE}/<name>/delete")
@staff(Permission.EDIT_ISSUES)
def issue_picture_delete(slug: str, name: str) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    media = pictures.find_picture(name)
    try:
        with transaction():
            pictures.delete_picture(media, actor=signed_in_account(), now=clock.now())
    except Refused as error:
        return _pictures_page(find_issue(issue.slug), [Problem("", str(error))], 422)
    return to("issue_pictures", slug=slug, deleted=name)


@blueprint.post(f"{_ISSUE}/<name>/undo")
@staff(Permission.EDIT_ISSUES)
def issue_picture_undo(slug: str, name: str) -> Response:
    find_issue(slug, Permission.EDIT_ISSUES)
    media = pictures.find_picture(name)
    with transaction():
        pictures.undo_delete(media, actor=signed_in_account(), now=clock.now())
        number = media.id
    return to("issue_pictures", slug=slug, anchor=f"p-{number}")


def _uploaded() -> Media:
    """The picture in the posted form, kept. Raises Invalid for what is none."""
    upload = request.files.get("file")
    with (upload or FileStorage()).stream as stream:
        made = remake(stream.read())
    with transaction():
        return pictures.store_picture(made, actor=signed_in_account(), now=clock.now())


def _told(answer: dict[str, str], status: int) -> Response:
    told: FlaskResponse = jsonify(answer)
    told.status_code = status
    return told


def _pictures_page(issue: Issue, problems: list[Problem] | None = None, status: int = 200) -> tuple[str, int]:
    rows, older = _newest()
    weight = pictures.weight(issue)
    values: dict[str, Any] = {
        "pictures": _cards(rows),
        "older": older,
        "editable": may(current_account(), Permission.EDIT_ISSUES, issue.mailing_list),
        "problems": [Problem("file" if each.field == "file" else "", each.sentence) for each in problems or []],
        "file_problem": next((each.sentence for each in problems or [] if each.field == "file"), ""),
        "deleted": _deleted(),
        "weight": pictures.size_words(weight.size) if weight.pictures else "",
        "too_heavy": weight.too_much,
        "most": pictures.size_words(pictures.MOST_IN_MAIL),
    }
    return page("pictures.html", issue=issue, status=status, **values)


def _deleted() -> Media | None:
    """The picture that was just thrown away, for the offer to take it back."""
    try:
        media = pictures.find_picture(request.args.get("deleted", ""))
    except NotFound:
        return None
    return media if media.deleted_at else None


def _newest(chosen: str = "") -> tuple[list[Media], int | None]:
    """Pictures to show, newest first, and the number before which the older ones stand. `chosen` is among them."""
    before = request.args.get("before", "")
    query = select(Media).where(Media.deleted_at.is_(None)).order_by(Media.id.desc()).limit(_SHOWN + 1)
    if before.isdecimal() and len(before) < 10:
        query = query.where(Media.id < int(before))
    rows = list(db.session.scalars(query))
    older = rows[_SHOWN - 1].id if len(rows) > _SHOWN else None
    rows = rows[:_SHOWN]
    if chosen and chosen not in {each.name for each in rows}:
        rows[:0] = db.session.scalars(select(Media).where(Media.name == chosen))
    return rows, older


def _cards(rows: list[Media]) -> list[dict[str, Any]]:
    """Each picture with what is known of it: its size, the words it has, the sections that show it."""
    used, account = pictures.uses(rows), current_account()
    cards = []
    for media in rows:
        seen = [use for use in used[media.name] if may(account, Permission.VIEW_ISSUES, use.issue.mailing_list)]
        cards.append(
            {
                "id": media.id,
                "name": media.name,
                "url": url_for("archive.media", name=media.name),
                "alt": next((use.alt for use in seen if use.alt), ""),
                "facts": _("{width} by {height}, {size}").format(
                    width=media.width, height=media.height, size=pictures.size_words(media.size)
                ),
                "width": media.width,
                "height": media.height,
                "uses": [(use.issue, name_of(use.block), use.block.id) for use in seen],
                "elsewhere": len(seen) < len(used[media.name]),
                "used": bool(used[media.name]),
            }
        )
    return cards


# --- choosing one for a section ----------------------------------------------------------------------------------


@blueprint.get(_CHOOSE)
@staff(Permission.EDIT_ISSUES)
def issue_block_picture(slug: str, block_id: UUID, field: str) -> tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    block = _with_picture(issue, block_id, field)
    chosen = request.args.get("chosen", "") or str(block.data.get(field, ""))
    typed = {"alt": block.data.get("alt", ""), "decorative": block.data.get("decorative", False)}
    return _choose_page(issue, block, field, chosen, typed)


@blueprint.post(_CHOOSE, endpoint="issue_block_picture_choose")
@staff(Permission.EDIT_ISSUES)
def issue_block_picture_choose(slug: str, block_id: UUID, field: str) -> Response | tuple[str, int]:
    """Use the picture that was chosen, or brought in with the form. "check" only asks whether it could be used."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    block = _with_picture(issue, block_id, field)
    chosen = request.form.get("media", "")
    typed = {"alt": request.form.get("alt", ""), "decorative": bool(request.form.get("decorative"))}
    try:
        if request.files.get("file"):
            chosen = _uploaded().name
        media = _chosen(chosen)
        if pictures.describes(block.kind):
            pictures.described(str(typed["alt"]), decorative=bool(typed["decorative"]))
        if request.form.get("do") == "check":
            return Response(status=204)
        with transaction():
            pictures.choose_picture(
                editing.find_block(issue, str(block_id)), field, media, alt=str(typed["alt"]),
                decorative=bool(typed["decorative"]), expected_version=_version(),
                actor=signed_in_account(), now=clock.now(),
            )  # fmt: skip
    except Invalid as error:
        return _again(slug, block_id, field, chosen, typed, error.problems)
    except Conflict as error:
        return _again(slug, block_id, field, chosen, typed, [Problem("", str(error))], status=409)
    return to("compose", slug=slug, block_id=block_id, saved=1, anchor=f"d-{field}")


def _version() -> int:
    typed = request.form.get("expected", "")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else 0


def _with_picture(issue: Issue, block_id: UUID, field: str) -> Block:
    """The section. Raises NotFound where it has no such place for a picture."""
    block = editing.find_block(issue, str(block_id))
    if field not in pictures.PICTURE_FIELDS.get(block.kind, ()):
        raise NotFound(_("This section has no place for a picture."))
    return block


def _chosen(name: str) -> Media:
    try:
        return pictures.find_picture(name)
    except NotFound:
        raise Invalid([Problem("media", _("Choose a picture."))]) from None


def _again(
    slug: str,
    block_id: UUID,
    field: str,
    chosen: str,
    typed: dict[str, Any],
    problems: list[Problem],
    status: int = 422,
) -> tuple[str, int]:
    """The page once more, with everything that was typed. After a clash it is of the section as it stands now."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    return _choose_page(issue, _with_picture(issue, block_id, field), field, chosen, typed, problems, status)


def _choose_page(
    issue: Issue,
    block: Block,
    field: str,
    chosen: str,
    typed: dict[str, Any],
    problems: list[Problem] | None = None,
    status: int = 200,
) -> tuple[str, int]:
    rows, older = _newest(chosen)
    wrong = problems or []
    values: dict[str, Any] = {
        "block": block,
        "block_name": name_of(block),
        "field": field,
        "chosen": chosen,
        "typed": typed,
        "describes": pictures.describes(block.kind),
        "pictures": _cards(rows),
        "older": older,
        "editable": issue.state in EDITABLE_STATES,
        "errors": dict.fromkeys(("", "file", "media", "alt"), "") | {each.field: each.sentence for each in wrong},
        "problems": [Problem(f"picture-{each.field}" if each.field else "", each.sentence) for each in wrong],
        "part": _PART in request.headers,
    }
    if values["part"]:
        return render_template("editor/pictures_choose_part.html", issue=issue, **values), status
    return page("pictures_choose.html", issue=issue, status=status, **values)
