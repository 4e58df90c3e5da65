"""What the page of a report says: the accounts with their reasons, what came back, the charts. Reads only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import url_for

from newsletter import dates
from newsletter.config import current_settings
from newsletter.delivery.reports import rates
from newsletter.delivery.reports.accounts import Counts
from newsletter.delivery.reports.reasons import plain
from newsletter.delivery.reports.report import REFRESHED_FOR, Report
from newsletter.delivery.reports.report_figures import Cause, Series
from newsletter.domain.issues.approving import current_approval
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Issue
from newsletter.states import DeliveryState, SkipReason
from newsletter.web.tags import tag_of

from .charts import Chart, bar_chart

_DAY = 86_400
#: A send of a moment is told in a sentence; three bars are no picture.
_FEWEST_BARS = 6
_MEANING = {
    DeliveryState.ACCEPTED: _("Their mail server took it."),
    DeliveryState.REFUSED: _("Their mail server will not take it. It is not tried again for this issue."),
    DeliveryState.UNSURE: _("The mail left and no answer came. It is never sent again by itself."),
    DeliveryState.SKIPPED: _("They got nothing, and why:"),
    DeliveryState.DEFERRED: _("Their mail server asked us to wait. It is tried again by itself, for five days."),
    DeliveryState.CLAIMED: _("It is their turn at this moment."),
    DeliveryState.QUEUED: _("Their turn is still to come."),
}
SKIPPED_WORDS = {
    SkipReason.LEFT: _("left after the list was frozen"),
    SkipReason.PAUSED: _("had paused their mail"),
    SkipReason.SUPPRESSED: _("are on the list of addresses that get no mail"),
    SkipReason.ERASED: _("were erased"),
    SkipReason.TEAM_ONLY: _("are not staff, and this installation sends to the team only"),
    SkipReason.CANCELLED: _("were still to come when it was cancelled"),
}
_ORDER = (
    DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.UNSURE, DeliveryState.SKIPPED, DeliveryState.DEFERRED,
    DeliveryState.CLAIMED, DeliveryState.QUEUED,
)  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """Why, in plain words; `replies` are what mail servers said, each with how many got it."""

    words: str
    people: int
    replies: list[tuple[str, int]]


def account_rows(issue: Issue, report: Report, counts: Counts, *, people_kept: bool) -> list[dict[str, Any]]:
    """The accounts, to the last person: each state, what it means, and the reasons behind it.

    Of a state nobody is in only the meaning is said. Without `people_kept` no number leads to the people.
    """
    rows = []
    for state in _ORDER:
        number = getattr(counts, state.value)
        leads = number and people_kept
        rows.append(
            {
                "label": tag_of(state).text,
                "number": number,
                "meaning": _MEANING[state]
                if number or state is not DeliveryState.SKIPPED
                else _("Nobody was skipped."),
                "reasons": _reasons(state, report) if number else [],
                "url": url_for("editor.issue_recipients", slug=issue.slug, state=state.value) if leads else "",
            }
        )
    return rows


def _reasons(state: DeliveryState, report: Report) -> list[Reason]:
    match state:
        case DeliveryState.REFUSED:
            return _causes(report.refused)
        case DeliveryState.DEFERRED:
            return _causes(report.deferred)
        case DeliveryState.SKIPPED:
            found = sorted(report.skipped.items(), key=lambda each: -each[1])
            return [Reason(SKIPPED_WORDS[SkipReason(reason)], people, []) for reason, people in found]
    return []


def _causes(causes: tuple[Cause, ...]) -> list[Reason]:
    """Replies that mean the same are one reason; the most frequent comes first."""
    found: dict[str, Reason] = {}
    for cause in causes:
        words = plain(cause.code, cause.enhanced, cause.reply)
        before = found.get(words, Reason(words, 0, []))
        replies = [*before.replies, (cause.reply, cause.people)] if cause.reply else before.replies
        found[words] = Reason(words, before.people + cause.people, replies)
    return sorted(found.values(), key=lambda reason: -reason.people)


def sent_words(issue: Issue) -> str:
    """ "Sent from 10am to 10:18am, Thursday 28 January 2027, as approved by Ewan Marsh. It took about 18 minutes."."""
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
    words += _(", as approved by {name}.").format(name=approval.approver_name) if approval else "."
    return words + " " + _("It took {time}.").format(time=dates.in_words((end - start).total_seconds()))


# --- what came back ----------------------------------------------------------------------------------------------


def measures(report: Report) -> list[dict[str, Any]]:
    """Bounces and complaints, each as a number, a share and what that means."""
    accepted = report.counts[DeliveryState.ACCEPTED]
    bounced = rates.bounces(report.came_back["bounced"], accepted)
    complained = rates.complaints(report.came_back["complaint"], accepted)
    return [
        {"label": _("Bounced after being accepted"), "measure": bounced, "more": _bounce_kinds(report.came_back)},
        {"label": _("Called it spam"), "measure": complained, "more": ""},
    ]


def _bounce_kinds(came_back: Mapping[str, int]) -> str:
    kinds = (
        ("hard", _("{number} for good: there is no such mailbox")),
        ("soft", _("{number} not this time: full, or not to be reached")),
        ("policy", _("{number} turned away by a rule")),
    )
    return "; ".join(words.format(number=came_back[kind]) for kind, words in kinds if came_back[kind])


def hears_of_bounces() -> bool:
    """Whether this installation reads what comes back; otherwise "none" only means that nobody looked."""
    return current_settings().inbound_url is not None


def freshness(report: Report, ended: datetime | None, zone: str) -> str:
    """As of when the figures are, and whether they are still made anew."""
    words = _("As of {when}.").format(when=dates.moment(report.made_at, zone))
    if ended is not None and report.made_at < ended + REFRESHED_FOR:
        words += " " + _("Made anew every hour for a week.")
    return words


# --- the charts --------------------------------------------------------------------------------------------------


def charts(report: Report, zone: str) -> dict[str, Chart | None]:
    """The two charts, None where there is nothing to draw: all was over within a minute, or nobody left."""
    return {
        "accepted": _accepted_chart(report, zone) if len(report.accepted.numbers) >= _FEWEST_BARS else None,
        "left": _left_chart(report, zone) if report.unsubscribed.total else None,
    }


def _accepted_chart(report: Report, zone: str) -> Chart:
    series = report.accepted
    most = max(series.numbers)
    busiest = series.start + timedelta(seconds=series.numbers.index(most) * series.seconds)
    sentence = _("{total} were accepted while it was sent; the most, {most}, in the {step} from {when}.").format(
        total=f"{series.total:,}",
        most=f"{most:,}",
        step=_step_words(series.seconds),
        when=_moment(series, zone)(busiest),
    )
    if report.accepted_later:
        later = ngettext(
            "%(number)s more was accepted later, after being put off.",
            "%(number)s more were accepted later, after being put off.",
            report.accepted_later,
        )
        sentence += " " + later % {"number": f"{report.accepted_later:,}"}
    title = _("Accepted in each {step}").format(step=_step_words(series.seconds))
    short = _label(series, zone)
    return bar_chart("chart-accepted", title, sentence, series, label=short, row=_moment(series, zone))


def _left_chart(report: Report, zone: str) -> Chart:
    series = report.unsubscribed
    first_day = sum(series.numbers[:24])
    number = ngettext("%(number)s person left the list", "%(number)s people left the list", series.total)
    sentence = _("{people} since it was sent, {first_day} of them in the first 24 hours.").format(
        people=number % {"number": f"{series.total:,}"}, first_day=f"{first_day:,}"
    )
    return bar_chart(
        "chart-left", _("Unsubscribed in each hour"), sentence, series, label=_label(series, zone),
        row=lambda at: dates.moment(at, zone),
    )  # fmt: skip


def _step_words(seconds: int) -> str:
    return {
        10: _("ten seconds"),
        30: _("half minute"),
        60: _("minute"),
        300: _("five minutes"),
        900: _("quarter of an hour"),
        3_600: _("hour"),
        14_400: _("four hours"),
        _DAY: _("day"),
    }[seconds]


def _moment(series: Series, zone: str) -> Callable[[datetime], str]:
    """Names the start of one of the numbers: with seconds where they are shorter than a minute."""

    def words(at: datetime) -> str:
        local = dates.local(at, zone)
        if series.seconds < 60 and local.second:
            return _("{minute} and {seconds} seconds").format(minute=dates.clock_time(local), seconds=local.second)
        return dates.clock_time(local) if _one_day(series, zone) else dates.moment(at, zone)

    return words


def _label(series: Series, zone: str) -> Callable[[datetime], str]:
    """The same in few letters, for below the bars."""

    def words(at: datetime) -> str:
        local = dates.local(at, zone)
        if len(series.numbers) * series.seconds > 2 * _DAY:
            return dates.short_day(local, year=False)
        if local.second:
            return f"{local.hour % 12 or 12}:{local:%M:%S}{'am' if local.hour < 12 else 'pm'}"
        return dates.clock_time(local)

    return words


def _one_day(series: Series, zone: str) -> bool:
    last = series.start + timedelta(seconds=series.seconds * len(series.numbers))
    return dates.local(series.start, zone).date() == dates.local(last, zone).date()
