"""A tiny application that shows every part of the templates once."""

from datetime import UTC, datetime

from flask import Flask, Response, render_template, request
from flask_wtf import CSRFProtect, FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    FileField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from newsletter.states import ContributionState, DeliveryState, IssueState
from newsletter.web.markup import install_templates

PREVIEW = """<!DOCTYPE html><html lang="en-GB"><title>January 2027</title><body>
<h1>Larkmere partnership</h1><p data-block="b1">We will run four practice days in March.
<a href="/preview">Book</a></p></body></html>"""


class EveryField(FlaskForm):
    token = HiddenField()
    name = StringField("Your name", description="As it is printed with your news.")
    email = EmailField("Email address", validators=[DataRequired("Enter your email address")])
    phone = TelField("Phone number (optional)")
    password = PasswordField("Password")
    text = TextAreaField("Your news", validators=[Length(max=600, message="Use 600 characters or fewer")])
    closes = StringField("When does it close?", description="For example, 5pm, Friday 15 January 2027")
    agency = SelectField(
        "Agency", choices=[SelectChoice("c", "Larkmere council"), SelectChoice("p", "Larkmere police")]
    )
    when = RadioField(
        "When will it be ready?",
        choices=[SelectChoice("now", "It is ready now"), SelectChoice("mon", "By 5pm, Monday 18 January")],
        validators=[DataRequired("Choose when it will be ready")],
    )
    lists = SelectMultipleField(
        "What would you like?",
        choices=[SelectChoice("q", "The quarterly newsletter"), SelectChoice("p", "Policy changes")],
    )
    agree = BooleanField("I may share this", validators=[DataRequired("Say that you may share this")])
    picture = FileField("A picture (optional)")


def _context() -> dict[str, object]:
    counts = (1386, 42, 2751, 27, 6, 0, 6)
    words = ("not yet their turn", "being sent now", "by the mail server", "tried again later", "for good",
             "no answer came", "left since the freeze")  # fmt: skip
    return {
        "publication": "Larkmere partnership",
        "home_url": "/",
        "nav": [
            {"label": label, "url": f"#{label}", "current": label == "Issues"}
            for label in ("This quarter", "Issues", "Contributions", "Subscribers", "Mailbox", "Settings")
        ],
        "person": {"name": "Ruth Adeyemi"},
        "account_url": "#account",
        "sign_out_url": "#sign-out",
        "relay": {"local": True},
        "mailbox_url": "#mailbox",
        "help_url": "#help",
        "accessibility_url": "#accessibility",
        "privacy_url": "#privacy",
        "states": {"sending": IssueState.SENDING},
        "all_states": [*IssueState, *DeliveryState, *ContributionState],
        "stops": [
            {"name": "Call opened", "when": "Monday 14 December 2026", "done": True},
            {"name": "Deadline", "when": "5pm, Friday 15 January", "done": False},
            {"name": "Edit", "when": "until Friday 22 January", "done": False},
            {"name": "Approve", "when": "by Tuesday 26 January", "done": False},
            {"name": "Send", "when": "10am, Thursday 28 January", "done": False},
            {"name": "Next call", "when": "Monday 15 March", "done": False},
        ],
        "bar": [
            {"number": number, "kind": kind}
            for number, kind in ((2751, "good"), (12, "bad"), (42, "flight"), (27, "wait"))
        ],
        "seven": [
            {"number": number, "label": state.value.capitalize(), "explanation": explanation, "url": f"#{state}"}
            for number, state, explanation in zip(counts, DeliveryState, words, strict=True)
        ],
        "wants": [
            {"count": 1, "label": "Answer a request for more time", "url": "#time", "urgency": "now",
             "why": "Sam Okafor, Larkmere police, asks for until 5pm on Monday 18 January.", "when": "Today"},
            {"count": 2, "label": "Mend 2 things that stop the issue", "url": "#checks", "urgency": "bad",
             "why": "A contact has no email or phone.", "when": "Before approval"},
            {"count": 4, "label": "See who gets tomorrow’s reminder", "url": "#board", "urgency": "quiet",
             "why": "They are reminded by themselves at 9am.", "when": "Nothing to do"},
        ],
        "tasks_write": [
            {"label": "Content", "url": "#content", "hint": "8 sections.", "status": "incomplete"},
            {"label": "Subject and preview", "url": "#subject", "hint": "", "status": "completed"},
            {"label": "Checks", "url": "#checks", "hint": "2 things to mend.", "status": "problem"},
        ],
        "tasks_send": [
            {"label": "Approval", "url": None, "hint": "Mend the checks first.", "status": "cannot_start"},
        ],
        "events": [
            {"when": "10:06am", "instant": datetime(2027, 1, 28, 10, 6, tzinfo=UTC), "quote": "", "kind": "now",
             "what": "dunmere.example.org asked us to slow down", "more": "27 people are tried again from 10:17am."},
            {"when": "10am", "instant": None, "what": "Sending began", "more": "", "kind": "",
             "quote": "“The partnership uses your address to send what you tick.”"},
        ],
        "by_state": [
            {"label": "All", "count": 4230, "url": "#all", "current": False},
            {"label": "Subscribed", "count": 4218, "url": "#in", "current": True},
            {"label": "To confirm", "count": 12, "url": "#wait", "current": False},
        ],
        "choice_hints": {"q": "January, April, July and October.", "p": "About ten emails a year."},
        "preview_url": "/preview",
    }  # fmt: skip


def make_app(accent: str = "") -> Flask:
    """GET shows the parts; POST validates the form and shows what is wrong; /preview is a mail."""
    app = Flask("component_app")
    app.config.update(SECRET_KEY="only for these tests")
    CSRFProtect(app)
    install_templates(app)

    @app.route("/", methods=["GET", "POST"])
    def show() -> tuple[str, int]:
        form = EveryField()
        status = 200
        if request.method == "POST" and not form.validate():
            status = 422
        return render_template("base/components.html", form=form, accent=accent, **_context()), status

    @app.get("/public")
    def public() -> tuple[str, int]:
        page = render_template(
            "base/error.html",
            heading="This link has been used",
            sentence="Ask for a new one, and use it within an hour.",
            way_on={"url": "/", "label": "Ask for a new link"},
            reference="7F3K",
            publication="Larkmere partnership",
            archive_url="#archive",
            publisher="the Larkmere partnership",
            contact_email="news@larkmere.example.org",
            privacy_url="#privacy",
            accessibility_url="#accessibility",
        )
        return page, 410

    @app.get("/preview")
    def preview() -> str:
        return PREVIEW

    @app.after_request
    def strict(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
        )
        return response

    return app
