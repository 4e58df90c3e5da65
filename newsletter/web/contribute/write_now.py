"""The call of one issue, and the text as its first and only page: write now, prove the address within a day.

Who is signed in chooses what it is, and writes on question pages (questions.py). A form that somebody opened before
they signed in still works.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from ... import addresses, clock
from ...db import transaction
from ...domain.calls.deadline import reading
from ...domain.calls.handing_in import by_mail, contributing
from ...domain.calls.handing_in.contributing import Way
from ...domain.calls.partners import senders
from ...domain.calls.texts import items
from ...domain.calls.texts.items import ITEMS, NEWS, Item, Piece
from ...domain.calls.texts.sent_pictures import MOST, Came, Held
from ...domain.issues import audience
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...models import Contributor, Issue
from ...rendering.fields import FieldType
from ..access import public
from ..fields import put_problems
from ..limits import Limit, hashed, network_of, within
from . import documents, held_pictures, pictures
from .access import current_contributor
from .documents import ReadFile
from .forms import OPENED, TRAP, SenderForm
from .questions import kinds
from .room import blueprint, days_left, kept_token, opened_at, opened_token, other_calls, page
from .writing import READ_FILE, Posted, at_controls, controls, most_words, posted

_HOUR = timedelta(hours=1)
#: Nobody reads and fills the form in less. What comes sooner is kept; no mail goes to the address it names.
_QUICK = timedelta(seconds=3)
#: What may be written without signing in: pictures are kept for people whom we know.
WITHOUT_SIGNING_IN = tuple(
    each for each in ITEMS.values() if all(field.type is not FieldType.MEDIA for field in each.fields)
)


@blueprint.get("/contribute/<slug>")
@public
def call(slug: str) -> Response:
    """What is asked, until when, and the form; after the deadline, that it has passed."""
    issue = reading.find_call(slug)
    if issue.slug != slug:
        return redirect(url_for(".call", slug=issue.slug), 301)
    now, contributor = clock.now(), current_contributor()
    if not issue.accepts_contributions(now, now):
        own = [one for one in reading.own(contributor) if one.issue_id == issue.id] if contributor else []
        return page(
            "closed", issue=issue, calls=other_calls(now, issue), own=own, may_ask=issue.state not in reading.CLOSED
        )
    if contributor is not None:
        return _choose_page(issue, contributor, now)
    item = _item(request.args.get("kind", ""))
    return form_page(issue, item, Posted(items.cleaned(Piece(item.kind, {}))), SenderForm(), opened_token(now), now)


@blueprint.post("/contribute/<slug>")
@public
def contribute(slug: str) -> Response:
    """Keep what was sent. A form that was wrong, late or one too many comes back or is kept, with every word."""
    issue = reading.find_call(slug, even_cancelled=True)
    now, item = clock.now(), _item(request.form.get("kind", ""))
    form, typed = SenderForm(request.form), posted(item, item.fields)
    token = request.form.get(OPENED, "")
    opened = opened_at(token, now)
    # A form without a good token gets one that is good from now on, so that its time can be told at all.
    token = token if opened != now else opened_token(now)
    if not _within_limits(form, now):
        return form_page(issue, item, typed, form, token, now, 429, [Problem("", _too_many())])
    if typed.step:
        return form_page(issue, item, typed, form, token, now, problems=_picture_again())
    if request.form.get("do") == READ_FILE:
        return _with_file(issue, item, typed, form, token, now)
    problems = _problems(issue, typed.piece, form)
    if problems is not None:
        return form_page(issue, item, typed, form, token, now, 422, [*problems, *_picture_again()])
    try:
        shown = _pictures(now)
    except Invalid as error:
        return form_page(issue, item, typed, form, token, now, 422, error.problems)
    machine = bool(request.form.get(TRAP)) or now - opened < _QUICK
    sender = senders.checked(form.sender(form.contact_address.data or ""))
    with transaction():
        outcome = contributing.hand_in(
            issue, typed.piece, sender, opened_at=opened, now=now, copy=not machine,
            way=Way(contributor=_same_person(sender.address), declared=True, pictures=shown),
        )  # fmt: skip
        kept = kept_token(outcome.contribution)
    return redirect(url_for(".kept", token=kept), 303)


def _pictures(now: datetime) -> list[Came | Held]:
    """The pictures of a file that was read, and the one that was chosen. Raises Invalid."""
    held = held_pictures.posted()
    if wrong := held_pictures.problems(held):
        raise Invalid([*wrong, *_picture_again()])
    shown: list[Came | Held] = [*held_pictures.wanted(held)]
    if pictures.chosen() and len(shown) >= MOST:
        sentence = _("Send {most} pictures or fewer with one text.").format(most=MOST)
        raise Invalid([Problem(pictures.PICTURE, sentence)])
    came = pictures.came_with(pictures.PICTURE, None, now)
    return [*shown, came] if came else shown


def _picture_again() -> list[Problem]:
    """A browser gives a file once: where a page comes back, it has to be chosen again."""
    return [Problem(pictures.PICTURE, _("Choose the picture again."))] if pictures.chosen() else []


def _same_person(address: str) -> Contributor | None:
    """Who is signed in, where the form names their own address: it needs no proof."""
    contributor = current_contributor()
    return contributor if contributor and addresses.key(address) == contributor.address_key else None


def _item(kind: str) -> Item:
    """The kind of item that may be written without signing in; news for anything else."""
    found = ITEMS.get(kind, NEWS)
    return found if found in WITHOUT_SIGNING_IN else NEWS


def _with_file(issue: Issue, item: Item, typed: Posted, form: SenderForm, token: str, now: datetime) -> Response:
    """The form again, with the words of a file in it to be looked at; nothing is sent yet."""
    try:
        read = documents.read_upload(current_contributor(), now)
    except Invalid as error:
        return form_page(issue, item, typed, form, token, now, 422, error.problems)
    filled = Posted(items.cleaned(documents.filled(item, typed.piece, read)))
    held, left = held_pictures.with_those_of(held_pictures.posted(), read.came, now)
    read = replace(read, pictures_left=read.pictures_left + left)
    return form_page(issue, item, filled, form, token, now, problems=_picture_again(), read=read, held=held)


def _problems(issue: Issue, piece: Piece, form: SenderForm) -> list[Problem] | None:
    """What has to be mended, all of it at once; None where nothing has to. The form's own stand at its fields."""
    valid: bool = form.validate()
    found: list[Problem] = []
    try:
        items.checked(piece, issue)
    except Invalid as error:
        found, valid = error.problems, False
    try:
        senders.checked(form.sender(form.contact_address.data or ""))
    except Invalid as error:
        put_problems(form, error)
        valid = False
    return None if valid else found


