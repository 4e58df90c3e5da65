"""An event of a published issue as a calendar file (RFC 5545), in its own time zone with that zone's rules."""

from datetime import datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from newsletter.config import current_settings
from newsletter.domain.issues.content import issue_content, web_address
from newsletter.errors import NotFound
from newsletter.i18n import gettext as _
from newsletter.models import Issue
from newsletter.rendering import when
from newsletter.rendering.assembly import event_numbers


def event_file(issue: Issue, number: int) -> bytes:
    """The file of the event with this number on the issue's page. The same words give the same bytes.

    Raises NotFound where the page has no such event.
    """
    content = issue_content(issue)
    numbers = event_numbers(content)
    block = next((each for each in content.blocks if numbers.get(each.id) == number), None)
    begins, ends = (when.parse(block.data[name]) for name in ("start", "end")) if block else (None, None)
    if block is None or begins is None or ends is None:
        raise NotFound(_("There is no event here."))
    zone, page = ZoneInfo(content.frame.timezone), web_address(issue)
    data = block.data
    event = Event()
    event.add("uid", f"event-{block.id}@{current_settings().public_host.partition(':')[0]}")
    event.add("dtstamp", issue.published_at or issue.created_at)
    event.add("dtstart", _local(begins.at, zone))
    event.add("dtend", _local(ends.at, zone))
    event.add("summary", data["title"])
    event.add("location", data["place"])
    event.add("description", "\n".join(filter(None, (data["cost"], data["link_text"], data["url"], page))))
    event.add("url", data["url"] if data["url"].startswith("https:") else page)
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//newsletter//events//EN")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    file: bytes = calendar.to_ical()
    return file


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.replace(tzinfo=zone)
