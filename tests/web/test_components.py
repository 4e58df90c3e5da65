"""The parts pages are made of, read as markup and seen in a real browser."""

import os
import re
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, render_template_string
from jinja2 import UndefinedError
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server
from wtforms import FieldList, Form, FormField, StringField
from wtforms.validators import DataRequired

from newsletter.errors import Invalid, Problem
from newsletter.states import ContributionState, DeliveryState, IssueState, NoticeState, SubscriptionState
from newsletter.web import assets
from newsletter.web.components import component
from newsletter.web.fields import field_markup, problem_list, put_problems
from newsletter.web.tags import tag_of
from tests.chromium import chromium

from .component_app import EveryField, make_app


@pytest.fixture
def app() -> Flask:
    app = make_app()
    app.config["WTF_CSRF_ENABLED"] = False
    return app


class TestForms:
    def test_what_was_typed_is_kept_to_the_letter(self, app: Flask) -> None:
        typed = "one\n two\n\n</textarea><script>x</script>\n  three"
        page = app.test_client().post("/", data={"text": typed, "name": '"><script>', "password": "secret"}).text
        assert ">one\n two\n\n&lt;/textarea&gt;&lt;script&gt;x&lt;/script&gt;\n  three</textarea>" in page
        assert 'value="&#34;&gt;&lt;script&gt;"' in page
        assert "secret" not in page

    def test_the_summary_and_the_field_say_the_same(self, app: Flask) -> None:
        page = app.test_client().post("/", data={"agency": "c"}).text
        assert "<title>Error: Components - Larkmere partnership</title>" in page
        assert page.count("Enter your email address") == 2
        assert '<a href="#email">Enter your email address</a>' in page
        assert 'aria-describedby="email-error"' in page
        assert page.index("There is a problem") < page.index("<h1")

    def test_a_page_without_problems_speaks_of_none(self, app: Flask) -> None:
        page = app.test_client().get("/").text
        assert "There is a problem</h2>" not in page
        assert "<title>Components" in page

    def test_fields_help_to_fill_them_in(self, app: Flask) -> None:
        with app.test_request_context():
            form = EveryField()
            assert 'autocomplete="email"' in field_markup(form.email)
            assert 'autocomplete="new-password"' in field_markup(form.password, autocomplete="new-password")
            assert 'spellcheck="false"' in field_markup(form.email)
            assert 'aria-describedby="name-hint"' in field_markup(form.name)
            assert '<h1 class="govuk-label-wrapper"' in field_markup(form.name, heading=True)
            assert "<fieldset" in field_markup(form.when)
            assert 'data-maxlength="600"' in field_markup(form.text)

    def test_a_choice_stays_chosen(self, app: Flask) -> None:
        page = app.test_client().post("/", data={"agency": "p", "when": "mon", "lists": ["p"], "agree": "y"}).text
        assert '<option value="p" selected>' in page
        assert 'value="mon" checked' in page
        assert 'id="lists-2" name="lists" type="checkbox" value="p" checked' in page
        assert 'id="agree" name="agree" type="checkbox" value="y" checked' in page

    def test_problems_of_a_verb_stand_at_the_field_they_name(self, app: Flask) -> None:
        with app.test_request_context():
            form = EveryField()
            put_problems(form, Invalid([Problem("phone", "Enter a phone number"), Problem("", "The call has closed")]))
            assert problem_list(form) == [
                {"text": "Enter a phone number", "href": "#phone"},
                {"text": "The call has closed"},
            ]
            assert "Enter a phone number" in field_markup(form.phone)

    def test_problems_inside_lists_of_fields_are_found(self) -> None:
        class Contact(Form):
            name = StringField(validators=[DataRequired("Enter a name")])

        class Both(Form):
            main = FormField(Contact)
            others = FieldList(FormField(Contact), min_entries=1)

        form = Both()
        assert not form.validate()
        assert [problem["href"] for problem in problem_list(form)] == ["#main-name", "#others-0-name"]


