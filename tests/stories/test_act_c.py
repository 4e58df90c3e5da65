"""November 2017: four agencies are asked for news, and each of them answers in another way.

Larkmere's call closes at 5pm on Friday 24 November. Nobody is written to twice, no text is lost, and what was late
counts only by a right that somebody gave.
"""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from newsletter.db import db
from newsletter.models import Contribution, Contributor, Issue
from newsletter.states import ContributionState, Role
from tests import people
from tests.domain import call_makers
from tests.fixtures.documents.make_word import packed, paragraph, parts, run

from .stage import Browser, Mail, Page, Stage

CALL = "/contribute/december-2017"
DESK = "/desk/issues/december-2017"
LOUD = '<w:rFonts w:ascii="Comic Sans MS" w:hAnsi="Comic Sans MS"/><w:color w:val="FF0000"/><w:sz w:val="48"/>'
WORD = packed(
    parts(
        paragraph("Audit of joint visits", style="Heading1")
        + paragraph(run("We went along to 31 visits in autumn.", LOUD))
        + paragraph("What comes next", style="Heading2")
        + paragraph("Each team reads its own six findings by January.")
    )
)
LINKS = "\n\nRead the [visit guidance](https://guidance.example.org/visits) and the [visit toolkit]({}).".format(
    "https://guidance.example.org/toolkit"
)
FINDINGS = (
    "The toolkit is seldom finished",
    "Good handover between shifts",
    "Children are seen alone",
    "Plans that drift",
    "Supervision is written down",
    "Chronologies are put to use ",
)


#: Monday 13 November 2017, 10am; no summer time any more.
BEGINS = datetime(2017, 11, 13, 10, 0, tzinfo=UTC)


def test_act_c(stage: Stage) -> None:
    call_makers.partnership(stage.clock())
    _ruth_opens_the_call(stage)
    cara = _cara_signs_in_and_brings_a_word_file(stage)
    _she_adds_six_findings_and_moves_one(cara)
    _she_checks_and_sends(stage, cara)
    _helen_forgets_her_address(stage)
    _only_the_silent_are_reminded(stage)
    sam = _the_last_hour(stage)
    _sam_gets_more_time(stage, sam)
    _the_deadline_moves(stage)


# --- C1 ------------------------------------------------------------------------------------------------------------


def _ruth_opens_the_call(stage: Stage) -> None:
    """C1, first half: one mail to each of the four leads, whoever presses how often; nothing fourteen days before."""
    ruth = stage.desk("Ruth")
    page = ruth.open("/desk/issues/new")
    typed = {"title": "December 2017", "planned_day": "14 December 2017", "deadline_day": "24 November 2017"}
    ruth.press(page, "Begin the issue", typed)
    assert stage.ticks() == []

    page = ruth.open(f"{DESK}/call/open")
    opened = ruth.press(page, "Invite 4 people")
    assert "The call is open. 4 people are invited." in opened.words
    assert "0 people are invited." in ruth.press(page, "Invite 4 people").words
    invited = stage.ticks()
    assert _to(invited) == ["cara", "helen", "nadia", "sam"]
    for mail in invited:
        assert "The deadline is 5pm, Friday 24 November 2017 (UK time)." in mail.text
        assert mail.html
    stage.clock.to("2017-11-14 09:00")
    assert stage.ticks() == []


# --- C2 to C4: Cara, by question pages -----------------------------------------------------------------------------


def _cara_signs_in_and_brings_a_word_file(stage: Stage) -> Browser:
    """C2: opening the link does nothing, its button signs in; a Word file keeps its headings and loses its fonts."""
    stage.clock.to("2017-11-15 09:00")
    cara = stage.browser()
    page = cara.open("/contribute/sign-in")
    stage.clock.to("2017-11-15 09:01")
    cara.press(page, "Email me a link", {"email": "cara@example.org"})
    (mail,) = stage.post_leaves()
    link = mail.link("/contribute/prove/")
    for method in ("GET", "HEAD", "GET"):
        assert stage.browser().request(method, link).status == 200
    page = cara.open(link)
    assert cara.cookies == {}
    assert cara.open("/contribute/mine").heading == "Sign in to send news"
    assert cara.press(page, "Sign in").heading == "My contributions"

    page = cara.press(cara.open(CALL), "Continue", {"kind": "findings"})
    assert page.heading == "What was found"
    page = cara.press(page, "Read the file", file=("document", "visits.docx", WORD))
    assert "We have read visits.docx." in page.words
    text = _value(page, "d.intro")
    assert _value(page, "d.heading") == "Audit of joint visits"
    assert "## What comes next" in text
    assert "Comic" not in page.html
    page = cara.press(page, "Save and finish later", {"d.intro": text + LINKS})
    intro = str(_of("Cara").data["intro"])
    assert intro.count("<a href=") == 2
    assert "<h3>What comes next</h3>" in intro
    return cara


