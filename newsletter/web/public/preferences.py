"""What the link in a mail lets its holder change: lists and a pause, with the address masked and no name.

Newsletters are forwarded and their links with them, so whatever shows or touches personal data asks for a fresh link.
"""

from datetime import date, datetime

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from ... import clock, dates
from ...config import current_settings
from ...db import transaction
from ...domain.subscribers import access, addressing, leaving, offering, preferences
from ...errors import NotFound, Refused, TokenInvalid
from ...i18n import gettext as _
from ...i18n import ngettext
from ...models import MailingList, Subscriber
from ...tokens import Purpose, Signer
from ..access import public
from ..limits import cut_short
from .form_tokens import NAME, opened_at
from .forms import PreferencesForm
from .room import blueprint, page

_MONTHS = (1, 3, 6, 12)
_SEND, _KEEP = "send", "keep"


@blueprint.route("/preferences/<token>", methods=["GET", "POST"], endpoint="preferences")
@public
def change(token: str) -> Response:
    """Which lists, and when."""
    subscriber = subscriber_of(token)
    if subscriber is None:
        return page("unknown_link", 404)
    now = clock.now()
    form = _form(subscriber, now)
    if request.method != "POST":
        return _page(subscriber, form, token)
    if opened_at(request.form.get(NAME, ""), now) is None:
        return _page(subscriber, form, token, 400)
    if not form.validate():
        return _page(subscriber, form, token, 422)
    try:
        with transaction():
            _save(subscriber, form, now)
    except Refused as error:
        form.form_errors = [str(error)]
        return _page(subscriber, form, token, 422)
    return _page(subscriber, _form(subscriber, now, posted=False), token, saved=True)


def _save(subscriber: Subscriber, form: PreferencesForm, now: datetime) -> None:
    wanted = [one for one in _choosable(subscriber, now) if one.slug in form.lists.data]
    network = cut_short(request.remote_addr)
    preferences.choose_lists(subscriber, wanted, offering.offers(now), network=network, now=now)
    if form.pause.data != _KEEP:
        until = None if form.pause.data == _SEND else _months_after(_today(now), int(form.pause.data))
        if until is not None or preferences.paused_until(subscriber, now) is not None:
            preferences.pause(subscriber, until, now=now)


@blueprint.route("/preferences/<token>/leave", methods=["GET", "POST"])
@public
def leave_all(token: str) -> Response:
    """Leave every list."""
    subscriber = subscriber_of(token)
    if subscriber is None:
        return page("unknown_link", 404)
    now, done, status = clock.now(), False, 200
    if request.method == "POST":
        done = opened_at(request.form.get(NAME, ""), now) is not None
        status = 200 if done else 400
        if done:
            with transaction():
                leaving.unsubscribe_everywhere(subscriber, route=preferences.ROUTE, now=now)
    lists = preferences.lists_of(subscriber)
    done = done or not lists
    return page("leave_all", status, address=subscriber.address, lists=lists, done=done, token=token)


@blueprint.post("/preferences/<token>/fresh-link")
@public
def fresh_link(token: str) -> Response:
    """Mail a link, good for an hour, to the page with what we hold. The answer is the same when they had enough."""
    subscriber = subscriber_of(token)
    if subscriber is None:
        return page("unknown_link", 404)
    now = clock.now()
    if opened_at(request.form.get(NAME, ""), now) is None:
        return redirect(url_for("public.preferences", token=token), 303)
    with transaction():
        preferences.send_fresh_link(subscriber, now=now)
    return page("fresh_link_sent", mailing_list=_only_list(subscriber), address=subscriber.address, token=token)


@blueprint.post("/preferences/<token>/change-address")
@public
def change_address(token: str) -> Response:
    """Mail a link to the form for a new address, to the one we know. The answer is the same when they had enough."""
    subscriber = subscriber_of(token)
    if subscriber is None:
        return page("unknown_link", 404)
    now = clock.now()
    if opened_at(request.form.get(NAME, ""), now) is None:
        return redirect(url_for("public.preferences", token=token), 303)
    try:
        with transaction():
            addressing.send_link(subscriber, now=now)
    except Refused as error:
        form = _form(subscriber, now, posted=False)
        form.form_errors = [str(error)]
        return _page(subscriber, form, token, 422)
    return page("address_link_sent", mailing_list=_only_list(subscriber), address=subscriber.address, token=token)


def _choosable(subscriber: Subscriber, now: datetime) -> list[MailingList]:
    """What the person has, and what anybody may join."""
    lists = {one.id: one for one in preferences.lists_of(subscriber)}
    lists |= {offer.mailing_list.id: offer.mailing_list for offer in offering.offers(now)}
    return [lists[key] for key in sorted(lists)]


def _form(subscriber: Subscriber, now: datetime, *, posted: bool = True) -> PreferencesForm:
    held = preferences.lists_of(subscriber)
    data = request.form if posted and request.method == "POST" else None
    paused = preferences.paused_until(subscriber, now)
    return PreferencesForm(
        data,
        offered=_choosable(subscriber, now),
        pauses=_pauses(paused, now),
        data={"lists": [one.slug for one in held], "pause": _KEEP if paused else _SEND},
    )


def _pauses(paused: datetime | None, now: datetime) -> list[tuple[str, str]]:
    choices = [(_SEND, _("Send me each issue"))]
    if paused is not None:
        day = dates.day(dates.local(paused, current_settings().timezone))
        choices.append((_KEEP, _("Go on pausing until %(day)s") % {"day": day}))
    for months in _MONTHS:
        words = ngettext(
            "Pause for %(months)d month, until %(day)s", "Pause for %(months)d months, until %(day)s", months
        )
        day = dates.day(_months_after(_today(now), months))
        choices.append((str(months), words % {"months": months, "day": day}))
    return choices


def _today(now: datetime) -> date:
    return dates.local(now, current_settings().timezone).date()


def _months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last one."""
    year, month = divmod(day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(day.year + year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _page(
    subscriber: Subscriber, form: PreferencesForm, token: str, status: int = 200, *, saved: bool = False
) -> Response:
    since = min((one.joined_at for one in subscriber.subscriptions if access.is_active(one)), default=None)
    return page(
        "preferences",
        status,
        mailing_list=_only_list(subscriber),
        address=subscriber.address,
        since=since,
        brought_in=preferences.brought_in(subscriber),
        form=form,
        token=token,
        saved=saved,
        hints={one.slug: one.frequency for one in _choosable(subscriber, clock.now()) if one.frequency},
        wordings={offer.mailing_list.name: offer.wording.text for offer in offering.offers(clock.now())},
    )


def _only_list(subscriber: Subscriber) -> MailingList | None:
    """The one list that the person gets, if it is one: then its name and colours are the page's."""
    held = preferences.lists_of(subscriber)
    return held[0] if len(held) == 1 else None


def subscriber_of(token: str) -> Subscriber | None:
    """The person whose preferences a link in a mail leads to; None for a link that is none, and for one forgotten."""
    signer: Signer = current_app.extensions["newsletter_signer"]
    try:
        return access.find_subscriber_of(signer.read_id(Purpose.PREFERENCES, token))
    except (TokenInvalid, NotFound):
        return None
