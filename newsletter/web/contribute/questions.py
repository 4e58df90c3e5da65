"""Question pages for somebody who is signed in: what it is, one thing a page, whom to ask, check your answers, send.

Every page saves what is on it, finished or not; what is wrong is said and kept. A page's own script saves the same
form while somebody types, and is answered in JSON.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import jsonify, redirect, request, url_for
from werkzeug.wrappers import Response

from ... import clock, dates
from ...db import transaction
from ...domain.calls.deadline import reading
from ...domain.calls.handing_in import drafting, picturing
from ...domain.calls.texts import items, revisions
from ...domain.calls.texts.items import ITEMS, Item, Page, Piece
from ...errors import Conflict, Invalid, Problem, Refused
from ...i18n import gettext as _
from ...models import Contribution
from ...rendering.fields import Field, FieldType
from ...states import ContributionState
from ..access import public
from ..fields import put_problems
from . import documents, pictures, two_windows
from .access import current_contributor, for_contributors, signed_in_contributor
from .documents import ReadFile
from .forms import OPENED, ContactForm
from .room import blueprint, key_page, opened_at, seconds_left
from .writing import READ_FILE, Posted, at_controls, controls, most_words, posted

_AUTOSAVE = "X-Autosave"
_ONE = "/contribute/mine/<uuid:public_id>"


@blueprint.post("/contribute/<slug>/begin")
@public
@for_contributors
def begin(slug: str) -> Response:
    """A new draft of the chosen kind, and on to its first page. A second click finds the same."""
    issue, now = reading.find_call(slug), clock.now()
    kind = request.form.get("kind", "")
    opened = opened_at(request.form.get(OPENED, ""), now)
    try:
        with transaction():
            draft = drafting.start(
                issue, signed_in_contributor(), kind if kind in ITEMS else items.NEWS.kind, opened_at=opened, now=now
            )
            made, first = draft.public_id, items.item(draft.kind).pages[0].name
    except Refused as error:
        return key_page("question_refused", 422, issue=reading.find_call(slug), sentence=str(error))
    return redirect(url_for(".question", public_id=made, step=first), 303)


@blueprint.get(f"{_ONE}/<step>")
@public
@for_contributors
def question(public_id: UUID, step: str) -> Response:
    """One page of the item's questions, as it was saved."""
    found = own(public_id)
    if drafting.may_change(found, clock.now()) is None:
        return redirect(url_for(".mine_one", public_id=public_id))
    item = items.item(found.kind)
    focus = (request.args.get("at", ""), request.args.get("do", ""))
    typed = Posted(revisions.piece_of(found), more=request.args.get("more", ""), focus=focus)
    return _question_page(found, item, item.page(step), typed)


@blueprint.post(f"{_ONE}/<step>", endpoint="question_save")
@public
def question_save(public_id: UUID, step: str) -> Response:
    """Save the page; go on, add to a list, read a file, or answer the page's script."""
    wants_json = _AUTOSAVE in request.headers
    if current_contributor() is None and wants_json:
        return _told(401)
    return _save(public_id, step, wants_json)


@for_contributors
def _save(public_id: UUID, step: str, wants_json: bool) -> Response:
    found, now = own(public_id), clock.now()
    item = items.item(found.kind)
    page = item.page(step)
    fields = item.fields_on(page)
    before = revisions.piece_of(found)
    typed = posted(item, fields, dict(before.data))
    read: ReadFile | None = None
    problems: list[Problem] = []
    try:
        if request.form.get("do") == READ_FILE:
            read = documents.read_upload(signed_in_contributor(), now)
            typed = Posted(documents.filled(item, typed.piece, read))
        typed = _with_picture(typed, fields, now)
    except Invalid as error:
        # What was typed is saved all the same.
        problems = error.problems
    if request.form.get("do") == two_windows.KEEP_BOTH:
        return two_windows.keep_both(found, item, page, typed.piece, now)
    try:
        with transaction():
            drafting.save(found, typed.piece, expected=_number(request.form.get("expected", "")), now=now)
            read = _with_pictures(found, read, now)
    except Conflict:
        # Whichever text is kept, the pictures of the file are there.
        with suppress(Refused), transaction():
            _with_pictures(own(public_id), read, now)
        return _told(409) if wants_json else two_windows.page_of(own(public_id), item, page, typed.piece)
    except Refused as error:
        wrong = [*problems, *(error.problems if isinstance(error, Invalid) else [Problem("", str(error))])]
        return _told(422, str(error)) if wants_json else _question_page(own(public_id), item, page, typed, wrong, 422)
    found = own(public_id)
    if wants_json:
        return _told(200, expected=found.revision, at=_saved_words(found))
    return _onward(found, item, page, typed, problems, read)


def _with_pictures(found: Contribution, read: ReadFile | None, now: datetime) -> ReadFile | None:
    """Keep the pictures of a file that was read; it says then how many there was no room for."""
    if read is None or not read.came:
        return read
    left = picturing.add_what_fits(found, read.came, now=now)
    return replace(read, pictures_left=read.pictures_left + left)


def _onward(
    found: Contribution, item: Item, page: Page, typed: Posted, problems: list[Problem], read: ReadFile | None
) -> Response:
    """Where a saved page leads."""
    pressed = request.form.get("do", "")
    if typed.step:
        path, verb = typed.focus
        more = typed.more or None
        return redirect(
            url_for(".question", public_id=found.public_id, step=page.name, more=more, at=path, do=verb), 303
        )
    saved = Posted(revisions.piece_of(found))
    if read is not None:
        return _question_page(found, item, page, saved, read=read)
    if pressed == "later":
        return redirect(url_for(".mine", saved=found.public_id), 303)
    # Without words nothing is wrong yet: it is a draft. What is there must do for its section.
    problems = problems or items.problems_of(saved.piece, found.issue, page=page)
    if problems:
        return _question_page(found, item, page, saved, problems, 422)
    return redirect(_next(found, item, page), 303)


