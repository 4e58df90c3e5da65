"""What a page about a send says: the counts, the bar, the story. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from newsletter import dates
from newsletter.delivery import accounts
from newsletter.delivery.accounts import Counts
from newsletter.domain.issues.approving import current_approval
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Activity, Issue
from newsletter.states import DeliveryState, IssueState, SkipReason
from newsletter.web.tags import tag_of

EXPLAINED = {
    DeliveryState.QUEUED: _("not yet their turn"),
    DeliveryState.CLAIMED: _("their turn now"),
    DeliveryState.ACCEPTED: _("by the mail server"),
    DeliveryState.DEFERRED: _("tried again later"),
    DeliveryState.REFUSED: _("for good"),
    DeliveryState.UNSURE: _("no answer came"),
    DeliveryState.SKIPPED: _("got nothing"),
}
_MEANING = {
    DeliveryState.ACCEPTED: _("Their mail server took it."),
    DeliveryState.REFUSED: _("Their mail server will not take it. It is not tried again for this issue."),
    DeliveryState.UNSURE: _("The mail left and no answer came. It is never sent again by itself."),
    DeliveryState.DEFERRED: _("Their mail server asked us to wait. It is tried again by itself, for five days."),
}
SKIPPED_WORDS = {
    SkipReason.LEFT: _("left after the list was frozen"),
    SkipReason.PAUSED: _("had paused their mail"),
    SkipReason.SUPPRESSED: _("are on the list of addresses that get no mail"),
    SkipReason.ERASED: _("were erased"),
    SkipReason.TEAM_ONLY: _("are not staff, and this installation sends to the team only"),
    SkipReason.CANCELLED: _("were still to come when it was cancelled"),
}
_SECOND = 1.0


@dataclass(frozen=True)
class Progress:
    """A send at one instant."""

    counts: Counts
    heading: str
    pace: str
    bar: list[dict[str, Any]]
    bar_words: str
    seven: list[dict[str, Any]]
    quarter: int


def progress(issue: Issue, now: datetime) -> Progress:
    """How far it is."""
    counts = accounts.counts(issue)
    total = max(1, counts.recipients)
    return Progress(
        counts=counts,
        heading=_("{accepted} of {total} accepted by the mail server").format(
            accepted=f"{counts.accepted:,}", total=f"{counts.recipients:,}"
        ),
        pace=_pace(issue, now),
        bar=[
            {"number": counts.accepted, "kind": "good"},
            {"number": counts.refused + counts.unsure + counts.skipped, "kind": "bad"},
            {"number": counts.claimed, "kind": "flight"},
            {"number": counts.deferred, "kind": "wait"},
        ],
        bar_words=_bar_words(counts, total),
        seven=[_count(issue, state, counts) for state in DeliveryState],
        quarter=counts.done * 4 // total * 25,
    )


def _count(issue: Issue, state: DeliveryState, counts: Counts) -> dict[str, Any]:
    return {
        "number": getattr(counts, state.value),
        "label": _("Deferred") if state is DeliveryState.DEFERRED else tag_of(state).text,
        "explanation": EXPLAINED[state],
        "url": url_for("editor.issue_recipients", slug=issue.slug, state=state.value),
    }


def _bar_words(counts: Counts, total: int) -> str:
    return _(
        "{part} in 100 are finished: {accepted} accepted, {out} refused, unsure or skipped, {under_way} under way or "
        "tried again later"
    ).format(
        part=counts.done * 100 // total,
        accepted=f"{counts.accepted:,}",
        out=f"{counts.refused + counts.unsure + counts.skipped:,}",
        under_way=f"{counts.claimed + counts.deferred:,}",
    )


def _pace(issue: Issue, now: datetime) -> str:
    """How fast it goes and how long it takes, or why it does not go."""
    if issue.state is IssueState.PAUSED:
        return _("Nothing leaves until you resume it. Nothing is lost, and nobody gets it twice.")
    if issue.state is not IssueState.SENDING:
        return ""
    rate = accounts.rate(issue, now)
    if not rate.per_second:
        return _("Waiting for the mail server. You can close this page: sending goes on.")
    speed = f"{rate.per_second:,.0f}" if rate.per_second >= _SECOND else f"{rate.per_second:.1f}"
    words = _("{speed} a second.").format(speed=speed)
    if rate.time_left is not None:
        left = dates.in_words(rate.time_left.total_seconds())
        words += " " + _("{time} left.").format(time=left[:1].upper() + left[1:])
    return words + " " + _("You can close this page: sending goes on.")


# --- the report --------------------------------------------------------------------------------------------------


def report_rows(issue: Issue, counts: Counts) -> list[dict[str, Any]]:
    """The accounts, to the last person, with what each state means and the reasons behind it."""
    rows = [
        _row(issue, state, counts, _MEANING[state], _reasons(issue, state) if getattr(counts, state.value) else "")
        for state in (DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.UNSURE)
    ]
    rows.append(_row(issue, DeliveryState.SKIPPED, counts, _skipped(issue) or _("Nobody was skipped."), ""))
    if counts.deferred:
        more = _reasons(issue, DeliveryState.DEFERRED)
        rows.append(_row(issue, DeliveryState.DEFERRED, counts, _MEANING[DeliveryState.DEFERRED], more))
    left = counts.queued + counts.claimed + (0 if counts.deferred else counts.deferred)
    rows.append(
        {
            "label": _("Queued, being sent") if counts.deferred else _("Queued, being sent, deferred"),
            "number": left,
            "meaning": _("Nothing is left over.") if not left else _("These are still to come."),
            "more": "",
            "url": "",
        }
    )
    return rows


def _row(issue: Issue, state: DeliveryState, counts: Counts, meaning: str, more: str) -> dict[str, Any]:
    number = getattr(counts, state.value)
    url = url_for("editor.issue_recipients", slug=issue.slug, state=state.value) if number else ""
    return {"label": tag_of(state).text, "number": number, "meaning": meaning, "more": more, "url": url}


def _reasons(issue: Issue, state: DeliveryState) -> str:
    """ "8: No such mailbox. 2: Mailbox full.", in the mail server's words."""
    if state is DeliveryState.ACCEPTED:
        return ""
    found = [each for each in accounts.reasons(issue, state, limit=5) if each.words]
    words = _("{people}: “{words}”.")
    return " ".join(words.format(people=each.people, words=each.words.rstrip(".")) for each in found)