def _she_adds_six_findings_and_moves_one(cara: Browser) -> None:
    """C3: six entries, one after the other; a space behind one is taken off; one goes up, and the page opens there."""
    page = cara.open(f"/contribute/mine/{_of('Cara').public_id}/words")
    for number, finding in enumerate(FINDINGS):
        typed = {f"d.items.{number}.subheading": finding, f"d.items.{number}.text": f"What we saw, {number + 1}."}
        page = cara.press(page, "Add one more: Findings" if number < 5 else "Save and continue", typed)
    assert page.heading == "Check your answers"

    page = cara.open(f"/contribute/mine/{_of('Cara').public_id}/words")
    page = cara.press(page, "Move ‘Plans that drift’ up")
    assert re.search(r'value="up:items.2"[^>]* autofocus', page.html)
    assert "3 of 6: Plans that drift" in page.words
    cara.press(page, "Save and continue")
    written = [item["subheading"] for item in _of("Cara").data["items"]]
    assert written == [FINDINGS[number].strip() for number in (0, 1, 3, 2, 4, 5)]


def _she_checks_and_sends(stage: Stage, cara: Browser) -> None:
    """C4: her answers on one page, a reference, and all of it in her inbox, with the time until she may edit it."""
    page = cara.open(f"/contribute/mine/{_of('Cara').public_id}/check")
    unticked = cara.press(page, "Send to the editors")
    assert unticked.status == 422
    assert "Tick the box to say that this may be published" in unticked.words
    sent = [cara.press(page, "Send to the editors", {"declared": "y"}) for _twice in range(2)]
    news = _of("Cara")
    assert news.state is ContributionState.SUBMITTED
    for page in sent:
        assert page.status == 200
        assert news.reference in page.words
    (receipt,) = stage.post_leaves()
    assert receipt.subject == f"We have your news for Safeguarding news, December 2017 ({news.reference})"
    assert "You can edit it until 5pm, Friday 24 November 2017 (UK time)." in receipt.text
    for words in (*(finding.strip() for finding in FINDINGS), "We went along to 31 visits", "What we saw, 6."):
        assert words in receipt.text


# --- C5: Helen, by the form ----------------------------------------------------------------------------------------


def _helen_forgets_her_address(stage: Stage) -> None:
    """C5: what is missing is said at its field, and her text is kept; with an address it is sent, and proved."""
    stage.clock.to("2017-11-16 14:00")
    helen = stage.browser()
    page = helen.open(CALL)
    stage.clock.to("2017-11-16 14:20")
    typed = {
        "d.heading": "Peer mentors", "d.body": "Twelve of our pupils are mentors now.",
        "agency": "The Harbour School", "contact_name": "Helen Price", "declared": "y",
    }  # fmt: skip
    page = helen.press(page, "Send to the editors", typed)
    assert page.status == 422
    assert "<title>Error: " in page.html
    # Scripts put the focus on it as the page opens, and each line leads to its field.
    assert 'data-module="govuk-error-summary"' in page.html
    assert re.search(r'<a href="#contact_address">Enter an email address', page.html)
    assert _value(page, "d.body") == "Twelve of our pupils are mentors now."
    assert stage.post_leaves() == []

    page = helen.press(page, "Send to the editors", {"contact_address": "helen@example.org"})
    assert page.heading == "One step left"
    (receipt,) = stage.post_leaves()
    stage.clock.to("2017-11-16 14:25")
    page = helen.press(helen.open(receipt.link("/contribute/prove/")), "Yes, I sent it")
    assert page.heading == "We have your news"


# --- C1, second half -----------------------------------------------------------------------------------------------


def _only_the_silent_are_reminded(stage: Stage) -> None:
    """C1, second half: three working days before, the two agencies of which nothing has come, once each; and Ruth
    hears in the morning what came in. On the last day but one a draft has a mail of its own."""
    stage.clock.to("2017-11-21 07:59")
    assert _to(stage.ticks(), "Reminder:") == []
    stage.clock.to("2017-11-21 09:00")
    mails = stage.ticks()
    assert _to(mails, "Reminder:") == ["nadia", "sam"]
    assert stage.ticks() == []

    stage.clock.to("2017-11-22 11:00")
    nadia = _signed_in(stage, "nadia")
    page = nadia.press(nadia.open(CALL), "Continue", {"kind": "section"})
    nadia.press(page, "Save and finish later", {"d.heading": "Waiting times", "d.body": "They are shorter."})
    stage.clock.to("2017-11-23 09:00")
    mails = stage.ticks()
    assert _to(mails, "Reminder:") == ["sam"]
    assert _to(mails, "Your draft for") == ["nadia"]
    assert stage.ticks() == []


# --- C6 ------------------------------------------------------------------------------------------------------------


