"""What stops a block when its issue is scheduled, in the words that editors read."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.rendering.assembly import context_of, prepared
from newsletter.rendering.blocks import KINDS, kind
from newsletter.rendering.content import BlockContent
from newsletter.rendering.context import Context

from .larkmere import good_data, issue

LINK = {"title": "Read the guide", "url": "https://larkmere.example.org/guide"}
GOOD: dict[str, dict[str, Any]] = {name: good_data(name) for name in KINDS}


def context(**frame: Any) -> Context:
    content = issue("december-2026")
    return context_of(prepared(replace(content, frame=replace(content.frame, **frame))))


def problems(name: str, where: Context | None = None, **changed: Any) -> list[tuple[str, str]]:
    """(path, sentence) for a good block of Larkmere's with some fields changed."""
    block = BlockContent("it", name, {**GOOD[name], **changed})
    return [(each.field, each.sentence) for each in kind(name).validate(block, where or context())]


@pytest.mark.parametrize("name", list(GOOD))
def test_larkmeres_own_blocks_are_ready(name: str) -> None:
    assert problems(name) == []


@pytest.mark.parametrize(
    ("name", "changed", "path", "sentence"),
    [
        ("contact", {"email": "", "phone": ""}, "email", "Enter an email address or phone number."),
        ("contact", {"email": "front.door"}, "email", "Enter an email address in the form name@example.org."),
        ("contact", {"phone": "ring me"}, "phone",
         "Enter a phone number, such as 01632 960 100 or +44 1632 960 100."),
        ("section", {"heading": ""}, "heading", "Give the section a heading."),
        ("section", {"heading": "Hi"}, "heading", "“Heading” must have 3 characters or more."),
        ("section", {"heading": "x" * 91}, "heading", "“Heading” must have 90 characters or fewer; it has 91."),
        ("section", {"body": " "}, "body", "Write the text of the section."),
        ("section", {"body": "<p><a href='https://x.example.org'>Click here</a></p>"}, "body",
         "The link “Click here” does not say where it leads: link the words that do."),
        ("section", {"body": "<p>Leave: {unsubscribe_url}</p>"}, "body",
         "Take out “{unsubscribe_url}”: words in curly brackets are kept for each reader's own links."),
        ("findings", {"items": [{"subheading": "One", "text": "a"}]}, "items", "“Findings” needs 2 entries or more."),
        ("findings", {"items": [{"subheading": "One", "text": "a"}, {"subheading": "Two", "text": ""}]},
         "items.1.text", "Write what was found."),
        ("findings", {"items": [{"subheading": "One.", "text": "a"}, {"subheading": "Two", "text": "b"}]},
         "items.0.subheading", "A heading has no full stop at its end."),
        ("priorities", {"lead_in": "We will"}, "lead_in", "End the sentence before the list with a colon."),
        ("compare", {"a": {"title": "Good", "items": ["one"]}}, "a.items", "“Lines” needs 2 entries or more."),
        ("notice", {"category": ""}, "category", "Choose the kind of change."),
        ("notice", {"effective_date": "soon"}, "effective_date",
         "“In force from” must be a real date, such as 2027-01-31."),
        ("notice", {"effective_date": "2027-02-30"}, "effective_date",
         "“In force from” must be a real date, such as 2027-01-31."),
        ("notice", {"link": {"title": "Guide", "url": "http://larkmere.example.org"}}, "link.url",
         "Enter an address that begins with https://."),
        ("notice", {"link": {"title": "Guide", "url": "https://me:secret@larkmere.example.org"}}, "link.url",
         "A web address must not hold a name or a password: “https://me:secret@larkmere.example.org”."),
        ("resources", {"items": [{"title": "View", "url": LINK["url"]}]}, "items.0.title",
         "Say what the page is called."),
        ("resources", {"items": [{"title": "Report", "url": "https://bit.ly/x"}]}, "items.0.url",
         "Use the page's own address: a short one hides where it leads."),
        ("resources", {"items": [{"title": "Report", "url": "https://x.example.org/?utm_source=n"}]}, "items.0.url",
         "Take the tracking marks (such as utm_source) off the end of the address."),
        ("resources", {"items": [{"title": "Report", "url": LINK["url"], "type": "PDF"}]}, "items.0.size",
         "Say how long the PDF is, such as “18 pages”."),
        ("ask_views", {"closes": "2026-12-01T17:00"}, "closes",
         "This closes before the issue is sent: nobody could answer."),
        ("ask_views", {"closes": "2027-01-19"}, "closes", "“Closes” needs a time as well as a day."),
        ("ask_views", {"url": ""}, "url", "Enter the address where people answer, or use a page of this newsletter."),
        ("join_list", {"list": ""}, "list", "Choose the list that readers can join."),
        ("join_list", {"list": "ended"}, "list", "Readers of this issue cannot join that list: choose another."),
        ("event", {"end": "2027-01-26T09:30"}, "end", "The event ends before it begins."),
        ("event", {"start": "2026-01-26T09:30"}, "start", "This begins before the issue is sent."),
        ("image", {"alt": ""}, "alt", "Describe the picture in words, or mark it as decoration."),
        ("image", {"alt": "boathouse-1200.png"}, "alt",
         "Describe what the picture shows: this is the name of its file."),
        ("image", {"media": ""}, "media", "Choose a picture."),
        ("image_text", {"alt": ""}, "alt", "Describe the picture in words, or mark it as decoration."),
        ("image_text", {"text": ""}, "text", "Write the text that stands beside the picture."),
        ("steps", {"items": [{"step": "Ring us"}]}, "items", "“Steps” needs 2 entries or more."),
        ("steps", {"items": [{"step": "1. Ring us"}, {"step": "Wait"}]}, "items.0.step",
         "Leave the number out: the steps are numbered by themselves."),
        ("news_in_brief", {"items": [{"headline": "One", "text": "word " * 41}, {"headline": "Two", "text": "b"}]},
         "items.0.text", "Use 40 words or fewer; there are 41. Longer news is a section of its own."),
        ("news_in_brief", {"items": [{"headline": "One.", "text": "a"}, {"headline": "Two", "text": "b"}]},
         "items.0.headline", "A heading has no full stop at its end."),
        ("news_in_brief", {"items": [{"headline": f"No {n}", "text": "a"} for n in range(7)]}, "items",
         "“News” must have 6 entries or fewer; it has 7."),
        ("table", {"caption": ""}, "caption", "Say in a few words what the table shows."),
        ("table", {"columns": {"a": "Day", "b": ""}}, "columns.b",
         "Give the column a name: people who listen hear it with each cell."),
        ("table", {"columns": {"a": "Day"}, "rows": [{"a": "Monday"}]}, "columns.b",
         "A table has two columns or more. For one, use a list."),
        ("table", {"columns": {"a": "Day", "b": "What"}, "rows": [{"a": "", "b": "Fair"}]}, "rows.0.a",
         "Say in the first column what the row is about."),
        ("video", {"transcript": ""}, "transcript",
         "Enter the address of the transcript: some people cannot see or hear the film."),
        ("video", {"transcript": GOOD["video"]["url"]}, "transcript",
         "This is the address of the film: a transcript is a page to read."),
        ("video", {"media": ""}, "media", "Choose a picture."),
        ("statistic", {"period": ""}, "period", "Say which time the figure is about."),
        ("statistic", {"source": ""}, "source", "Say where the figure comes from."),
        ("quote", {"attribution": ""}, "attribution", "Say who said it."),
        ("people_news", {"items": []}, "items", "Add a person."),
        ("in_this_issue", {"max_items": 1}, "max_items", "“Lines at most” must be from 3 to 30."),
        ("key_dates", {"manual": [{"date": "", "what": "Fair"}]}, "manual.0.date", "Enter the date."),
        ("policy_update", {"live_date": ""}, "live_date", "Enter the date from which it is live."),
    ],
)  # fmt: skip
def test_each_rule_has_its_sentence(name: str, changed: dict[str, Any], path: str, sentence: str) -> None:
    assert (path, sentence) in problems(name, **changed)


def test_a_month_is_enough_where_the_world_speaks_so() -> None:
    assert problems("notice", effective_date="2027-05") == []


def test_views_may_be_asked_for_by_email() -> None:
    assert problems("ask_views", url="views@example.org") == []


def test_a_picture_marked_as_decoration_needs_no_words() -> None:
    assert problems("image", alt="", decorative=True) == []


def test_a_call_needs_a_next_deadline_that_is_still_to_come() -> None:
    assert problems("call", context(next_deadline=None))[0][0] == "deadline"
    late = datetime(2026, 12, 9, tzinfo=UTC)
    assert problems("call", context(next_deadline=late)) == [
        ("deadline", "The next issue's deadline is over before this issue is sent.")
    ]
    assert problems("call", context(contribute_url=None)) == [
        ("url", "The next issue has no page for contributions yet.")
    ]


def test_common_fields_are_checked_for_every_kind() -> None:
    block = BlockContent("it", "quote", GOOD["quote"], language="Welsh language!", diary="{name} " + "x" * 150)
    assert [each.field for each in kind("quote").validate(block, context())] == ["language", "diary", "diary"]
