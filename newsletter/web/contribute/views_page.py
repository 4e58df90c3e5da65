"""Answering a call for views: one question on a page of ours. It knows nobody: no cookie, no address kept.

The form carries when it was opened and a random number, both signed, so that a double click is one answer. What is
counted against floods names no network where people may answer without a name.
"""

import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response
from wtforms import EmailField, StringField, TextAreaField

from ... import clock
from ...db import transaction
from ...domain.calls.asking_views import views, views_reading
from ...domain.calls.asking_views.views_reading import Question, Standing
from ...domain.staff.permissions import Permission, may
from ...errors import Conflict, Invalid, NotFound, Problem, TokenInvalid
from ...i18n import gettext as _
from ...models import ViewsPage
from ...rendering import rich
from ...tokens import Purpose
from ..access import current_account, public
from ..fields import put_problems
from ..form_bases import PlainForm
from ..limits import Limit, hashed, network_of, within
from .forms import OPENED, TRAP
from .room import blueprint, page, signer

#: So many answers to one question in ten minutes are no readers: a newsletter is opened over days.
MOST_IN_TEN_MINUTES = 300
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES, _HOUR = timedelta(minutes=10), timedelta(hours=1)


class ViewsForm(PlainForm):
    """An answer, and who gives it. What may stand in it is said once, in `domain.calls.views`."""

    body = TextAreaField(_("Your answer"), render_kw={"rows": 10})
    name = StringField(_("Your name"), render_kw={"autocomplete": "name"})
    organisation = StringField(_("Your organisation (optional)"), render_kw={"autocomplete": "organization"})
    address = EmailField(_("Your email address"), render_kw={"autocomplete": "email"})

    def __init__(self, *args: Any, named: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not named:
            self.name.label.text = _("Your name (optional)")
            self.address.label.text = _("Your email address (optional)")

    def answer(self) -> views.Answer:
        """What was typed."""
        return views.Answer(
            self.body.data or "", self.name.data or "", self.organisation.data or "", self.address.data or ""
        )


@blueprint.get("/views/<uuid:public_id>")
@public
def views_page(public_id: uuid.UUID) -> Response:
    """The question and the form; after its time, that it is closed; before, a preview for those who write it."""
    found, now = views_reading.find_page(public_id), clock.now()
    if found is None:
        return _preview(public_id)
    if views_reading.standing(found, now) is not Standing.OPEN:
        return _closed(found)
    return _form_page(found, ViewsForm(named=not found.anonymous), _token(now), now)


@blueprint.post("/views/<uuid:public_id>")
@public
def answer_views(public_id: uuid.UUID) -> Response:
    """Keep an answer. One that cannot be taken comes back with every word."""
    found, now = views_reading.find_page(public_id), clock.now()
    if found is None:
        raise NotFound(_("There is nothing at this address."))
    form = ViewsForm(request.form, named=not found.anonymous)
    token = request.form.get(OPENED, "")
    opened = _opened_at(token, now)
    if request.form.get(TRAP):
        return _thanks(public_id)
    if not _within_limits(found, now):
        return _form_page(found, form, token if opened else _token(now), now, 429, [Problem("", _too_many())])
    try:
        with transaction():
            views.answer(found, form.answer(), form=token if opened else "", opened_at=opened or now, now=now)
    except Invalid as error:
        put_problems(form, error)
        return _form_page(found, form, token if opened else _token(now), now, 422)
    except Conflict:
        return _closed(found, form.body.data or "", 409)
    return _thanks(public_id)


@blueprint.get("/views/<uuid:public_id>/thanks")
@public
def views_thanks(public_id: uuid.UUID) -> Response:
    """After an answer. It is the same for everybody, so that its address says nothing about who was here."""
    found = views_reading.find_page(public_id)
    if found is None:
        raise NotFound(_("There is nothing at this address."))
    return page("views_thanks", issue=found.issue, heading=found.question)


def _thanks(public_id: uuid.UUID) -> Response:
    return redirect(url_for(".views_thanks", public_id=public_id), 303)


def _form_page(
    found: ViewsPage,
    form: ViewsForm,
    token: str,
    now: datetime,
    status: int = 200,
    problems: list[Problem] | None = None,
) -> Response:
    closes = found.deadline
    return page(
        "views",
        status,
        issue=found.issue,
        heading=found.question,
        words=rich.to_web(found.explanation),
        named=not found.anonymous,
        form=form,
        problems=problems or [],
        opened=token,
        closes=closes,
        seconds_left=max(0, int((closes.closes_at - now).total_seconds())) if closes else 0,
        is_open=views_reading.standing(found, now) is Standing.OPEN,
        trap=TRAP,
        preview=False,
        longest=views.LONGEST_ANSWER,
    )


def _preview(public_id: uuid.UUID) -> Response:
    """What the page will look like, for staff who are signed in; to all others there is nothing yet."""
    section = views_reading.section_at(public_id)
    if section is None or not may(current_account(), Permission.VIEW_ISSUES, section[1].mailing_list):
        raise NotFound(_("There is nothing at this address."))
    block, issue = section
    asked: Question = views_reading.question_of(block.data)
    return page(
        "views",
        issue=issue,
        heading=asked.heading or _("No heading yet"),
        words=rich.to_web(asked.words),
        named=asked.named,
        form=ViewsForm(named=asked.named),
        problems=[],
        closes=views_reading.deadline_of(block.data, issue.mailing_list.timezone),
        seconds_left=None,
        is_open=True,
        preview=True,
        longest=views.LONGEST_ANSWER,
    )


def _closed(found: ViewsPage, text: str = "", status: int = 200) -> Response:
    """That it is closed, and since when; with the text that came too late, so that it can be copied."""
    early = found.closed_early_at
    return page(
        "views_closed", status, issue=found.issue, heading=found.question, closes=found.deadline, early=early, text=text
    )


def _token(now: datetime) -> str:
    microseconds = (now - _EPOCH) // timedelta(microseconds=1)
    return signer().sign_id(Purpose.VIEWS_FORM, microseconds.to_bytes(8, "big") + secrets.token_bytes(8))


def _opened_at(token: str, now: datetime) -> datetime | None:
    """When the form was opened; None for a token that proves nothing."""
    try:
        octets = signer().read_id(Purpose.VIEWS_FORM, token).bytes
    except TokenInvalid:
        return None
    return min(_EPOCH + timedelta(microseconds=int.from_bytes(octets[:8], "big")), now)


def _within_limits(found: ViewsPage, now: datetime) -> bool:
    limits: list[Limit] = [
        (f"views page:{found.id}", MOST_IN_TEN_MINUTES, _MINUTES),
        ("views everywhere:", 3000, _HOUR),
    ]
    if not found.anonymous:
        limits.append((f"views network:{hashed(network_of(request.remote_addr))}", 60, _HOUR))
    return within(limits, now)


def _too_many() -> str:
    return _("Very many people are answering at the moment. Your words are still here: send them again in ten minutes.")