def _the_last_hour(stage: Stage) -> Browser:
    """C6, first half: Nadia's form was open in time, and counts at 17:09; Sam's text comes at 17:40, and is kept."""
    stage.clock.to("2017-11-24 16:45")
    sam = _signed_in(stage, "sam")
    stage.clock.to("2017-11-24 16:50")
    page = sam.press(sam.open(CALL), "Continue", {"kind": "section"})
    typed = {"d.heading": "Night shifts", "d.body": "Officers on night shifts have one number to call."}
    check = sam.press(page, "Save and continue", typed)
    stage.clock.to("2017-11-24 16:58")
    nadia = stage.browser()
    form = nadia.open(CALL)

    stage.clock.to("2017-11-24 17:09")
    typed = {
        "d.heading": "One number for families", "d.body": "From Monday there is one number.", "declared": "y",
        "agency": "Fern Valley NHS", "contact_name": "Nadia Rahman", "contact_address": "nadia@example.org",
    }  # fmt: skip
    page = nadia.press(form, "Send to the editors", typed)
    assert "You began before the deadline, so it counts." in page.words
    (receipt,) = stage.post_leaves()
    nadia.press(nadia.open(receipt.link("/contribute/prove/")), "Yes, I sent it")
    (copy,) = stage.post_leaves()
    assert "From Monday there is one number." in copy.text
    # 5pm is over: nothing is promised until then.
    assert "You can edit it" not in receipt.text + copy.text
    news = _titled("One number for families")
    assert (news.state, news.in_grace, news.late) == (ContributionState.SUBMITTED, True, False)

    assert "You began before it, so this still counts if you send it now." in sam.open(check.url).words
    assert "you began in time, so it counts if you send it now." in sam.open("/contribute/mine").words

    # When the quarter of an hour is over, whoever has a draft hears that it is saved; once.
    stage.clock.to("2017-11-24 17:15")
    assert stage.ticks() == []
    stage.clock.to("2017-11-24 17:16")
    assert _to(stage.ticks(), "The call for") == ["nadia", "sam"]
    assert stage.ticks() == []

    stage.clock.to("2017-11-24 17:40")
    page = sam.press(check, "Send to the editors", {"declared": "y"})
    assert page.heading == "Your text is saved"
    assert "Officers on night shifts have one number to call." in page.words
    assert "It came after the deadline" in page.words
    news = _titled("Night shifts")
    assert (news.state, news.late) == (ContributionState.DRAFT, True)
    (mail,) = stage.post_leaves()
    assert mail.subject == f"Your text for Safeguarding news, December 2017 is saved ({news.reference})"
    return sam


def _sam_gets_more_time(stage: Stage, sam: Browser) -> None:
    """C6, second half: he asks, Ruth gives, he sends on Sunday; after noon on Monday, and the quarter of an hour
    that every deadline leaves to what was begun before it, his text is the editors'."""
    asking = sam.open(_link(sam.open(f"/contribute/mine/{_of('Sam').public_id}"), "Ask for more time"))
    typed = {"ready": "soon", "reason": "I was called out at four."}
    page = sam.press(asking, "Ask for more time", typed)
    assert page.heading == "The editors have been asked"
    sam.press(asking, "Ask for more time", typed)
    (asked,) = stage.post_leaves()
    assert asked.to == "ruth@example.org"
    assert "It would be ready by noon, Monday 27 November 2017." in asked.text
    assert "I was called out at four." in asked.text

    ruth = stage.desk("Ruth")
    answer = ruth.open(asked.link("/desk/"))
    for _twice in range(2):
        ruth.press(answer, "Give more time")
    mails = {mail.to: mail for mail in stage.post_leaves()}
    assert sorted(mails) == ["ruth@example.org", "sam@example.org"]
    assert "The editors give you until noon, Monday 27 November 2017" in mails["sam@example.org"].text
    assert mails["ruth@example.org"].subject.startswith("More time was given: Sam Okafor, Larkmere Police, until noon")

    stage.clock.to("2017-11-25 08:00")
    (digest,) = stage.ticks()
    assert digest.to == "ruth@example.org"
    assert "• December 2017: the call has closed, with 3 in" in digest.text
    assert "• December 2017: 1 came after the deadline" in digest.text
    stage.clock.to("2017-11-26 15:00")
    assert stage.ticks() == []
    sam = _signed_in(stage, "sam")
    page = sam.open(f"/contribute/mine/{_of('Sam').public_id}/check")
    page = sam.press(page, "Send again", {"declared": "y"})
    assert page.heading == "Sent to the editors"
    news = _of("Sam")
    assert (news.state, news.late, news.in_grace) == (ContributionState.SUBMITTED, False, False)
    (receipt,) = stage.post_leaves()
    assert "You can edit it until noon, Monday 27 November 2017 (UK time)." in receipt.text
    page = stage.desk("Ruth").open(f"/desk/contributions/{news.reference}")
    assert "Late, with more time until noon, Monday 27 November 2017." in page.words

    words = f"/contribute/mine/{news.public_id}/words"
    stage.clock.to("2017-11-27 11:00")
    (digest,) = stage.ticks()
    assert "• December 2017: 1 contribution came in" in digest.text
    sam = _signed_in(stage, "sam")
    stage.clock.to("2017-11-27T12:00:59.999")
    edit = sam.open(words)
    assert "The editors have this already." in edit.words
    stage.clock.to("2017-11-27T12:16:00")
    assert sam.open(words).url.endswith(str(news.public_id))
    refused = sam.press(edit, "Save and continue", {"d.body": "Another text."})
    assert refused.status == 422
    assert _value(refused, "d.body") == "Another text."
    assert _of("Sam").data["body"] == "<p>Officers on night shifts have one number to call.</p>"


