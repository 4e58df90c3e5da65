"""What the page of a send that goes on says: the counts, the bar, the pace, the story. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, url_for

from newsletter import addresses, dates
from newsletter.config import current_settings
from newsletter.delivery.pace.budget import RelayBudget
from newsletter.delivery.reports import accounts
from newsletter.delivery.reports.accounts import Counts
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Activity, Issue
from newsletter.states import DeliveryState, IssueState
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
#: How many lines of the story are told.
EVENTS = 12
_SECOND = 1.0
#: A shorter wait is the pace itself.
_WORTH_SAYING_SECONDS = 90.0


@dataclass(frozen=True)
class Progress:
    """A send at one instant. `waiting` says what is to be done about those put off or unsure, "" if nothing is."""

    counts: Counts
    heading: str
    pace: str
    waiting: str
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
        heading=heading(counts),
        pace=_pace(issue, now),
        waiting=_waiting(issue, counts),
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


def heading(counts: Counts) -> str:
    """ "692 of 700 accepted by the mail server": what can be known, and no more."""
    return _("{accepted} of {total} accepted by the mail server").format(
        accepted=f"{counts.accepted:,}", total=f"{counts.recipients:,}"
    )


def _count(issue: Issue, state: DeliveryState, counts: Counts) -> dict[str, Any]:
    return {
        "id": f"count-{state.value}",
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
        return _("Nothing leaves until it is resumed.")
    if issue.state is not IssueState.SENDING:
        return ""
    rate = accounts.rate(issue, now)
    if limit := _limit(issue, now):
        return f"{limit} {_('You can close this page.')}"
    if not rate.per_second:
        return _("Waiting for the mail server. You can close this page: sending goes on.")
    speed = f"{rate.per_second:,.0f}" if rate.per_second >= _SECOND else f"{rate.per_second:.1f}"
    words = _("{speed} a second.").format(speed=speed)
    if rate.time_left is not None:
        left = dates.in_words(rate.time_left.total_seconds())
        words += " " + _("{time} left.").format(time=left[:1].upper() + left[1:])
    return words + " " + _("You can close this page: sending goes on.")


def _limit(issue: Issue, now: datetime) -> str:
    """When it goes on, while the mail server has had as many as it takes in an hour or a day; "" otherwise."""
    settings = current_settings()
    seconds = RelayBudget(current_app.extensions["newsletter_relay"].name, settings).seconds_until_more()
    if seconds < _WORTH_SAYING_SECONDS:
        return ""
    # To the next whole minute: before that nothing leaves.
    at = (now + timedelta(seconds=seconds + 59)).replace(second=0, microsecond=0)
    limits = [
        words.format(number=f"{number:,}")
        for number, words in (
            (settings.relay_per_hour, _("{number} an hour")),
            (settings.relay_per_day, _("{number} a day")),
        )
        if number
    ]
    return _("The mail server takes no more for now ({limits}). It goes on at {when}.").format(
        limits=", ".join(limits), when=dates.moment(at, issue.mailing_list.timezone)
    )


def _waiting(issue: Issue, counts: Counts) -> str:
    """What those who were put off, or are unsure, wait for."""
    words = ""
    if counts.deferred and (at := accounts.next_retry(issue)):
        when = dates.moment(at, issue.mailing_list.timezone)
        words = ngettext(
            "%(number)s person was put off and is tried again at %(when)s.",
            "%(number)s people were put off; the first is tried again at %(when)s.",
            counts.deferred,
        ) % {"number": f"{counts.deferred:,}", "when": when}
    if counts.unsure:
        unsure = ngettext(
            "%(number)s is unsure; you can decide about it at any time.",
            "%(number)s are unsure; you can decide about them at any time.",
            counts.unsure,
        )
        words = f"{words} {unsure % {'number': f'{counts.unsure:,}'}}".strip()
    return words


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
    "issue.turned_away": (_("A mail system turned it away"), "now"),
    "issue.deliveries_aggregated": (_("Its single deliveries were given up for their totals"), "quiet"),
    "delivery.evidently_taken": (_("Something came back about an unsure one, so it was taken"), "quiet"),
    "delivery.sent_again": (_("What was unsure was sent again"), "quiet"),
    "delivery.left": (_("What was unsure was left as it is"), "quiet"),
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
    # A mail server may quote whom it was asked about; the story is read by people who see no addresses.
    reason = addresses.mask_within(str(detail.get("reason") or detail.get("why") or ""))
    by = _("By {name}.").format(name=event.actor_name) if event.actor_id else ""
    return what, " ".join(filter(None, (reason, _people(detail), by))), kind


def _people(detail: Mapping[str, Any]) -> str:
    """How many it was done to, where the record says so."""
    number = detail.get("people")
    if not isinstance(number, int):
        return ""
    return ngettext("%(number)s person.", "%(number)s people.", number) % {"number": f"{number:,}"}
