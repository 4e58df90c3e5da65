"""Calendar files (RFC 5545) of deadlines and sending days: one event each, at an instant in UTC."""

from collections.abc import Iterable
from datetime import timedelta

from icalendar import Calendar, Event

from ... import dates
from ...config import current_settings
from ...domain.calls.rhythm.diary import Entry, What
from ...domain.issues.content import web_address
from ...i18n import gettext as _
from ..links import public_link

#: How often a calendar that follows one of ours should look again.
_REFRESH = timedelta(hours=6)


def calendar_file(entries: Iterable[Entry], name: str) -> bytes:
    """The file of these entries, in a calendar of this name. The same entries give the same bytes."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//newsletter//deadlines//EN")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    # The names by which programs of today and of ten years ago know a calendar (RFC 7986).
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    for entry in entries:
        calendar.add_component(_event(entry))
    file: bytes = calendar.to_ical()
    return file


def _event(entry: Entry) -> Event:
    event = Event()
    event.add("uid", f"{entry.name}@{current_settings().public_host.partition(':')[0]}")
    event.add("dtstamp", entry.changed_at)
    event.add("last-modified", entry.changed_at)
    event.add("sequence", entry.sequence)
    event.add("dtstart", entry.at)
    event.add("summary", _summary(entry))
    event.add("description", _description(entry))
    event.add("url", _url(entry))
    event.add("status", "CANCELLED" if entry.called_off else "CONFIRMED")
    # A moment to know of, not a time when nobody can be met.
    event.add("transp", "TRANSPARENT")
    return event


def _summary(entry: Entry) -> str:
    names = {"publication": entry.issue.mailing_list.name, "issue": entry.issue.title}
    if entry.what is What.SEND:
        return _("{publication}, {issue}: goes out").format(**names)
    return _("Deadline: news for {publication}, {issue}").format(**names)


def _description(entry: Entry) -> str:
    if entry.called_off:
        return _("This issue was called off.")
    if entry.what is What.SEND or entry.deadline is None:
        zone = entry.issue.mailing_list.timezone
        when = f"{dates.moment(entry.at, zone)} ({dates.zone_words(zone)})"
        return _("Goes out at {when}. {url}").format(when=when, url=_url(entry))
    call = entry.issue.deadline
    longer = entry.own and call is not None and entry.deadline.instant > call.instant
    words = _("You have until {deadline}.") if longer else _("Send us your news by {deadline}.")
    return f"{words.format(deadline=entry.deadline.words_with_zone)} {_url(entry)}"


def _url(entry: Entry) -> str:
    if entry.what is What.SEND and entry.issue.published_at is not None:
        return web_address(entry.issue)
    if entry.called_off:
        return public_link("contribute.calls")
    return public_link("contribute.call", slug=entry.issue.slug)