def _skipped(issue: Issue) -> str:
    found = accounts.skipped(issue)
    return ", ".join(f"{people:,} {SKIPPED_WORDS[reason]}" for reason, people in sorted(found.items())) + (
        "." if found else ""
    )


def sent_words(issue: Issue) -> str:
    """ "Sent from 10am to 10:18am, Thursday 28 January 2027, as approved by Ewan Marsh."."""
    zone = issue.mailing_list.timezone
    approval = current_approval(issue)
    if not issue.started_at:
        return ""
    start = dates.local(issue.started_at, zone)
    ended = issue.sent_at or issue.cancelled_at
    end = dates.local(ended, zone) if ended else start
    first, last = (each.replace(second=0, microsecond=0) for each in (start, end))
    if not issue.sent_at:
        words = _("Stopped at {when}").format(when=dates.moment(end, zone))
    elif first == last:
        words = _("Sent at {when}").format(when=dates.moment(start, zone))
    else:
        words = _("Sent from {span}").format(span=dates.span(first, last))
    return words + (_(", as approved by {name}.").format(name=approval.approver_name) if approval else ".")


# --- the story ---------------------------------------------------------------------------------------------------


def story(issue: Issue, events: Sequence[Activity]) -> list[dict[str, Any]]:
    """What happened, newest first, in plain words; what nobody needs to read is left out."""
    zone = issue.mailing_list.timezone
    told = []
    for event in events:
        words = _event(event)
        if words is None:
            continue
        what, more, kind = words
        told.append(
            {
                "when": dates.moment(event.at, zone),
                "instant": event.at,
                "what": what,
                "more": more,
                "quote": "",
                "kind": kind,
            }
        )
    return told


#: Each line of the record: its words, and whether it is told loudly or quietly. What is not here is not told.
_EVENTS: Mapping[str, tuple[str, str]] = {
    "issue.sending_started": (_("Sending began"), ""),
    "issue.sent": (_("Everybody has had their turn"), ""),
    "issue.paused": (_("Sending was paused"), "now"),
    "issue.resumed": (_("Sending was resumed"), ""),
    "issue.sending_cancelled": (_("The rest was cancelled"), "now"),
    "issue.deferred_retried": (_("Those who were put off are tried again"), ""),
    "issue.retries_postponed": (_("The mail server asked us to wait"), "now"),
    "delivery.sent_again": (_("An unsure one was sent again"), "quiet"),
    "delivery.left": (_("An unsure one was left as it is"), "quiet"),
    "issue.scheduled": (_("It was scheduled"), "quiet"),
    "issue.approved": (_("It was approved"), "quiet"),
    "issue.schedule_held": (_("It was held"), "now"),
    "issue.held": (_("It was held"), "now"),
}


def _event(event: Activity) -> tuple[str, str, str] | None:
    """What, more of it, and how loudly; None for what nobody needs to read."""
    if event.action not in _EVENTS:
        return None
    what, kind = _EVENTS[event.action]
    detail = event.detail or {}
    if event.action == "issue.sending_started":
        number = int(detail.get("recipients", 0))
        words = ngettext("The list was frozen: %(number)s person.", "The list was frozen: %(number)s people.", number)
        return what, words % {"number": f"{number:,}"}, kind
    reason = str(detail.get("reason") or detail.get("why") or "")
    by = _("By {name}.").format(name=event.actor_name) if event.actor_id else ""
    return what, " ".join(filter(None, (reason, by))), kind
