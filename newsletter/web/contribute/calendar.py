"""Deadlines and sending days for people's calendars: of all open calls, of one, of a list, and of one person."""

from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

from flask import url_for
from werkzeug.wrappers import Response

from ... import clock
from ...db import db
from ...domain.calls import contributors, diary, reading
from ...domain.calls.diary import Entry
from ...domain.staff.mailing_lists import find_list
from ...errors import NotFound, TokenInvalid
from ...i18n import gettext as _
from ...models import Contributor, MailingList, Organisation
from ...states import Cadence
from ...tokens import Purpose
from ..access import public
from ..links import public_link
from .calendar_file import calendar_file
from .room import blueprint, page, signer

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
    mailing_list = _public_list(slug)
    address = public_link("contribute.list_calendar_file", slug=slug)
    return page(
        "list_calendar",
        mailing_list=mailing_list,
        publication=mailing_list.name,
        accent=mailing_list.accent,
        timezone=mailing_list.timezone,
        entries=[entry for entry in diary.of_list(mailing_list, clock.now()) if entry.at > clock.now()][:8],
        file_url=url_for("contribute.list_calendar_file", slug=slug),
        address=address,
        follow_url=urlunsplit(("webcal", *urlsplit(address)[1:])),
    )


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
    mailing_list = find_list(slug)
    if not mailing_list.public or mailing_list.cadence is Cadence.NONE:
        raise NotFound(_("There is no calendar at this address."))
    return mailing_list


def _file(entries: Iterable[Entry], name: str) -> Response:
    return Response(calendar_file(entries, name), content_type=_TYPE)
