"""What wants doing, most urgent first: each a link, with why and by when. Five at most."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import func, select

from newsletter import dates
from newsletter.db import db
from newsletter.domain.calls.deadline.reading import late, undecided
from newsletter.domain.calls.decisions.settling import asked_back
from newsletter.domain.calls.reminding.extending import extensions_of
from newsletter.domain.calls.reminding.opening import to_invite, why_not
from newsletter.domain.issues import approving
from newsletter.domain.issues.checking import run_checks
from newsletter.domain.issues.testing import has_current_test
from newsletter.domain.staff.permissions import Permission, may
from newsletter.errors import Invalid
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Account, Delivery, Issue, MailingList
from newsletter.states import Cadence, DeliveryState, ExtensionState, IssueState

MOST = 5


def _want(label: str, url: str, why: str, when: str, *, count: int = 1, urgency: str = "normal") -> dict[str, Any]:
    return {"label": label, "url": url, "why": why, "when": when, "count": count, "urgency": urgency}


def wants(issue: Issue, lists: Sequence[MailingList], account: Account, now: datetime) -> list[dict[str, Any]]:
    """The few things to do, for this person."""
    steered = [each for each in lists if may(account, Permission.CONTROL_SENDING, each)]
    found: list[dict[str, Any]] = [*_sending(steered), *_reviews(lists, account), *_doubts(steered)]
    if issue.state in (IssueState.DRAFT, IssueState.IN_REVIEW, IssueState.APPROVED):
        if may(account, Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list):
            found += _contributions(issue, now)
        if may(account, Permission.EDIT_ISSUES, issue.mailing_list):
            found += _writing(issue, now)
    elif issue.state is IssueState.SCHEDULED and issue.scheduled_at:
        when = dates.moment(issue.scheduled_at, issue.mailing_list.timezone)
        why = _("At {when}. Until then it can be stopped.").format(when=when)
        url = url_for("editor.sending", slug=issue.slug)
        found.append(
            _want(
                _("{title} goes out by itself").format(title=issue.title), url, why, _("Nothing to do"), urgency="quiet"
            )
        )
    return found[:MOST]


def _sending(lists: Sequence[MailingList]) -> list[dict[str, Any]]:
    """Sends that stand still."""
    paused = db.session.scalars(
        select(Issue).where(Issue.list_id.in_([each.id for each in lists]), Issue.state == IssueState.PAUSED)
    )
    return [
        _want(
            _("Decide about {title}, which is paused").format(title=issue.title),
            url_for("editor.sending", slug=issue.slug),
            issue.pause_reason or _("Nothing leaves until somebody resumes it."),
            _("Now"),
            urgency="bad",
        )
        for issue in paused
    ]


def _reviews(lists: Sequence[MailingList], account: Account) -> list[dict[str, Any]]:
    """Issues of any list whose writers wait for this person."""
    waiting = db.session.scalars(
        select(Issue)
        .where(Issue.list_id.in_([each.id for each in lists]), Issue.state == IssueState.IN_REVIEW)
        .order_by(Issue.planned_at)
    )
    return [
        _want(
            _("Read and approve {title}").format(title=issue.title),
            url_for("editor.issue_approval", slug=issue.slug),
            _("Its writers wait for you."),
            _("Today"),
            urgency="now",
        )
        for issue in waiting
        if not approving.may_approve(issue, account)
    ]


def _doubts(lists: Sequence[MailingList]) -> list[dict[str, Any]]:
    """Messages of which nobody knows whether they arrived."""
    rows = db.session.execute(
        select(Issue, func.count(Delivery.id))
        .join(Delivery, Delivery.issue_id == Issue.id)
        .where(
            Issue.list_id.in_([each.id for each in lists]),
            Issue.state.in_([IssueState.SENT, IssueState.CANCELLED]),
            Delivery.state == DeliveryState.UNSURE,
            Delivery.decided_at.is_(None),
        )
        .group_by(Issue.id)
    )
    found = []
    for issue, number in rows:
        label = ngettext("Decide about %(number)s unsure message", "Decide about %(number)s unsure messages", number)
        why = _("{title}: the mail left us and no answer came.").format(title=issue.title)
        url = url_for("editor.sending", slug=issue.slug)
        found.append(_want(label % {"number": number}, url, why, _("This week"), count=number))
    return found


def _contributions(issue: Issue, now: datetime) -> list[dict[str, Any]]:
    found = []
    waiting, after = undecided(issue), late(issue)
    for each in asked_back(issue):
        why = _("“{title}”. The issue cannot be scheduled before that.").format(title=each.title)
        who = each.contact_name or each.agency or _("a sender")
        label = _("Settle what {who} wants out again").format(who=who)
        url = url_for("editor.contribution", reference=each.reference)
        found.append(_want(label, url, why, _("Now"), urgency="bad"))
    if waiting:
        label = ngettext("Read %(number)s new contribution", "Read %(number)s new contributions", len(waiting))
        names = list(dict.fromkeys(each.agency for each in waiting if each.agency))
        why = _("From {names}.").format(names=_joined(names[:3])) if names else _("They wait for a decision.")
        closed = issue.deadline is not None and not issue.deadline.is_open(now)
        found.append(
            _want(
                label % {"number": len(waiting)}, url_for("editor.contributions", issue=issue.slug), why,
                _("Before approval") if closed else _("This week"), count=len(waiting),
            )
        )  # fmt: skip
    if after:
        label = ngettext("Look at %(number)s late contribution", "Look at %(number)s late contributions", len(after))
        url = url_for("editor.contributions", issue=issue.slug)
        why = ngettext(
            "It came after the deadline and is kept.", "They came after the deadline and are kept.", len(after)
        )
        found.append(_want(label % {"number": len(after)}, url, why, "", count=len(after), urgency="quiet"))
    return [*_call(issue, now), *found]


def _call(issue: Issue, now: datetime) -> list[dict[str, Any]]:
    """A call that is not open yet, and people who ask for more time."""
    found, url = [], url_for("editor.call", slug=issue.slug)
    asks = sum(one.state is ExtensionState.ASKED for one in extensions_of(issue))
    if asks:
        label = ngettext("Answer %(number)s question for more time", "Answer %(number)s questions for more time", asks)
        why = _("They wait to hear until when they can send their news.")
        found.append(_want(label % {"number": asks}, url, why, _("Today"), count=asks, urgency="now"))
    if issue.call_opened_at is None and not why_not(issue, now):
        invited = len(to_invite(issue))
        if invited:
            label = ngettext("Open the call to %(number)s person", "Open the call to %(number)s people", invited)
            why = _("They are invited then, and reminded by itself until the deadline.")
            found.append(_want(label % {"number": invited}, url, why, _("This week"), count=invited))
    return found


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else _("{most} and {last}").format(most=", ".join(names[:-1]), last=names[-1])


def _writing(issue: Issue, now: datetime) -> list[dict[str, Any]]:
    """The steps from words to schedule that this issue has not taken."""
    found = []
    slug = issue.slug
    try:
        stopping = [each for each in run_checks(issue, now) if each.stops]
    except Invalid:
        stopping = []
    if stopping:
        label = ngettext(
            "Mend %(number)s thing that stops the issue", "Mend %(number)s things that stop the issue", len(stopping)
        )
        why = stopping[0].sentence
        url = url_for("editor.issue_checks", slug=slug)
        found.append(
            _want(label % {"number": len(stopping)}, url, why, _("Before approval"), count=len(stopping), urgency="bad")
        )
    if not (issue.subject and issue.preheader):
        why = _("What people read in their inbox before they open it.")
        found.append(
            _want(
                _("Write the subject and preview text"),
                url_for("editor.issue_frame", slug=slug),
                why,
                _("Before approval"),
            )
        )
    following = issue.next_issue
    if issue.mailing_list.cadence is Cadence.QUARTERLY and (following is None or following.deadline is None):
        why = _("This issue tells readers until when they can send news for the next.")
        url = url_for("editor.issue_frame", slug=slug, _anchor="next")
        found.append(_want(_("Set the deadline of the next issue"), url, why, _("Before it is scheduled")))
    if not stopping and not has_current_test(issue):
        why = _("No test was sent of the words as they stand.")
        found.append(
            _want(
                _("Send yourself a test email"),
                url_for("editor.issue_test", slug=slug),
                why,
                _("Before it is scheduled"),
            )
        )
    if issue.state is IssueState.APPROVED:
        url = url_for("editor.issue_schedule", slug=slug)
        found.append(
            _want(_("Schedule {title}").format(title=issue.title), url, _("It is approved."), _("Today"), urgency="now")
        )
    return found


def next_step(issue: Issue, account: Account) -> tuple[str, str]:
    """The one primary button of the page, for this person: label and address."""
    slug = issue.slug
    if issue.state is IssueState.DRAFT and not may(account, Permission.EDIT_ISSUES, issue.mailing_list):
        return _("Read it so far"), url_for("editor.compose", slug=slug, _anchor="preview")
    match issue.state:
        case IssueState.IN_REVIEW:
            return _("Read it"), url_for("editor.issue_approval", slug=slug)
        case IssueState.APPROVED:
            return _("Open the issue"), url_for("editor.issue", slug=slug)
        case IssueState.SCHEDULED | IssueState.SENDING | IssueState.PAUSED:
            return _("See the sending"), url_for("editor.sending", slug=slug)
    return _("Continue writing"), url_for("editor.compose", slug=slug)
