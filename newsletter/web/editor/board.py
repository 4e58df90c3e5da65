"""The board of a call: agency by agency (or person by person) who is in, and what to do about who is not."""

from datetime import datetime
from typing import Any

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock, dates
from newsletter.db import transaction
from newsletter.domain.calls.deadline import reading
from newsletter.domain.calls.reminding import answering, board, chasing, extending, extension_mails, opening
from newsletter.domain.calls.reminding.board import Board, Row, key_of
from newsletter.domain.calls.reminding.chase_rows import ASKING
from newsletter.domain.calls.reminding.concerned import Standing
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import NotFound, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Issue
from newsletter.states import ChaseKind, ExtensionState
from newsletter.web.access import signed_in_account, staff

from .room import blueprint, can, find_issue, page, to

#: By standing: the lane's name and its colour.
_LANES = {
    Standing.IN: (_("Sent in"), "good"),
    Standing.WRITING: (_("Writing"), "now"),
    Standing.NOTHING: (_("Nothing this time"), "blue"),
    Standing.SILENT: (_("Nothing yet"), ""),
}
_SENT = {
    ChaseKind.INVITATION: _("Invited {day}"),
    ChaseKind.REMINDER: _("Reminded {day}"),
    ChaseKind.LAST_CALL: _("Reminded of the draft {day}"),
    ChaseKind.MOVED: _("Told the new deadline {day}"),
    ChaseKind.CLOSED: _("Told that the call is closed {day}"),
    ChaseKind.EXTENSION_ENDS: _("Reminded that their time ends {day}"),
}


@blueprint.get("/desk/issues/<slug>/call")
@staff(Permission.VIEW_ISSUES)
def call(slug: str) -> tuple[str, int]:
    """The board; what can be done there is for those who decide on contributions."""
    issue, now = find_issue(slug), clock.now()
    if not issue.has_call:
        raise NotFound(_("{issue} has no call for news.").format(issue=issue.title))
    found = board.board(issue)
    reminder = chasing.next_reminder(issue, now)
    deadline = issue.deadline
    return page(
        "board.html",
        issue=issue,
        heading=_heading(issue, found),
        lanes=[
            {"name": name, "colour": colour, "rows": [_shown(row, issue, now) for row in found.lane(standing)]}
            for standing, (name, colour) in _LANES.items()
            if standing is not Standing.NOTHING or issue.mailing_list.uses_agencies
        ],
        rows=found.rows,
        is_open=deadline is not None and deadline.is_open(now),
        opened=issue.call_opened_at is not None,
        to_invite=len(opening.to_invite(issue)),
        why_not=opening.why_not(issue, now),
        waiting=len(reading.undecided(issue)),
        drafts=reading.drafts(issue),
        reminder=dates.day(reminder) if reminder else "",
        may_act=can(Permission.TRIAGE_CONTRIBUTIONS, issue),
        **_times(issue),
    )


def _heading(issue: Issue, found: Board) -> str:
    total, there = len(found.rows), len(found.lane(Standing.IN))
    if not total:
        return _("The call for {issue}").format(issue=issue.title)
    if issue.mailing_list.uses_agencies and any(row.party.agency for row in found.rows):
        words = ngettext("News from %(there)s of %(total)s agency", "News from %(there)s of %(total)s agencies", total)
    else:
        words = ngettext("News from %(there)s of %(total)s person", "News from %(there)s of %(total)s people", total)
    return words % {"there": there, "total": total}


def _times(issue: Issue) -> dict[str, Any]:
    """Questions for more time that wait, and more time that somebody has."""
    found = extending.extensions_of(issue)
    return {
        "asks": [(one, extension_mails.holder(one)) for one in found if one.state is ExtensionState.ASKED],
        "given": [
            (one, extension_mails.holder(one))
            for one in found
            if one.state in (ExtensionState.GRANTED, ExtensionState.USED)
        ],
    }


def _shown(row: Row, issue: Issue, now: datetime) -> dict[str, Any]:
    """A row of a lane: its name, a few small lines, and its one act."""
    zone = issue.mailing_list.timezone
    lines = []
    if row.sent:
        lines.append(_and_more([one.title for one in row.sent]))
    if row.standing is Standing.IN and row.waits:
        lines.append(_("{number} to read").format(number=len(row.waits)))
    if row.late:
        lines.append(_("Came after the deadline"))
    if row.standing is not Standing.IN and row.drafts:
        lines.append(ngettext("%(num)s draft", "%(num)s drafts", row.drafts) % {"num": row.drafts})
    if row.asks is not None:
        lines.append(_("Asks for more time"))
    elif row.has is not None and row.has.deadline is not None:
        lines.append(_("Has until {when}").format(when=row.has.deadline.words))
    if row.standing in (Standing.SILENT, Standing.WRITING) and (issue.call_opened_at or not row.party.people):
        lines += _mailed(row, zone)
    return {
        "key": key_of(row.party),
        "name": row.name,
        "lines": lines,
        "asks": row.asks,
        "remind": _can_be_reminded(row, zone, now),
    }


def _can_be_reminded(row: Row, zone: str, now: datetime) -> bool:
    """Not whoever is in, has time of their own, or was written to today."""
    return _is_awaited(row) and not _was_asked_today(row, zone, now)


