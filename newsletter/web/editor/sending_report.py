"""The report of an issue that was sent, as a page and as a file to download."""

from dataclasses import replace
from datetime import datetime

from flask import Response as FlaskResponse
from sqlalchemy import select
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import db
from newsletter.delivery.reports import accounts, report
from newsletter.delivery.reports.accounts import Counts
from newsletter.delivery.reports.report import Report
from newsletter.delivery.reports.report_figures import causes
from newsletter.delivery.reports.report_lines import report_lines
from newsletter.domain.staff.permissions import Permission, may
from newsletter.models import Activity, Issue
from newsletter.states import DeliveryState
from newsletter.web.access import signed_in_account, staff

from . import report_words
from .progress import EVENTS, heading, story
from .room import blueprint, find_issue, page, to

_TO_DECIDE = 20
_DOMAINS = 15


def report_page(issue: Issue, now: datetime) -> tuple[str, int]:
    """The whole report. The accounts are of this minute, the other figures as of when they were last made."""
    counts = accounts.counts(issue)
    found = _brought_up(report.current(issue, now), issue, counts)
    given_up = accounts.aggregated_at(issue)
    doubts = accounts.in_doubt(issue, undecided_only=True)
    zone = issue.mailing_list.timezone
    return page(
        "report.html",
        issue=issue,
        counts=counts,
        heading=heading(counts),
        report=found,
        rows=report_words.account_rows(issue, found, counts, people_kept=given_up is None),
        # The page adds up seven numbers; `newsletter issues verify` looks at every row.
        wrong=[] if counts.adds_up else accounts.verify(issue),
        doubts=doubts[:_TO_DECIDE],
        doubts_in_all=len(doubts),
        retry_at=accounts.next_retry(issue) if counts.deferred else None,
        sentence=report_words.sent_words(issue),
        measures=report_words.measures(found),
        hears_of_bounces=report_words.hears_of_bounces() or any(found.came_back.values()),
        charts=report_words.charts(found, zone),
        domains=found.by_domain(_DOMAINS),
        freshness=report_words.freshness(found, issue.sent_at or issue.cancelled_at, zone),
        given_up=given_up,
        events=story(issue, accounts.recent_events(issue, EVENTS)),
        consent_head=_consent_head(issue),
        see=may(signed_in_account(), Permission.SEE_ADDRESSES, issue.mailing_list),
    )


def _consent_head(issue: Issue) -> str:
    """Where the record of consent stood when the sending ended, as it was mailed; "" where it was not kept."""
    sent = select(Activity.detail).where(Activity.issue_id == issue.id, Activity.action == "issue.sent")
    detail = db.session.scalar(sent.order_by(Activity.id.desc()).limit(1)) or {}
    return str(detail.get("consent_head", ""))


def _brought_up(kept: Report, issue: Issue, counts: Counts) -> Report:
    """The kept document with the reasons of this minute, where somebody has moved since it was made."""
    moved = {state for state, number in counts.as_dict().items() if kept.counts[state] != number}
    if DeliveryState.REFUSED in moved:
        kept = replace(kept, refused=causes(issue, DeliveryState.REFUSED))
    if DeliveryState.DEFERRED in moved:
        kept = replace(kept, deferred=causes(issue, DeliveryState.DEFERRED))
    if DeliveryState.SKIPPED in moved:
        kept = replace(kept, skipped={reason.value: people for reason, people in accounts.skipped(issue).items()})
    return kept


@blueprint.post("/desk/issues/<slug>/sending/report.csv")
@staff(Permission.VIEW_ISSUES)
def issue_report_csv(slug: str) -> Response:
    """The report as a spreadsheet. It names nobody, so whoever may read the page may have it."""
    issue = find_issue(slug)
    if not issue.started_at:
        return to("issue", slug=slug)
    found = report.current(issue, clock.now())
    lines = report_lines(issue.title, found, accounts.counts(issue), issue.mailing_list.timezone)
    return FlaskResponse(
        "".join(lines),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{issue.slug}-report.csv"'},
    )