def _next(found: Contribution, item: Item, page: Page) -> str:
    number = item.pages.index(page)
    if found.state is ContributionState.SUBMITTED and number == len(item.pages) - 1:
        return url_for(".mine_one", public_id=found.public_id)
    if number < len(item.pages) - 1 and "check" not in request.args:
        return url_for(".question", public_id=found.public_id, step=item.pages[number + 1].name)
    return what_is_left(found)


def what_is_left(found: Contribution, *, pictures_too: bool = True) -> str:
    """The page that comes after those of the item: what no picture should go without, whom to ask, the answers."""
    if pictures_too and any(not each["alt"] for each in found.pictures):
        return url_for(".sent_pictures", public_id=found.public_id)
    if not (found.agency and found.contact_name):
        return url_for(".sender", public_id=found.public_id)
    return url_for(".check", public_id=found.public_id)


def _with_picture(typed: Posted, fields: tuple[Field, ...], now: datetime) -> Posted:
    media = next((each.name for each in fields if each.type is FieldType.MEDIA), "")
    name = pictures.stored_upload(media, signed_in_contributor(), now) if media else ""
    if not name:
        return typed
    return Posted(Piece(typed.piece.kind, {**typed.piece.data, media: name}), typed.more, typed.focus, typed.step)


@blueprint.route(f"{_ONE}/kind", methods=["GET", "POST"])
@public
@for_contributors
def change_kind(public_id: UUID) -> Response:
    """It is something else after all: the heading and the text move along."""
    found = own(public_id)
    if found.state is not ContributionState.DRAFT:
        return redirect(url_for(".mine_one", public_id=public_id))
    if request.method != "POST":
        back = url_for(".question", public_id=public_id, step=items.item(found.kind).pages[0].name)
        return key_page("question_kind", issue=found.issue, contribution=found, kinds=kinds(), back=back)
    kind = request.form.get("kind", "")
    try:
        with transaction():
            drafting.change_kind(
                found, kind if kind in ITEMS else found.kind,
                expected=_number(request.form.get("expected", "")), now=clock.now(),
            )  # fmt: skip
    except Conflict:
        return redirect(url_for(".change_kind", public_id=public_id), 303)
    found = own(public_id)
    return redirect(url_for(".question", public_id=public_id, step=items.item(found.kind).pages[0].name), 303)


@blueprint.route(f"{_ONE}/from", methods=["GET", "POST"])
@public
@for_contributors
def sender(public_id: UUID) -> Response:
    """Whom to ask about it; asked where it is not known yet."""
    found = own(public_id)
    form = ContactForm(request.form, obj=found)
    if request.method == "POST":
        try:
            with transaction():
                drafting.save_sender(found, form.sender(found.contact_address), now=clock.now())
        except Invalid as error:
            put_problems(form, error)
        except Refused:
            return redirect(url_for(".mine_one", public_id=public_id), 303)
        else:
            return redirect(url_for(".check", public_id=public_id), 303)
    found = own(public_id)
    back = url_for(".question", public_id=public_id, step=items.item(found.kind).pages[-1].name)
    status = 422 if form.errors else 200
    return key_page("question_sender", status, issue=found.issue, contribution=found, form=form, back=back)


def own(public_id: UUID) -> Contribution:
    """The contribution of whoever is signed in. Raises NotFound for anybody else's."""
    return drafting.find(signed_in_contributor(), reading.find_contribution(public_id))


def kinds() -> list[dict[str, Any]]:
    """The kinds of item, to choose one of."""
    return [{"value": each.kind, "text": each.name, "hint": {"text": each.purpose}} for each in ITEMS.values()]


def _question_page(
    found: Contribution,
    item: Item,
    page: Page,
    typed: Posted,
    problems: list[Problem] | None = None,
    status: int = 200,
    read: ReadFile | None = None,
) -> Response:
    fields, wrong, number = item.fields_on(page), problems or [], item.pages.index(page)
    before = item.pages[number - 1] if number else None
    back = url_for(".question", public_id=found.public_id, step=before.name) if before else url_for(".mine")
    again, now = "check" in request.args, clock.now()
    return key_page(
        "question",
        status,
        issue=found.issue,
        contribution=found,
        item=item,
        step=page,
        number=number + 1,
        total=len(item.pages),
        controls=controls(fields, typed.piece, wrong, more=typed.more, focus=typed.focus),
        problems=at_controls(wrong, fields),
        most=most_words(item, found.issue, page),
        takes_documents=documents.takes_documents(item) and number == 0,
        document_problem=next((each.sentence for each in wrong if each.field == documents.DOCUMENT), ""),
        read=read,
        expected=found.revision,
        saved_at=found.updated_at if found.revision > 1 else None,
        seconds_left=seconds_left(drafting.may_change(found, now), now),
        sent_in=found.state is ContributionState.SUBMITTED,
        may_autosave=found.state is not ContributionState.SUBMITTED,
        again=again,
        back=url_for(".check", public_id=found.public_id) if again else back,
    )


def _told(status: int, sentence: str = "", **values: Any) -> Response:
    response: Response = jsonify(sentence=sentence, **values)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


def _saved_words(found: Contribution) -> str:
    zone = found.issue.mailing_list.timezone
    at = dates.clock_time(dates.local(found.updated_at or found.created_at, zone).time())
    return _("Saved at {at}").format(at=at)


def _number(typed: str) -> int:
    return int(typed) if typed.isdecimal() and len(typed) < 10 else 0
