"""What the mails about decisions say, worked out when the mail is made: facts from the tables, links to act by."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ... import dates
from ...db import db
from ...domain.calls.deadline import reading
from ...domain.calls.decisions import outcomes, replying
from ...domain.calls.decisions.outcomes import Decision
from ...i18n import gettext as _
from ...models import Contribution, Issue, Notice
from ...states import ContributionState
from ...tokens import Purpose
from .links import link, token_link

Values = dict[str, Any]
#: None says that the reason for the mail has gone.
Maker = Callable[[Notice, datetime], Values | None]
#: Where the button leads to: the text itself while it is to be changed, else the section that it became.
_PAGES: Mapping[Decision, str] = {
    Decision.ACCEPTED: "contribute.section",
    Decision.CHANGES: "contribute.kept",
    Decision.STAYS: "contribute.section",
}


def _outcome(decision: Decision) -> Maker:
    def made(notice: Notice, _now: datetime) -> Values | None:
        found = db.session.get(Contribution, notice.values.get("contribution", 0))
        if found is None:
            return None
        values = _about(found, notice)
        # One that was queued by an older version has a note, or not even that.
        values["words"] = values["words"] or outcomes.suggested(
            decision, found, actor=None, why=notice.values.get("note", "")
        )
        if decision in _PAGES:
            values["url"] = token_link(_PAGES[decision], Purpose.CONTRIBUTION, found.public_id)
        if decision is Decision.CHANGES:
            until = replying.reply_time(found)
            if until is None:
                return None
            values["until"] = until.words_with_zone
        return values

    return made


def _confirmation(notice: Notice, now: datetime) -> Values | None:
    """Asked once its section was edited; over when time has passed, or somebody changed their mind."""
    found = db.session.get(Contribution, notice.values.get("contribution", 0))
    if found is None or found.state is not ContributionState.ACCEPTED or found.confirmed_at is not None:
        return None
    if found.confirm_by is None or found.confirm_by <= now:
        return None
    zone = found.issue.mailing_list.timezone
    return {
        **_about(found, notice),
        "until": f"{dates.moment(found.confirm_by, zone)} ({dates.zone_words(zone)})",
        "url": token_link("contribute.section", Purpose.CONTRIBUTION, found.public_id),
    }


def _about(found: Contribution, notice: Notice) -> Values:
    issue = found.issue
    return {
        # To an address that nobody has proved goes no word that somebody else may have typed.
        "title": found.title if reading.is_proved(found) else _("Your news"),
        "reference": found.reference,
        "issue": _name(issue),
        "planned": dates.day(dates.local(issue.planned_at, issue.mailing_list.timezone)) if issue.planned_at else "",
        "words": notice.values.get("words", ""),
    }


def _out(notice: Notice, _now: datetime) -> Values | None:
    issue = db.session.get(Issue, notice.issue_id or 0)
    if issue is None:
        return None
    url = link("archive.issue", slug=issue.slug) if issue.mailing_list.public else ""
    return {"titles": notice.values.get("titles", []), "issue": _name(issue), "url": url}


def _name(issue: Issue) -> str:
    return f"{issue.mailing_list.name}, {issue.title}"


#: By template.
MAKERS: Mapping[str, Maker] = {
    **{decision.template: _outcome(decision) for decision in Decision},
    "contribution_confirm": _confirmation,
    "contribution_out": _out,
}
