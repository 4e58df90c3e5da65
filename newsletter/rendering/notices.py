"""Mails to one person: a folder of templates each, in the look of the issues, small and calm.

templates/email/notices/<name>/ holds subject.txt, body.txt and body.mjml. The words are fixed; what comes from
people is a value in them, escaped, and each template says in NOTICES which values it needs. Links are values too:
who composes a notice has made them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from newsletter.errors import NotFound
from newsletter.i18n import gettext, ngettext
from newsletter.resources import data_dir

from . import mjml, plain
from .palette import palette
from .styles import SANS, styles
from .templates import environment as issue_environment

_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL)
_BODY_OPENS = re.compile(r"<body[^>]*>")
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi", "ps", "ckb", "dv"})
_DEFAULT_ACCENT = "#0E5A63"


@dataclass(frozen=True)
class NoticeFrame:
    """What every notice says beside its own words.

    `publication` stands at the head (the list's name, or the organisation's); `reason` is the sentence at the
    foot that says why this came. `accent` is "#rrggbb", `language` a BCP 47 tag.
    """

    publication: str
    organisation: str
    address: str = ""
    contact_email: str = ""
    privacy_url: str = ""
    accent: str = _DEFAULT_ACCENT
    language: str = "en-GB"
    reason: str = ""


@dataclass(frozen=True)
class Needs:
    """The values of a template: those it cannot be written without, and those that may be missing or empty."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    version: int = 1


_ISSUE = ("title", "url")
_OUTCOME = ("title", "reference", "issue", "words")
#: What shows that an address is read by whoever wrote: a link, a code, until when.
_PROOF = ("prove_url", "code", "works_until")
#: Without what was sent where nobody has shown that it was sent from there.
_RECEIPT = Needs(
    ("reference", "issue"), ("title", "body", "deadline", "details", "pictures", "url", "notes", *_PROOF), version=3
)
_CALL = ("issue", "deadline", "url")
NOTICES: Mapping[str, Needs] = {
    "confirm_subscription": Needs(("lists", "works_until", "confirm_url", "not_me_url")),
    "confirm_reminder": Needs(("lists", "works_until", "confirm_url", "not_me_url")),
    "sign_up_flood": Needs(("what", "url"), ("name",)),
    "subscribers_exported": Needs(("who", "number", "whom", "list", "reason", "reference", "url"), ("name",)),
    "already_subscribed": Needs(("lists", "preferences_url")),
    "fresh_link": Needs(("data_url",)),
    "left_link": Needs(("list", "works_until", "rejoin_url")),
    "renewal_asked": Needs(("list", "renew_url", "unsubscribe_url", "preferences_url"), ("until",)),
    "renewal_reminder": Needs(("list", "renew_url", "unsubscribe_url", "preferences_url"), ("until",)),
    "address_change_link": Needs(("change_url",)),
    "confirm_new_address": Needs(("works_until", "confirm_url"), ("lists",)),
    "address_known": Needs(("preferences_url",)),
    "address_changed": Needs(("masked", "works_until", "undo_url")),
    "address_change_undone": Needs((), ("masked",)),
    "staff_invitation": Needs(("url",), ("by", "role", "works_until")),
    "password_reset_link": Needs(("url",), ("name", "works_until")),
    "account_changed": Needs(("what",), ("name", "when")),
    "contribution_receipt": _RECEIPT,
    "contribution_late": _RECEIPT,
    "contribution_not_taken": Needs(("reasons",), ("about", "url"), version=2),
    "contribution_accepted": Needs(_OUTCOME, ("planned", "url"), version=2),
    "contribution_declined": Needs(_OUTCOME, version=2),
    "contribution_changes_requested": Needs((*_OUTCOME, "until", "url")),
    "contribution_moved": Needs(_OUTCOME, ("planned",)),
    "contribution_merged": Needs(_OUTCOME),
    "contribution_merged_into": Needs(_OUTCOME),
    "contribution_reopened": Needs(_OUTCOME),
    "contribution_taken_out": Needs(_OUTCOME),
    "contribution_stays": Needs(_OUTCOME, ("url",)),
    "contribution_confirm": Needs((*_OUTCOME, "until", "url")),
    "contribution_out": Needs(("titles", "issue"), ("url",)),
    "sender_withdraws": Needs((*_ISSUE, "by", "about", "comment"), ("name",)),
    "sender_suggests": Needs((*_ISSUE, "by", "about", "comment"), ("name",)),
    "contributor_sign_in": Needs(_PROOF),
    "contributor_invitation": Needs(("prove_url", "works_until"), ("by", "agency", "code", "issue", "deadline")),
    "contributor_welcome": Needs(("url",), ("agency",)),
    "contributor_refused": Needs(("reason",)),
    "contributor_asked": Needs(("who", "words", "url"), ("name",)),
    "prove_address": Needs(("reference", "issue", *_PROOF), version=2),
    "call_invitation": Needs(_CALL, ("name", "nothing_url")),
    "call_reminder": Needs(_CALL, ("name", "nothing_url")),
    "call_last_call": Needs((*_CALL, "titles"), ("name",)),
    "call_moved": Needs(_CALL, ("name", "was", "titles", "is_in"), version=2),
    "call_closed": Needs((*_CALL, "titles"), ("name",)),
    "call_digest": Needs(("list", "lines", "url"), ("name",)),
    "more_time_asked": Needs((*_ISSUE, "who"), ("name", "reason", "wished")),
    "more_time_told": Needs((*_ISSUE, "who", "until"), ("name", "by")),
    "more_time_given": Needs(("issue", "until", "url"), ("name", "comment")),
    "more_time_ends": Needs(("issue", "until", "url"), ("name",)),
    "more_time_refused": Needs(("issue",), ("name", "comment")),
    "more_time_taken_back": Needs(("issue", "until"), ("name", "comment")),
    "approval_requested": Needs(_ISSUE, ("name", "by", "comment", "changes", "until")),
    "approval_returned": Needs(_ISSUE, ("name", "by", "comment")),
    "approval_ended": Needs((*_ISSUE, "reason"), ("name", "by")),
    "approval_reminder": Needs((*_ISSUE, "at"), ("name", "reason", "until")),
    "comment_mention": Needs((*_ISSUE, "by", "comment"), ("name", "about")),
    "draft_commented": Needs((*_ISSUE, "by", "comment"), ("name", "about")),
    "issue_approved": Needs(_ISSUE, ("name", "by", "comment")),
    "issue_scheduled": Needs(_ISSUE, ("name", "by", "at", "recipients")),
    "schedule_held": Needs(_ISSUE, ("name", "reason", "at")),
    "sending_started": Needs(_ISSUE, ("name", "recipients")),
    "sending_paused": Needs(_ISSUE, ("name", "reason", "by")),
    "sending_turned_away": Needs(_ISSUE, ("name", "reply", "reporter")),
    "trouble_began": Needs(("said", "what_to_do", "since", "url"), ("name",)),
    "trouble_over": Needs(("said", "since", "until", "url"), ("name",)),
    "sending_finished": Needs(
        _ISSUE,
        ("name", "recipients", "accepted", "refused", "unsure", "skipped", "deferred", "consent_head"),
        version=2,
    ),
}