# --- C7 ------------------------------------------------------------------------------------------------------------


def _the_deadline_moves(stage: Stage) -> None:
    """C7: forward only with the sentence typed; later at once, and whoever has a draft hears it. Nothing becomes late
    by it, and nothing ceases to be."""
    stage.clock.to("2017-11-27 14:00")
    ruth, before = stage.desk("Ruth"), _flags()
    page = ruth.press(ruth.open(f"{DESK}/dates"), "Save", {"deadline_day": "20 November 2017"})
    assert page.status == 422
    told = "4 people were told 24 November 2017"
    assert f"{told}. Only somebody who may approve can bring the deadline forward." in page.words
    people.staff(stage.clock(), "Irene Walsh", Role.ADMIN)
    irene = stage.desk("Irene")
    page = irene.press(irene.open(f"{DESK}/dates"), "Save", {"deadline_day": "20 November 2017"})
    assert page.status == 422
    assert f"To bring the deadline forward all the same, type: {told}" in page.words
    assert _issue().deadline_at == datetime(2017, 11, 24, 17, 0, tzinfo=UTC)

    page = ruth.press(ruth.open(f"{DESK}/dates"), "Save", {"deadline_day": "28 November 2017"})
    assert page.status == 200
    assert _issue().deadline_at == datetime(2017, 11, 28, 17, 0, tzinfo=UTC)
    # An editor who mistyped has ten minutes.
    assert stage.ticks() == []
    stage.clock.to("2017-11-27 14:10")
    (moved,) = stage.ticks()
    assert moved.to == "nadia@example.org"
    assert moved.subject == "New deadline for Safeguarding news, December 2017: 5pm, Tuesday 28 November 2017 (UK time)"
    assert "Your draft is saved, and not sent yet." in moved.text
    assert _flags() == before


# --- small help ----------------------------------------------------------------------------------------------------


def _signed_in(stage: Stage, name: str) -> Browser:
    """A browser in which somebody has typed the code from the mail."""
    browser = stage.browser()
    page = browser.press(browser.open("/contribute/sign-in"), "Email me a link", {"email": f"{name}@example.org"})
    (mail,) = [each for each in stage.post_leaves() if each.subject.startswith("Your link to sign in")]
    code = re.search(r"^ +(\d{3} \d{3})\s*$", mail.lines, re.MULTILINE)
    assert code, mail.lines
    button = next(button for form in page.forms() for button in form.buttons if button != "Email me a new one")
    assert browser.press(page, button, {"code": code[1]}).heading == "My contributions"
    return browser


def _to(mails: list[Mail], subject: str = "") -> list[str]:
    """First names of those who got a mail whose subject begins so, once for each mail."""
    return sorted(mail.to.partition("@")[0] for mail in mails if mail.subject.startswith(subject))


def _value(page: Page, name: str) -> str:
    return next(value for form in page.forms() for field, value in form.fields if field == name)


def _link(page: Page, words: str) -> str:
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>\s*{words}', page.html)
    assert found, page.words
    return found[1]


def _of(name: str) -> Contribution:
    """The first that somebody signed in has written."""
    db.session.remove()
    return db.session.scalars(
        select(Contribution)
        .join(Contributor, Contributor.id == Contribution.contributor_id)
        .where(Contributor.name.startswith(name))
        .order_by(Contribution.id)
    ).first() or pytest.fail(f"{name} has written nothing")


def _titled(title: str) -> Contribution:
    db.session.remove()
    return db.session.scalars(select(Contribution).where(Contribution.title == title)).one()


def _issue() -> Issue:
    db.session.remove()
    return db.session.scalars(select(Issue).where(Issue.slug == "december-2017")).one()


def _flags() -> dict[str, tuple[ContributionState, bool, bool]]:
    db.session.remove()
    return {row.title: (row.state, row.late, row.in_grace) for row in db.session.scalars(select(Contribution))}
