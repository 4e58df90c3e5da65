"""Deadlines and sending days for people's calendars: of all open calls, of one, of a list, and of one person."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import url_for
from werkzeug.wrappers import Response

from ... import clock
from ...db import db
from ...domain.calls.deadline import reading
from ...domain.calls.partners import contributors
from ...domain.calls.rhythm import diary
from ...domain.calls.rhythm.diary import Entry
from ...domain.staff.mailing_lists import find_list
from ...errors import NotFound, TokenInvalid
from ...i18n import gettext as _
from ...models import Contributor, MailingList, Organisation
from ...states import Cadence
from ...tokens import Purpose
from ..access import public
from ..links import public_link
from .access import for_contributors, signed_in_contributor
from .calendar_file import calendar_file
from .room import blueprint, key_page, page, signer

#: How many of the entries to come stand on the page.
_SHOWN = 8
_TYPE = "text/calendar; charset=utf-8"


@blueprint.get("/deadlines.ics")
@public
def deadlines() -> Response:
    """The deadlines of all open calls, for calendars to subscribe to."""
    organisation = db.session.get(Organisation, 1)
    name = _("Deadlines: {publisher}").format(publisher=organisation.name if organisation else _("Newsletter"))
    return _file(diary.deadlines(reading.open_calls(clock.now())), name)


@blueprint.get("/contribute/<slug>/deadline.ics")
@public
def deadline(slug: str) -> Response:
    """One deadline, to put into a calendar."""
    issue = reading.find_call(slug)
    return _file(diary.deadlines([issue]), issue.title)


@blueprint.get("/lists/<slug>/calendar")
@public
def list_calendar(slug: str) -> Response:
    """How the days of a list come into a calendar: follow it, so that a day that moves moves there too."""
    mailing_list, now = _public_list(slug), clock.now()
    return page(
        "list_calendar",
        title=_("{list} on your calendar").format(list=mailing_list.name),
        publication=mailing_list.name,
        accent=mailing_list.accent,
        timezone=mailing_list.timezone,
        file_url=url_for("contribute.list_calendar_file", slug=slug),
        **_to_follow(diary.of_list(mailing_list, now), public_link("contribute.list_calendar_file", slug=slug), now),
    )


@blueprint.get("/contribute/calendar")
@public
@for_contributors
def my_calendar() -> Response:
    """How somebody's own deadlines come into their calendar, by an address that only they have."""
    person, now = signed_in_contributor(), clock.now()
    address = personal_calendar_url(person)
    return key_page(
        "list_calendar",
        title=_("Your deadlines on your calendar"),
        own=True,
        file_url=urlsplit(address).path,
        **_to_follow(diary.of_contributor(person, now), address, now),
    )


def _to_follow(entries: Iterable[Entry], address: str, now: datetime) -> dict[str, Any]:
    """What the page shows of a calendar: the entries to come, its address, and one that calendar programs open."""
    return {
        "entries": [entry for entry in entries if entry.at > now and not entry.called_off][:_SHOWN],
        "address": address,
        "follow_url": urlunsplit(("webcal", *urlsplit(address)[1:])),
    }


@blueprint.get("/lists/<slug>/calendar.ics")
@public
def list_calendar_file(slug: str) -> Response:
    """The deadlines and sending days of a list."""
    mailing_list = _public_list(slug)
    return _file(diary.of_list(mailing_list, clock.now()), mailing_list.name)


@blueprint.get("/calendar/<token>.ics")
@public
def personal_calendar(token: str) -> Response:
    """One person's deadlines, with more time of their own; by an address that only they have."""
    try:
        person = contributors.find(signer().read_id(Purpose.PERSONAL_CALENDAR, token))
    except (NotFound, TokenInvalid):
        raise NotFound(_("There is nothing at this address.")) from None
    if person.ended_at is not None:
        raise NotFound(_("There is nothing at this address."))
    response = _file(diary.of_contributor(person, clock.now()), _("My deadlines for news"))
    # The address is a key: it is kept nowhere on the way.
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def personal_calendar_url(person: Contributor) -> str:
    """The whole address of a person's own calendar. It is a key: show it to nobody else."""
    token = signer().sign_id(Purpose.PERSONAL_CALENDAR, person.public_id)
    return public_link("contribute.personal_calendar", token=token)


def _public_list(slug: str) -> MailingList:
    """The public list with a rhythm of this name. Raises NotFound."""
    # PostgreSQL takes no NUL in a text, not even to compare with.
    mailing_list = find_list(slug.replace("\0", "?"))
    if not mailing_list.public or mailing_list.cadence is Cadence.NONE:
        raise NotFound(_("There is no calendar at this address."))
    return mailing_list


def _file(entries: Iterable[Entry], name: str) -> Response:
    return Response(calendar_file(entries, name), content_type=_TYPE)