def compose(template: str, values: Mapping[str, Any], frame: NoticeFrame) -> tuple[str, str, str]:
    """Subject, plain text and HTML of a notice.

    Raises NotFound for a name that is no notice's, ValueError where a value it needs is missing, Invalid where the
    HTML cannot be made.
    """
    needs = NOTICES.get(template)
    if needs is None:
        raise NotFound(f"There is no notice called {template}.")
    missing = [name for name in needs.required if values.get(name) in (None, "", [])]
    if missing:
        raise ValueError(f"The notice {template} needs {', '.join(missing)}")
    given = {**dict.fromkeys(needs.optional, ""), **values, "frame": frame}
    subject = subject_of(template, given)
    return subject, _text(template, given), _html(template, subject, given, frame)


def subject_of(template: str, values: Mapping[str, Any]) -> str:
    """The subject of a notice that is not written yet, for whoever looks at it before it goes."""
    return " ".join(_environment().get_template(f"notices/{template}/subject.txt").render(values).split())


def above_issue(text: str, html: str, issue_text: str, issue_html: str) -> tuple[str, str]:
    """A notice with a whole issue below it, as text and as HTML: both HTMLs are of one layout."""
    words = _BODY.search(html)
    joined = _BODY_OPENS.sub(lambda opens: opens[0] + (words[1] if words else ""), issue_html, count=1)
    return f"{text.rstrip()}\n\n\n{'=' * 72}\n\n{issue_text}", joined


def _text(template: str, given: dict[str, Any]) -> str:
    body = _environment().get_template(f"notices/{template}/body.txt").render(given)
    foot = _environment().get_template("notices/_foot.txt").render(given)
    return f"{_set(body)}\n\n-- \n{_set(foot)}\n"


def _set(text: str) -> str:
    """Paragraphs at the width of the text part; a line that is indented or holds an address stays as it is."""
    paragraphs = []
    for paragraph in "\n".join(map(str.rstrip, text.strip().splitlines())).split("\n\n"):
        if paragraph.strip():
            paragraphs.append("\n".join(_line(line) for line in paragraph.strip("\n").splitlines()))
    return "\n\n".join(paragraphs)


def _line(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    if line.lstrip().startswith("• "):
        return plain.wrap(line.lstrip()[2:], f"{indent}• ", f"{indent}  ")
    return plain.wrap(line, indent) if line.strip() else ""


def _html(template: str, subject: str, given: dict[str, Any], frame: NoticeFrame) -> str:
    colours = palette(frame.accent)
    start = "right" if frame.language.split("-")[0].lower() in _RIGHT_TO_LEFT else "left"
    direction = "rtl" if start == "right" else "ltr"
    look = {"c": colours.light, "d": colours.dark, "s": styles(colours.light, direction), "start": start}
    body = _environment().get_template(f"notices/{template}/body.mjml").render({**given, **look})
    whole = {**given, **look, "body": Markup(body)}  # noqa: S704 - escaped where it was rendered
    sheet = _environment().get_template("notices/_sheet.mjml").render(whole)
    source = (
        issue_environment()
        .get_template("layouts/issue.mjml")
        .render(
            lang=frame.language,
            dir=direction,
            title=subject,
            preheader="",
            c=colours.light,
            d=colours.dark,
            sans=SANS,
            start=start,
            groups=[{"own_ground": True, "source": Markup(sheet)}],  # noqa: S704 - our template, which has escaped
        )
    )
    return mjml.compile_mjml(source)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """Jinja over `templates/email`: MJML is escaped, plain text is not."""
    made = Environment(
        loader=FileSystemLoader(data_dir("templates/email")),
        autoescape=lambda name: name is not None and name.endswith(".mjml"),  # noqa: S701 - plain text stays plain
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    # Jinja's extension adds the method when it is loaded.
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]  # from an extension
    made.filters.update(issue_environment().filters)
    made.filters["number"] = lambda value: f"{int(value):,}"
    return made