class TestMarkup:
    def test_text_is_escaped_by_every_component(self) -> None:
        nasty = "<script>alert(1)</script>"
        for name, params in {
            "govukTag": {"text": nasty},
            "govukButton": {"text": nasty, "href": '"><b'},
            "govukSummaryList": {"rows": [{"key": {"text": nasty}, "value": {"text": nasty}}]},
            "govukErrorSummary": {"titleText": nasty, "errorList": [{"text": nasty, "href": '#"><b'}]},
            "govukInsetText": {"text": nasty},
            "govukDetails": {"summaryText": nasty, "text": nasty},
        }.items():
            made = component(name)(params)
            assert "<script" not in made and "<b" not in made.replace("<button", ""), name

    @pytest.mark.parametrize(
        "state", [*IssueState, *DeliveryState, *SubscriptionState, *ContributionState, *NoticeState]
    )
    def test_each_state_has_its_word(self, state: Any) -> None:
        tag = tag_of(state)
        assert tag.text and "_" not in tag.text

    def test_dates_and_numbers_are_words(self, app: Flask) -> None:
        at = datetime(2018, 1, 19, 17, 0, tzinfo=UTC)
        with app.test_request_context():
            said = render_template_string(
                "{{ at|moment }}; {{ at|day }}; {{ at|clock_time }}; {{ on|short_day }}; {{ 4218|number }}; "
                "{{ 'tobias.lee@example.org'|mask }}; {{ 'Ruth Adeyemi'|initials }}",
                at=at,
                on=date(2018, 1, 19),
            )
        assert said.startswith("5pm, Friday 19 January 2018; Friday 19 January 2018; 5pm; Fri 19 Jan 2018; 4,218; ")
        assert said.endswith("; RA") and "tobias.lee" not in said

    def test_a_list_prints_in_its_own_zone(self, app: Flask) -> None:
        at = datetime(2018, 7, 20, 22, 30, tzinfo=UTC)
        with app.test_request_context():
            assert render_template_string("{{ at|moment }}", at=at) == "11:30pm, Friday 20 July 2018"
            said = render_template_string("{{ at|day }}", at=at, timezone="Asia/Tokyo")
        assert said == "Saturday 21 July 2018"

    def test_plain_text_becomes_paragraphs_and_stays_text(self, app: Flask) -> None:
        with app.test_request_context():
            made = render_template_string("{{ text|paragraphs }}", text="a <b>\nb\r\n\r\nc")
        assert made == "<p>a &lt;b&gt;<br>b</p>\n<p>c</p>"

    def test_a_name_that_a_view_forgot_is_no_silent_gap(self, app: Flask) -> None:
        with app.test_request_context(), pytest.raises(UndefinedError):
            render_template_string("{{ forgotten }}")

    def test_the_bar_adds_up_and_has_no_inline_style(self, app: Flask) -> None:
        with app.test_request_context():
            made = render_template_string(
                "{% from 'macros/parts.html' import sending_bar %}{{ sending_bar(4, parts, 'Half') }}"
                "{{ sending_bar(0, parts, 'None') }}",
                parts=[{"number": 1, "kind": "good"}, {"number": 0, "kind": "bad"}, {"number": 1, "kind": "wait"}],
            )
        assert 'x="0.000%" width="25.000%"' in made and 'x="25.000%" width="25.000%"' in made
        assert made.count("<rect") == 2 and "style" not in made

    def test_a_public_page_opens_no_session(self, app: Flask) -> None:
        answer = app.test_client().get("/public")
        assert answer.status_code == 410 and "Set-Cookie" not in answer.headers
        assert "Past issues" in answer.text and "Published by the Larkmere partnership." in answer.text

    def test_whoever_changes_something_posts_with_the_token(self) -> None:
        app = make_app()
        page = app.test_client().get("/").text
        assert page.count('method="post"') == page.count('name="csrf_token"')
        assert app.test_client().post("/", data={}).status_code == 400


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = make_app()
    app.config["WTF_CSRF_ENABLED"] = False
    _add_live_page(app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


LIVE = """{% extends 'base/staff.html' %}{% from 'macros/parts.html' import deadline %}
{% block title %}Live{% endblock %}
{% block content %}<h1>Live</h1>
<div id="tick" data-poll="/tick" data-poll-seconds="0.02">0</div>
{{ deadline('The deadline is', '5pm', 0, 'Closed at 5pm') }}
{% include moves %}
{% endblock %}"""

MOVES = """<ol id="order" data-say="{{ said }}">{% for name in names %}<li data-movable tabindex="0">{{ name }}
<button hx-post="/move" hx-vals='{"name": "{{ name }}", "way": "up"}' hx-target="#order" hx-swap="outerHTML"
 data-move="up" data-move-of="{{ name }}" {{ 'disabled' if loop.first }}>Move ‘{{ name }}’ up</button>
<button hx-post="/move" hx-vals='{"name": "{{ name }}", "way": "down"}' hx-target="#order" hx-swap="outerHTML"
 data-move="down" data-move-of="{{ name }}" {{ 'disabled' if loop.last }}>Move ‘{{ name }}’ down</button>
</li>{% endfor %}</ol>"""


def _add_live_page(app: Flask) -> None:
    from flask import request

    names = ["Contact", "Findings", "Notice"]
    ticks: list[int] = []

    @app.get("/live")
    def live() -> str:
        moves = app.jinja_env.from_string(MOVES)
        return render_template_string(
            LIVE, moves=moves, names=names, said="", publication="Larkmere", home_url="/", nav=[],
            person={"name": "Ruth"}, account_url="#", sign_out_url="#",
        )  # fmt: skip

    @app.get("/clock")
    def clock() -> str:
        return render_template_string(
            LIVE.replace("/tick", "/tock").replace("0.02", "2"), moves=app.jinja_env.from_string(""), said="",
            publication="Larkmere", home_url="/", nav=[], person={"name": "Ruth"}, account_url="#", sign_out_url="#",
        )  # fmt: skip

    @app.get("/tock")
    def tock() -> str:
        return '<div id="tick" data-poll="/tock" data-poll-seconds="2">again</div>'

    @app.get("/tick")
    def tick() -> str:
        ticks.append(1)
        again = ' data-poll="/tick" data-poll-seconds="0.02"' if len(ticks) < 3 else ""
        return f'<div id="tick"{again}>{len(ticks)}</div>'

    @app.post("/move")
    def move() -> str:
        assert request.headers["X-CSRFToken"]
        at = names.index(request.form["name"])
        names.insert(at + (-1 if request.form["way"] == "up" else 1), names.pop(at))
        said = f"{request.form['name']}, now {names.index(request.form['name']) + 1} of {len(names)}"
        return render_template_string(MOVES, names=names, said=said)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not assets.manifest.names:
        message = "the front end has not been built"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Any]:
    """A page that must not complain: a script's error or a breach of the content security policy fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: "Content Security" in said.text and complaints.append(said.text))
    yield page
    page.close()
    assert complaints == []


def _expect(locator: Any) -> Any:
    return expect(locator)


def _violations(page: Any) -> list[str]:
    return [f"{found['id']}: {found['nodes'][0]['target']}" for found in Axe().run(page).response["violations"]]


@pytest.mark.browser
class TestSeen:
    @pytest.mark.parametrize("width", [320, 768, 1280])
    @pytest.mark.parametrize("path", ["/", "/public"])
    def test_no_barrier_and_no_sideways_scroll(self, page: Any, address: str, path: str, width: int) -> None:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert _violations(page) == []

    def test_the_menu_opens_on_a_phone(self, page: Any, address: str) -> None:
        page.set_viewport_size({"width": 320, "height": 900})
        page.goto(address)
        assert not page.get_by_role("link", name="Subscribers", exact=True).is_visible()
        page.get_by_role("button", name="Menu").click()
        assert page.get_by_role("link", name="Subscribers", exact=True).is_visible()
        assert _violations(page) == []

    def test_a_problem_takes_the_focus_and_leads_to_its_field(self, page: Any, address: str) -> None:
        page.goto(address)
        page.evaluate("document.querySelector('form[data-guard]').setAttribute('action', '/')")
        page.get_by_label("Your name").fill("Ruth")
        page.get_by_role("button", name="Subscribe").click()
        _expect(page.locator(".govuk-error-summary")).to_be_focused()
        assert page.get_by_label("Your name").input_value() == "Ruth"
        assert _violations(page) == []
        page.get_by_role("link", name="Choose when it will be ready").click()
        assert page.evaluate("document.activeElement.id") == "when"

    def test_the_frame_is_as_tall_as_the_mail(self, page: Any, address: str) -> None:
        page.goto(address)
        _expect(page.locator("iframe[data-preview]")).to_have_attribute("height", re.compile(r"^1\d\d$"))
        page.evaluate("addEventListener('preview:block', event => (window.chosen = event.detail.block))")
        page.frame_locator("iframe[data-preview]").get_by_text("four practice days").click()
        assert page.evaluate("window.chosen") == "b1"

    def test_a_link_in_the_mail_opens_where_the_page_says_so(self, page: Any, address: str) -> None:
        page.goto(address)
        link = page.frame_locator("iframe[data-preview]").locator("a").first
        link.click()
        assert len(page.context.pages) == 1
        page.evaluate("document.querySelector('iframe[data-preview]').dataset.opens = ''")
        with page.context.expect_page() as opened:
            link.click()
        opened.value.close()

    def test_a_part_fetches_itself_until_it_is_told_to_stop(self, page: Any, address: str) -> None:
        page.goto(address + "/live")
        _expect(page.locator("#tick")).to_have_text("3")
        assert page.locator("[data-poll]").count() == 0

    def test_nothing_is_fetched_for_a_tab_that_nobody_sees(self, page: Any, address: str) -> None:
        asked: list[str] = []
        page.on("request", lambda request: request.url.endswith("/tock") and asked.append(request.url))
        page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.away === true})")
        page.clock.install()
        page.goto(address + "/clock")
        for expected in (1, 2):
            with page.expect_response("**/tock"):
                page.clock.run_for(2_000)
            page.clock.run_for(100)
            assert len(asked) == expected
        page.evaluate("window.away = true; document.dispatchEvent(new Event('visibilitychange'))")
        page.clock.run_for(600_000)
        assert len(asked) == 2
        with page.expect_response("**/tock"):
            page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")

    def test_a_deadline_closes_by_itself(self, page: Any, address: str) -> None:
        page.goto(address + "/live")
        # Beside the region in which it is said aloud.
        page.locator("#tick ~ *").get_by_text("Closed at 5pm").wait_for()
        assert not page.get_by_text("The deadline is").is_visible()

    def test_focus_stays_with_the_button_that_moves(self, page: Any, address: str) -> None:
        page.goto(address + "/live")
        page.get_by_role("button", name="Move ‘Notice’ up").click()
        page.get_by_text("Notice, now 2 of 3").wait_for(state="attached")
        focused = "document.activeElement.textContent"
        assert page.evaluate(focused) == "Move ‘Notice’ up"
        page.keyboard.press("Enter")
        page.get_by_text("Notice, now 1 of 3").wait_for(state="attached")
        assert page.evaluate(focused) == "Move ‘Notice’ down"  # at the end, the other one

    def test_unsaved_words_are_not_lost_without_asking(self, page: Any, address: str) -> None:
        asked: list[str] = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        page.goto(address)
        page.goto(address + "/public")
        assert asked == []
        page.goto(address)
        page.get_by_label("Your news").fill("Words that nobody has saved")
        page.goto(address + "/public")
        assert asked == ["beforeunload"]
