"""Every page of composing in every state it can be in, at the width of a phone and of a desk: nothing for axe to find,
nothing to scroll to sideways, no complaint of the browser. A page that is in no state of the list fails the test."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from newsletter.rendering.blocks import KINDS
from newsletter.rendering.fields import Field

from .composing_stage import Stage
from .conftest import PATIENCE, Visitor, _note
from .in_process import answering, home, sign_in

pytestmark = pytest.mark.browser

Act = Callable[[Page], object]

#: Addresses of the desk that belong to composing, checking, approving and scheduling.
_COMPOSING = re.compile(r"/desk/(issues|book|past|lists/<list>/test-addresses)|/draft/")
#: Those among them that are looked at elsewhere, and where.
_ELSEWHERE = {
    "editor.call": "test_triage.py and test_planner.py: calls and their boards",
    "editor.call_give": "calls",
    "editor.call_open": "calls",
    "editor.call_party": "calls",
    "editor.call_time": "calls",
    "editor.contribution_new": "calls",
    "editor.contributions_left": "test_triage.py",
    "editor.issue_recipients": "test_sending.py",
    "editor.issue_people_csv": "test_taking_out.py: the page of every export",
    "editor.issue_sending_cancel": "test_sending.py",
    "editor.issue_decide_all": "test_sending.py",
    "editor.planner_dates": "test_planner.py",
    "editor.issue_preview": "the mail itself: test_mail.py; its text and its web page have no words of the desk",
    "editor.issue_as_sent": "the mail itself: test_mail.py",
    "editor.issue_block_found": "a part of the desk",
    "editor.issue_sending_part": "a part of a page",
}


def press(name: str | re.Pattern[str]) -> Act:
    """Press the first button of this name, and wait for the page it leads to."""

    def act(page: Page) -> None:
        with page.expect_navigation():
            page.get_by_role("button", name=name, exact=isinstance(name, str)).first.click()

    return act


def opens(name: str | re.Pattern[str], role: str = "button") -> Act:
    """Press what opens something on the page."""
    return lambda page: page.get_by_role(role, name=name).first.click()


def unfold(words: str) -> Act:
    return lambda page: page.locator("summary", has_text=words).first.click()


def write(label: str, words: str) -> Act:
    return lambda page: page.get_by_label(label, exact=True).first.fill(words)


def uncheck(label: str) -> Act:
    return lambda page: page.get_by_label(label, exact=True).uncheck()


def sees(words: str) -> Act:
    """The state is not this one before these words stand on the page."""
    return lambda page: page.get_by_text(words).first.wait_for()


def put(selector: str, value: str) -> Act:
    return lambda page: page.locator(selector).first.fill(value)


def _every_note(page: Page) -> None:
    page.locator("#notes > div").evaluate_all("notes => notes.forEach((note) => { note.hidden = false })")


def leave_out(page: Page) -> None:
    """Nothing of the document is wanted."""
    choices = page.get_by_label("Leave out").all()
    for left, choice in zip(reversed(range(len(choices))), choices, strict=True):
        choice.check()
        expect(page.get_by_role("button", name=re.compile(f"^Import {left} ")).first).to_be_visible()


def _behind(page: Page) -> None:
    """Somebody else has saved the section since."""
    page.locator("#section [name=expected]").evaluate("field => { field.value = 0 }")


def _deleted(page: Page) -> None:
    """Somebody else has deleted it."""
    page.locator("form[action$='/delete']").evaluate(
        "form => fetch(form.action, { method: 'POST', body: new FormData(form) })"
    )


@dataclass(frozen=True)
class State:
    """One state of a page: where it is, who is there, what they do before it is looked at, what the page answers; and
    which part of it is looked at, where another state has the rest."""

    name: str
    path: str
    acts: tuple[Act, ...] = ()
    who: str = "Ruth Adeyemi"
    status: int = 200
    within: str = ""


def at(name: str, path: str, *acts: Act, **more: Any) -> State:
    """A state, in the order in which it is told."""
    return State(name, path, acts, **more)


_NOBODY, _NINA, _EWAN, _VERA = "", "Nina Ward", "Ewan Marsh", "Vera Holt"
_WRITE = "issues/january-2027/write"
_EVERY = "issues/every-kind/write"

#: Kinds of section that between them have every sort of field, and those that stand in every issue.
_SORTS = (
    "notice", "policy_update", "people_news", "compare", "ask_views", "news_in_brief", "image_text", "contact",
    "in_this_issue", "masthead", "call", "key_dates", "join_list",
)  # fmt: skip

STATES: dict[str, list[State]] = {
    "editor.issues": [at("none yet", "issues", sees("No issue yet"), who=_NINA), at("some", "issues")],
    "editor.issue_new": [
        at("which list", "issues/new"),
        at("asked", "issues/new?list=safeguarding-news"),
        at("refused", "issues/new?list=safeguarding-news", press("Begin the issue")),
    ],
    "editor.issue": [
        at("draft", "issues/january-2027"),
        at("hardly begun", "issues/april-2027"),
        at("for a viewer", "issues/january-2027", who=_VERA),
        at("approval ended", "issues/ended", sees("approval")),
        at("asked for", "issues/asked-for"),
        at("approved", "issues/approved"),
        at("scheduled", "issues/scheduled"),
        at("cancelled", "issues/cancelled"),
        at("sending", "issues/october-2026"),
    ],
    "editor.issue_frame": [
        at("as it is", "issues/january-2027/frame"),
        at("refused", "issues/january-2027/frame", write("Title", ""), press("Save")),
        at("locked", "issues/scheduled/frame"),
    ],
    "editor.issue_cancel": [
        at("asked", "issues/january-2027/cancel"),
        at("refused", "issues/january-2027/cancel", press("Cancel this issue")),
    ],
    "editor.compose": [
        at("a section", f"{_WRITE}/{{section}}"),
        at("nothing written", "issues/april-2027/write", sees("Nothing is written yet")),
        at("something to mend", f"{_WRITE}/{{faulty}}", sees("Before this is sent")),
        at("an empty picture", f"{_WRITE}/{{empty}}"),
        at("for a viewer", f"{_WRITE}/{{section}}", who=_VERA),
        at("locked", "issues/scheduled/write/{locked}"),
        at("moved", f"{_WRITE}/{{contact}}", opens("Move ‘Who to ask’ up"), sees("“Who to ask” was moved.")),
        at("everything unfolded", f"{_WRITE}/{{faulty}}", unfold("More about"), unfold("Change the level")),
        at("with somebody", f"{_WRITE}/{{faulty}}", sees("Ruth Adeyemi is in"), who=_EWAN),
        at(
            "two texts",
            f"{_WRITE}/{{section}}",
            write("Heading", "Mine"),
            _behind,
            press("Save"),
            sees("Two versions of"),
        ),
        at("two texts, one deleted", f"{_WRITE}/{{twin}}", _deleted, press("Save"), sees("deleted this section")),
        at("as plain text", f"{_WRITE}/{{section}}?look=text"),
        at("as web page", f"{_WRITE}/{{section}}?look=web"),
        at("every note that scripts show", f"{_WRITE}/{{section}}", _every_note, within="#write"),
        at("palette", f"{_WRITE}/{{section}}", opens("Add a section"), within="dialog[open]"),
        at("link dialog", f"{_WRITE}/{{section}}", opens("Link"), within="dialog[open]"),
        at(
            "picture dialog",
            f"{_WRITE}/{{empty}}",
            opens("Choose or upload a picture"),
            lambda page: page.get_by_role("dialog").wait_for(),
        ),
        at("refused", f"{_EVERY}/{{kind_in_this_issue}}", put("[name='d.max_items']", "many"), press("Save")),
        at("last time's words", "issues/after-october-2026/write/{comeback}", sees("Use last time’s words")),
        at("what waits", "issues/april-2027/write", sees("waits for this issue")),
        *(at(f"a section of {kind}", f"{_EVERY}/{{kind_{kind}}}", within="#write") for kind in _SORTS),
    ],
    "editor.issue_add": [at("which kind", f"{_WRITE}/add")],
    "editor.issue_order": [
        at("as it is", f"{_WRITE}/order"),
        at("refused", f"{_WRITE}/order", put("main [inputmode=numeric]", "x"), press("Save the order")),
        at("locked", "issues/scheduled/write/order"),
    ],
    "editor.issue_block_place": [at("where to", f"{_WRITE}/{{section}}/place")],
    "editor.issue_block_history": [
        at("two versions", f"{_WRITE}/{{section}}/history"),
        at("one version", f"{_WRITE}/{{contact}}/history"),
    ],
    "editor.issue_history": [
        at("none kept", "issues/april-2027/history", sees("No version yet")),
        at("some", "issues/january-2027/history"),
        at("for a viewer", "issues/january-2027/history", who=_VERA),
    ],
    "editor.issue_compare": [
        at("with now", "issues/january-2027/history/compare?from=1"),
        at("with itself", "issues/january-2027/history/compare?from=1&to=1"),
    ],
    "editor.issue_bin": [
        at("empty", "issues/april-2027/bin", sees("The bin is empty")),
        at("one in it", "issues/january-2027/bin"),
    ],
    "editor.issue_bin_empty": [at("asked", "issues/january-2027/bin/{gone}/empty")],
    "editor.issue_block_picture": [
        at("some", f"{_WRITE}/{{empty}}/picture/media"),
        at("refused", f"{_WRITE}/{{empty}}/picture/media", press("Use this picture")),
    ],
    "editor.issue_pictures": [
        at("some", "issues/january-2027/pictures"),
        at("thrown away", "issues/january-2027/pictures", press(re.compile("^Throw away"))),
        at("locked", "issues/scheduled/pictures"),
    ],
    "editor.issue_start": [at("what comes back", "issues/april-2027/start")],
    "editor.issue_follow_ups": [
        at("none", "issues/every-kind/follow-ups", sees("Nothing was promised")),
        at("made here", "issues/january-2027/follow-ups"),
        at("one waits", "issues/april-2027/follow-ups", sees("Practice week")),
        at(
            "let go, with its undo",
            "issues/april-2027/follow-ups",
            press(re.compile("^Let it go")),
            sees("will not be"),
        ),
    ],
    "editor.issue_document": [
        at("asked", "issues/january-2027/document"),
        at("refused", "issues/january-2027/document", press("Show what is in it")),
        at("locked", "issues/scheduled/document"),
    ],
    "editor.issue_document_found": [
        at("refused", "issues/january-2027/document/{read}", leave_out, press(re.compile("^Import 0"))),
        at("two sections", "issues/january-2027/document/{read}"),
    ],
    "editor.past_new": [at("asked", "past"), at("refused", "past", press("Show what is in it"))],
    "editor.issue_past": [
        at("to be published", "issues/past/past"),
        at("published", "issues/past-and-out/past"),
    ],
    "editor.book": [at("empty", "book", sees("None yet."), who=_NINA), at("some", "book", sees("Ended on"))],
    "editor.book_new": [
        *(at(f"a {kind}", f"book/new/{kind}") for kind in ("person", "link", "acronym")),
        *(at(f"a {kind}, refused", f"book/new/{kind}", press("Save")) for kind in ("person", "link", "acronym")),
    ],
    "editor.book_entry": [
        at("in use", "book/{entry}"),
        at("ended", "book/{ended_entry}"),
        at("refused", "book/{entry}", write("Name", ""), press("Save")),
    ],
    "editor.book_end": [
        at("asked", "book/{entry}/end"),
        at("refused", "book/{entry}/end", press("End it")),
    ],
    "editor.issue_checks": [
        at("much to mend", "issues/january-2027/checks"),
        at("nothing to mend", "issues/approved/checks", sees("Nothing stops this issue")),
        at("without a reason", "issues/january-2027/checks", press(re.compile("^It is right"))),
        at("unfolded", "issues/january-2027/checks", unfold("What is in order")),
        at("locked", "issues/scheduled/checks"),
    ],
    "editor.issue_comments": [
        at("none", "issues/april-2027/comments", sees("Nobody has said anything yet.")),
        at("open and settled", "issues/january-2027/comments", unfold("Those that are resolved")),
        at("refused", "issues/january-2027/comments", press("Comment")),
    ],
    "editor.issue_shares": [
        at("none", "issues/april-2027/share", sees("None.")),
        at("open and ended", "issues/january-2027/share"),
        at("refused", "issues/january-2027/share", press("Make a link")),
        at("too late", "issues/october-2026/share"),
    ],
    "public.draft": [
        at("read", "draft/{link}", who=_NOBODY),
        at("refused", "draft/{link}", press("Send the comment"), who=_NOBODY),
        at("taken back", "draft/{ended}", who=_NOBODY, status=410),
    ],
    "editor.issue_test": [
        at("none yet", "issues/every-kind/test"),
        at("sent before", "issues/approved/test"),
        at("changed since", "issues/ended/test"),
        at("refused", "issues/every-kind/test", write("Other addresses (optional)", "nobody"), press("Send the test")),
        at("locked", "issues/scheduled/test"),
    ],
    "editor.test_addresses": [
        at("none", "lists/policy-changes/test-addresses", sees("None yet.")),
        at("one", "lists/safeguarding-news/test-addresses"),
        at("refused", "lists/safeguarding-news/test-addresses", press("Add it")),
    ],
    "editor.issue_approval": [
        at("something to mend", "issues/january-2027/approval"),
        at("may be asked for", "issues/ended/approval"),
        at("refused", "issues/ended/approval", uncheck("Ewan Marsh"), press("Ask for approval")),
        at("read by the approver", "issues/asked-for/approval", who=_EWAN),
        at("refused a word", "issues/asked-for/approval", press("Return it with this comment"), who=_EWAN),
        at("waiting", "issues/asked-for/approval", sees("Waiting for approval")),
        at("given", "issues/approved/approval"),
        at("too late", "issues/scheduled/approval"),
    ],
    "editor.issue_audience": [at("everybody", "issues/january-2027/audience")],
    "editor.issue_schedule": [
        at("not yet", "issues/january-2027/schedule", sees("It cannot be scheduled yet.")),
        at("read once more", "issues/approved/schedule", sees("Or send it now")),
        at("another time", "issues/approved/schedule?change=1"),
        at("refused", "issues/approved/schedule?change=1", write("Date", "soon"), press("Continue")),
    ],
    "editor.sending": [at("scheduled", "issues/scheduled/sending"), at("begun", "issues/october-2026/sending")],
    "editor.issue_corrections": [
        at("too early", "issues/january-2027/corrections"),
        at("one", "issues/october-2026/corrections"),
        at("refused", "issues/october-2026/corrections", press("Put it on the web page")),
    ],
}


def pages(app: Flask) -> set[str]:
    """The endpoints of composing that answer a GET."""
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and _COMPOSING.match(rule.rule)
    } - set(_ELSEWHERE)


def _sorts(fields: tuple[Field, ...]) -> Iterator[tuple[str, ...]]:
    """The sorts of these fields, each with the sorts of those it is made of."""
    for each in fields:
        yield (each.type,)
        yield from ((each.type, *inner) for inner in _sorts(each.fields))


def test_every_sort_of_field_is_in_the_list() -> None:
    def of(kinds: Iterable[str]) -> set[tuple[str, ...]]:
        return {sort for kind in kinds for sort in _sorts(KINDS[kind].fields)}

    assert of(_SORTS) == of(KINDS)


def test_every_page_of_composing_is_in_the_list(app: Flask) -> None:
    assert set(STATES) == pages(app)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with answering(tmp_path_factory.mktemp("states"), relay_url="smtp://127.0.0.1:2") as app:
        yield Stage(app)


def test_every_state_can_be_used_by_everybody(stage: Stage, browser: Browser) -> None:
    looked = Visitors(stage, browser)
    wrong = [
        complaint
        for endpoint, states in STATES.items()
        for state in states
        if (complaint := looked.complaint(endpoint, state))
    ]
    looked.leave()
    assert not wrong, "\n\n".join(wrong)


class Visitors:
    """Everybody who comes to look, each with a browser of their own that stays open."""

    def __init__(self, stage: Stage, browser: Browser) -> None:
        self.stage, self.browser = stage, browser
        self.here: dict[str, Visitor] = {}

    def complaint(self, endpoint: str, state: State) -> str:
        """What is wrong with this state; "" for nothing."""
        visitor = self.here.get(state.who) or self._come(state.who)
        name = f"{endpoint.partition('.')[2]}-{state.name}".replace(" ", "-")
        page = visitor.page
        page.set_viewport_size({"width": 1280, "height": 900})
        where = "" if state.path.startswith("draft/") else "/desk"
        try:
            answer = page.goto(f"{home(self.stage.app)}{where}/{state.path.format(**self.stage.names)}")
            assert answer and answer.status == state.status, f"the page answers {answer and answer.status}"
            for act in state.acts:
                act(page)
            if "refused" in state.name:
                expect(page.get_by_role("heading", name="There is a problem")).to_have_count(1)
            visitor.look(name, state.within)
        except Exception as error:
            return f"{name}: {error}"
        finally:
            visitor.complaints.clear()
        return ""

    def _come(self, who: str) -> Visitor:
        context = self.browser.new_context(locale="en-GB")
        context.set_default_timeout(PATIENCE)
        context.set_default_navigation_timeout(4 * PATIENCE)
        if who:
            sign_in(self.stage.app, context, who)
        visitor = self.here[who] = Visitor(context.new_page())
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        visitor.page.on("console", lambda message: _note(visitor, message.type, message.text))
        return visitor

    def leave(self) -> None:
        for visitor in self.here.values():
            visitor.page.context.close()