def _is_awaited(row: Row) -> bool:
    awaited = row.standing in (Standing.SILENT, Standing.WRITING)
    return awaited and row.has is None and bool(row.party.people)


def _was_asked_today(row: Row, zone: str, now: datetime) -> bool:
    today = dates.local(now, zone).date()
    return any(dates.local(mail.at, zone).date() == today for mail in row.mailed if mail.kind in ASKING)


def _mailed(row: Row, zone: str) -> list[str]:
    if not row.party.people:
        return [_("Nobody is invited there yet")]
    day = [(mail.kind, dates.short_day(dates.local(mail.at, zone).date(), year=False)) for mail in row.mailed]
    return [_SENT[kind].format(day=words) for kind, words in day if kind in _SENT] or [_("Nothing was sent to them")]


def _and_more(titles: list[str]) -> str:
    if len(titles) == 1:
        return titles[0]
    return _("{title}, and {number} more").format(title=titles[0], number=len(titles) - 1)


# --- opening it --------------------------------------------------------------------------------------------------


@blueprint.route("/desk/issues/<slug>/call/open", methods=["GET", "POST"])
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def call_open(slug: str) -> Response | tuple[str, int]:
    """Whom opening the call writes to, and the button; later, the same for those who are not invited yet."""
    issue, now = find_issue(slug, Permission.TRIAGE_CONTRIBUTIONS), clock.now()
    problem = opening.why_not(issue, now)
    if request.method == "POST":
        try:
            with transaction():
                invited = opening.open_the_call(issue, actor=signed_in_account(), now=now)
            words = ngettext(
                "The call is open. %(num)s person is invited.", "The call is open. %(num)s people are invited.", invited
            )
            flash(words % {"num": invited}, "success")
            return to("call", slug=slug)
        except Refused as error:
            problem = str(error)
    return page(
        "call_open.html",
        issue=issue,
        people=opening.to_invite(issue),
        problem=problem,
        opened=issue.call_opened_at is not None,
        reminders=[dates.day(day) for _number, day in chasing.reminder_days(issue) if day > now.date()],
        status=422 if problem and request.method == "POST" else 200,
    )


# --- one agency, or one person -----------------------------------------------------------------------------------


@blueprint.get("/desk/issues/<slug>/call/with/<uuid:key>")
@staff(Permission.VIEW_ISSUES)
def call_party(slug: str, key: str) -> tuple[str, int]:
    """Everything about one row: its people, what they were sent and when, what can be done for them."""
    issue, now = find_issue(slug), clock.now()
    row = _row(issue, key)
    zone = issue.mailing_list.timezone
    awaited = _is_awaited(row) and issue.deadline is not None and issue.deadline.is_open(now)
    asked_today = _was_asked_today(row, zone, now)
    return page(
        "board_party.html",
        issue=issue,
        row=row,
        key=key,
        story=[
            {
                "what": _SENT[mail.kind].format(day="").strip(),
                "when": dates.moment(mail.at, zone),
                "instant": mail.at,
                "more": ngettext("To %(num)s person.", "To %(num)s people.", mail.people) % {"num": mail.people},
                "quote": "",
                "kind": "",
            }
            for mail in reversed(row.mailed)
            if mail.kind in _SENT
        ],
        remind=awaited and not asked_today,
        tomorrow=awaited and asked_today,
        closed=issue.state in reading.CLOSED,
        may_act=can(Permission.TRIAGE_CONTRIBUTIONS, issue),
    )


@blueprint.post("/desk/issues/<slug>/call/remind/<uuid:key>")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def call_remind(slug: str, key: str) -> Response:
    """Remind them now; once a day."""
    issue = find_issue(slug, Permission.TRIAGE_CONTRIBUTIONS)
    row = _row(issue, key)
    try:
        with transaction():
            sent = chasing.remind_now(issue, row.party, actor=signed_in_account(), now=clock.now())
        words = ngettext("%(num)s reminder goes to %(name)s.", "%(num)s reminders go to %(name)s.", sent)
        flash(words % {"num": sent, "name": row.name}, "success")
    except Refused as error:
        flash(str(error), "problem")
    return to("call", slug=slug)


@blueprint.post("/desk/issues/<slug>/call/nothing/<uuid:key>")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def call_nothing(slug: str, key: str) -> Response:
    """They have nothing this time, or, with `undo`, may have something after all."""
    issue = find_issue(slug, Permission.TRIAGE_CONTRIBUTIONS)
    row, now, actor = _row(issue, key), clock.now(), signed_in_account()
    try:
        with transaction():
            if request.form.get("undo"):
                answering.take_back(issue, row.party.answerer, actor=actor, now=now)
                said = _("{name} is reminded again.").format(name=row.name)
            else:
                answering.say_nothing(issue, row.party.answerer, actor=actor, now=now)
                said = _("{name} has nothing this time, and is not reminded any more.").format(name=row.name)
        flash(said, "success")
    except Refused as error:
        flash(str(error), "problem")
    return to("call", slug=slug)


def _row(issue: Issue, key: object) -> Row:
    found = board.find_row(board.board(issue), str(key))
    if found is None:
        raise NotFound(_("They do not send in news here any more."))
    return found