def form_page(
    issue: Issue,
    item: Item,
    typed: Posted,
    form: SenderForm,
    token: str,
    now: datetime,
    status: int = 200,
    problems: list[Problem] | None = None,
    read: ReadFile | None = None,
    held: list[held_pictures.Shown] | None = None,
) -> Response:
    """The call with its form, filled in with what was typed."""
    wrong = problems or []
    return page(
        "call",
        status,
        issue=issue,
        form=form,
        item=item,
        others=[each for each in WITHOUT_SIGNING_IN if each is not item],
        controls=controls(item.fields, typed.piece, wrong, more=typed.more, focus=typed.focus),
        problems=at_controls(wrong, item.fields),
        opened=token,
        most=most_words(item, issue),
        takes_documents=documents.takes_documents(item),
        document_problem=next((each.sentence for each in wrong if each.field == documents.DOCUMENT), ""),
        read=read,
        alt=request.form.get(pictures.ALT, ""),
        held=held if held is not None else held_pictures.posted(),
        trap=TRAP,
        **_about_the_call(issue, now),
    )


def _choose_page(issue: Issue, contributor: Contributor, now: datetime) -> Response:
    """For somebody we know: what is it? And what they have begun for this issue."""
    own = [one for one in reading.own(contributor) if one.issue_id == issue.id]
    return page(
        "question_new", issue=issue, kinds=kinds(), opened=opened_token(now), own=own, **_about_the_call(issue, now)
    )


def _about_the_call(issue: Issue, now: datetime) -> dict[str, Any]:
    closing = issue.deadline.closes_at if issue.deadline else now
    return {
        "readers": audience.count(issue) // 100 * 100,
        "left": days_left(issue, now),
        "seconds_left": max(0, int((closing - now).total_seconds())),
        "by_mail": by_mail.address_for(issue.mailing_list),
        "is_open": issue.accepts_contributions(now, now),
        "calls": other_calls(now, issue),
    }


def _within_limits(form: SenderForm, now: datetime) -> bool:
    """Count the request. A whole school may send in its news on the last afternoon; one machine may not fill a desk."""
    address = hashed(addresses.key(form.contact_address.data or ""))
    limits: list[Limit] = [
        (f"contribution network:{hashed(network_of(request.remote_addr))}", 60, _HOUR),
        (f"contribution address:{address}", 20, _HOUR),
        ("contribution everywhere:", 1000, _HOUR),
    ]
    return within(limits, now)


def _too_many() -> str:
    return _(
        "A lot was sent from your network, or for your address, this hour. "
        "Your text is still here: send it again in an hour."
    )
