"""Spring 2017: an issue is made of a document, prints the summer deadline, and its call closes by local time.

5pm on 3 July 2017 is 16:00 UTC: a product that took it for UTC would leave the call open for another hour.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from newsletter.db import db
from newsletter.models import Issue
from newsletter.states import IssueState, Role
from tests import people

from .closing import it_closes
from .stage import Browser, Clock, Page, Stage

GUIDANCE = "https://guidance.example.org/chronologies"
NO_BREAK = "\N{NO-BREAK SPACE}"
DOCUMENT = f"""Practice week

We{NO_BREAK}read 24 records together with six agencies. Three things stood out:

• Chronologies begin late;
• The{NO_BREAK}voice of the child is heard early.
• Plans name a person and a day

View the guidance on chronologies.

Reading group

The reading group meets at the library on Tuesday 9 May 2017. Bring one page.

Who to ask

Bethan Price, policy officer
Email: bethan@example.org
Telephone: 01632 960 141

Future newsletters

Please send us your news. The deadline for the next issue is Monday 3 July 2017.
"""


#: Monday 24 April 2017, 10am in UTC; summer time in Larkmere.
BEGINS = datetime(2017, 4, 24, 10, 0, tzinfo=UTC)


def test_act_a(stage: Stage, clock: Clock) -> None:
    mailing_list = people.larkmere(clock())
    people.subscribers(clock(), mailing_list, 3)
    people.staff(clock(), "Ruth Adeyemi", Role.EDITOR)
    people.staff(clock(), "Ewan Hughes", Role.APPROVER)
    ruth = stage.desk("Ruth")
    _begin(stage, ruth)
    _bring_in_the_document(ruth)
    _mend(ruth)
    _send(stage, ruth)
    _the_call_closes_by_the_clock_of_larkmere(stage)


def _begin(stage: Stage, ruth: Browser) -> None:
    """A1: the issue, and the one after it with its deadline; a Sunday is remarked on."""
    page = ruth.open("/desk/issues/new")
    typed = {"title": "April 2017", "planned_day": "28 April 2017", "deadline_day": "25 April 2017"}
    ruth.press(page, "Begin the issue", typed)

    page = _frame(ruth, next_title="July 2017", next_day="2 July 2017", next_time="17:00")
    assert "The next deadline is on a Sunday: 5pm, Sunday 2 July 2017 (UK time)." in page.words
    page = _frame(
        ruth, next_day="3 July 2017", subject="April 2017: practice week, reading group",
        preheader="What 24 records showed, and a day for the reading group.",
    )  # fmt: skip
    assert "Sunday" not in page.words
    assert "July 2017: 5pm, Monday 3 July 2017." in page.words
    assert _issue("july-2017").deadline_at == datetime(2017, 7, 3, 16, 0, tzinfo=UTC)
    assert "5pm, Monday 3 July 2017 (UK time)" in stage.browser().open("/contribute/july-2017").words


def _frame(ruth: Browser, **typed: str) -> Page:
    return ruth.press(ruth.open("/desk/issues/april-2017/frame"), "Save", typed)


def _bring_in_the_document(ruth: Browser) -> None:
    """A2: a document is read, shown, and taken in as sections, with no space in it that does not break."""
    page = ruth.press(ruth.open("/desk/issues/april-2017/document"), "Show what is in it", {"text": DOCUMENT})
    assert "It names the deadline for the next issue: Monday 3 July 2017." in page.words
    assert "Dates for Key dates Tuesday 9 May 2017: The reading group meets at the library" in page.words
    # She has the contact as an ordinary section first, and thinks better of it.
    page = ruth.press(page, "Show it so", {"kind-2": "section"})
    page = ruth.press(page, "Import 4 sections", {"kind-2": "contact"})
    assert "4 sections were added." in page.words

    sections = _sections()
    assert list(sections) == [
        "masthead", "in_this_issue", "section", "section_2", "contact", "key_dates", "call", "footer",
    ]  # fmt: skip
    for value in sections.values():
        assert NO_BREAK not in str(value)
    assert sections["section"]["body"].count("<li>") == 3
    assert sections["contact"]["email"] == "bethan@example.org"
    assert sections["key_dates"]["manual"] == [{"date": "2017-05-09", "what": "The reading group meets at the library"}]
    assert sections["call"]["heading"] == "Future newsletters"


def _mend(ruth: Browser) -> None:
    """A3, first half: a list that ends in three ways has a button; words that lost their link stop the issue."""
    page = ruth.open("/desk/issues/april-2017/checks")
    assert "The points of a list end in different ways." in page.words
    page = ruth.press(page, "Fix it: End each point without a stop")
    assert "The points of a list end in different ways." not in page.words
    assert "<li>Chronologies begin late</li>" in _sections()["section"]["body"]

    assert "1 thing stops this issue" in page.heading
    assert "“View the guidance on chronologies” has no link." in page.words
    assert "1 thing must be mended first" in ruth.open("/desk/issues/april-2017/approval").words
    section = next(block.id for block in _issue("april-2017").blocks if block.kind == "section")
    page = ruth.open(f"/desk/issues/april-2017/write/{section}")
    text = next(value for form in page.forms() for name, value in form.fields if name == "d.body")
    linked = text.replace("View the guidance on chronologies.", f"View the [guidance on chronologies]({GUIDANCE}).")
    ruth.press(page, "Save", {"d.body": linked})
    page = ruth.open("/desk/issues/april-2017/checks")
    assert "has no link" not in page.words
    assert GUIDANCE in _sections()["section"]["body"]


def _send(stage: Stage, ruth: Browser) -> None:
    """A3, second half: tested, approved by Ewan, scheduled, sent; its page says until when news can be sent."""
    ruth.press(ruth.open("/desk/issues/april-2017/test"), "Send the test", {"known": "ruth@example.org"})
    (test,) = stage.post_leaves()
    assert test.subject == "[Test] April 2017: practice week, reading group"
    ruth.press(ruth.open("/desk/issues/april-2017/approval"), "Ask for approval")
    (asked,) = stage.post_leaves()
    assert asked.to == "ewan@example.org"
    ewan = stage.desk("Ewan")
    page = ewan.press(ewan.open("/desk/issues/april-2017/approval"), "Approve it")
    assert "Approved." in page.words
    page = ruth.press(ruth.open("/desk/issues/april-2017/schedule"), "Schedule for 3 people")
    assert "10am, Friday 28 April 2017 (UK time)" in page.words
    stage.post_leaves()
    stage.clock.to("2017-04-28 09:00")
    sent = stage.sends("april-2017")
    assert sorted(mail.to for mail in sent) == [f"reader{number}@example.org" for number in (1, 2, 3)]
    for mail in sent:
        assert mail.subject == "April 2017: practice week, reading group"
        assert ">>> 5pm, Monday 3 July 2017" in mail.text
    assert _issue("april-2017").state is IssueState.SENT
    page = stage.browser().open("/news/april-2017")
    assert "The deadline for July 2017 is 5pm, Monday 3 July 2017 66 days left. Send us your news" in page.words


def _the_call_closes_by_the_clock_of_larkmere(stage: Stage) -> None:
    """A4: open to the end of the named minute, in summer time; whoever sends a moment later is told, and keeps it."""
    july, last, first = _issue("july-2017"), "2017-07-03T16:00:59.999", "2017-07-03T16:01:00"
    it_closes(stage, july, last=last, first=first, before="april-2017")


def _issue(slug: str) -> Issue:
    db.session.remove()
    return db.session.scalars(select(Issue).where(Issue.slug == slug)).one()


def _sections() -> dict[str, Any]:
    """What stands in April, by kind; a second of a kind has a number."""
    found: dict[str, Any] = {}
    for block in _issue("april-2017").blocks:
        number = sum(name.partition("_2")[0] == block.kind for name in found) + 1
        found[block.kind if number == 1 else f"{block.kind}_{number}"] = block.data
    return found
