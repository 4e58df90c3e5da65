"""What an issue still wants, as a task list in three groups: Write, Check, Send. Each row says why it stands so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from newsletter import clock, dates
from newsletter.domain.calls.deadline.reading import undecided
from newsletter.domain.calls.decisions.guarding import leftovers
from newsletter.domain.calls.decisions.settling import asked_back
from newsletter.domain.calls.reminding.concerned import parties
from newsletter.domain.issues import audience, commenting, following_up, reviewing
from newsletter.domain.issues.approving import current_approval, last_comment
from newsletter.domain.issues.checking import Finding
from newsletter.domain.issues.finding import is_out_of_turn
from newsletter.domain.issues.scheduling import Obstacle
from newsletter.domain.issues.testing import last_test
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Issue
from newsletter.rendering.blocks import kind as kind_of
from newsletter.states import Cadence, IssueState

COMPLETED, INCOMPLETE, CANNOT_START, PROBLEM = "completed", "incomplete", "cannot_start", "problem"


@dataclass(frozen=True)
class Task:
    """One row. `url` is None where it cannot be opened yet; `hint` gives the reason."""

    label: str
    url: str | None
    hint: str
    status: str


@dataclass(frozen=True)
class Tasks:
    write: list[Task]
    check: list[Task]
    send: list[Task]

    @property
    def sentence(self) -> str:
        """ "2 of 7 parts are finished."."""
        rows = [*self.write, *self.check, *self.send]
        done = sum(task.status == COMPLETED for task in rows)
        words = ngettext("%(done)s of %(total)s parts is finished.", "%(done)s of %(total)s parts are finished.", done)
        return words % {"done": done, "total": len(rows)}


def tasks(issue: Issue, findings: Sequence[Finding], obstacles: Sequence[Obstacle]) -> Tasks:
    """The task list of an issue whose words can still be edited."""
    stopping = sum(finding.stops for finding in findings)
    write = [_content(issue, findings)]
    if issue.has_call:
        write.append(_contributions(issue))
    promises = following_up.waiting(issue)
    if promises:
        write.append(_promises(issue, len(promises)))
    write.append(_subject(issue))
    if issue.mailing_list.cadence is Cadence.QUARTERLY and not is_out_of_turn(issue):
        write.append(_next_issue(issue))
    check = [_checks(issue, findings), _test(issue)]
    waiting = commenting.unresolved(issue)
    if waiting:
        check.append(_comments(issue, waiting))
    send = [_approval(issue, stopping)] if issue.mailing_list.needs_approval else []
    return Tasks(write, check, [*send, _schedule(issue, obstacles, stopping)])


def sections(issue: Issue) -> int:
    """How many sections somebody wrote: all that a new issue does not have by itself."""
    made = {"in_this_issue", "key_dates", "call"}
    return sum(1 for block in issue.blocks if not kind_of(block.kind).fixed and block.kind not in made)


def _content(issue: Issue, findings: Sequence[Finding]) -> Task:
    number = sections(issue)
    hint = ngettext("%(number)s section.", "%(number)s sections.", number) % {"number": number}
    if not number:
        hint = _("Nothing is written yet.")
    wanting = sum(1 for finding in findings if finding.stops and finding.block_id)
    if wanting:
        hint += " " + (
            ngettext("%(number)s thing to mend.", "%(number)s things to mend.", wanting) % {"number": wanting}
        )
    done = number > 0 and not wanting
    url = url_for("editor.compose", slug=issue.slug)
    return Task(_("Content"), url, hint, COMPLETED if done else INCOMPLETE)


def _contributions(issue: Issue) -> Task:
    reading, left, back = (len(found(issue)) for found in (undecided, leftovers, asked_back))
    parts = [ngettext("%(number)s to read.", "%(number)s to read.", reading) % {"number": reading}] if reading else []
    if left > reading:
        words = ngettext("%(number)s is with its sender.", "%(number)s are with their senders.", left - reading)
        parts.append(words % {"number": left - reading})
    if back:
        words = ngettext("%(number)s is wanted out again.", "%(number)s are wanted out again.", back)
        parts.append(words % {"number": back})
    hint = " ".join(parts) or _("Nothing waits for you.")
    if issue.deadline:
        hint += " " + _("The deadline is {when}.").format(when=issue.deadline.words)
    url = url_for("editor.contributions", issue=issue.slug)
    if parties(issue):
        # Who is in and who is silent comes first; what there is to read is one step from there.
        url = url_for("editor.call", slug=issue.slug)
        if issue.call_opened_at is None:
            hint = f"{_('Nobody is invited yet.')} {hint}"
    if (left or back) and issue.deadline and not issue.deadline.is_open(clock.now()):
        # No more comes in: what is left is settled on one page.
        url = url_for("editor.contributions_left", slug=issue.slug)
    return Task(_("Contributions"), url, hint, INCOMPLETE if left or back else COMPLETED)


def _promises(issue: Issue, number: int) -> Task:
    hint = ngettext(
        "%(number)s thing was promised for this issue.", "%(number)s things were promised for this issue.", number
    )
    url = url_for("editor.issue_follow_ups", slug=issue.slug)
    return Task(_("Promises"), url, hint % {"number": number}, INCOMPLETE)


def _subject(issue: Issue) -> Task:
    if issue.subject and issue.preheader:
        hint = f"“{issue.subject}”"
    elif issue.subject:
        hint = _("“{subject}”. The preview text is missing.").format(subject=issue.subject)
    else:
        hint = _("What people read in their inbox before they open it.")
    url = url_for("editor.issue_frame", slug=issue.slug)
    return Task(_("Subject and preview"), url, hint, COMPLETED if issue.subject and issue.preheader else INCOMPLETE)


def _next_issue(issue: Issue) -> Task:
    following = issue.next_issue
    url = url_for("editor.issue_frame", slug=issue.slug, _anchor="next")
    if following is None or following.deadline is None:
        return Task(_("Next deadline"), url, _("This issue prints it, so it must be set first."), INCOMPLETE)
    hint = _("{title}: {when}.").format(title=following.title, when=following.deadline.words)
    return Task(_("Next deadline"), url, hint, COMPLETED)


def _checks(issue: Issue, findings: Sequence[Finding]) -> Task:
    stopping = sum(finding.stops for finding in findings)
    looking = sum(not finding.passed and not finding.stops for finding in findings)
    parts = []
    if stopping:
        words = ngettext("%(number)s thing to mend.", "%(number)s things to mend.", stopping)
        parts.append(words % {"number": stopping})
    if looking:
        parts += [] if stopping else [_("Nothing stops it.")]
        words = ngettext("%(number)s is worth a look.", "%(number)s are worth a look.", looking)
        parts.append(words % {"number": looking})
    hint = " ".join(parts) if parts else _("Nothing to mend.")
    return Task(_("Checks"), url_for("editor.issue_checks", slug=issue.slug), hint, PROBLEM if stopping else COMPLETED)


def _test(issue: Issue) -> Task:
    url = url_for("editor.issue_test", slug=issue.slug)
    current, last = last_test(issue, current=True), last_test(issue)
    zone = issue.mailing_list.timezone
    if current:
        when = dates.moment(current.at, zone)
        hint = _("Sent to {address} at {when}.").format(address=current.address, when=when)
        return Task(_("Test email"), url, hint, COMPLETED)
    hint = _("See it in your own inbox before others do.")
    if last:
        day = dates.day(dates.local(last.at, zone))
        hint = _("The words have changed since the last test, on {day}. Send a new test.").format(day=day)
    return Task(_("Test email"), url, hint, INCOMPLETE)


def _comments(issue: Issue, waiting: int) -> Task:
    hint = ngettext("%(number)s waits for an answer.", "%(number)s wait for an answer.", waiting) % {"number": waiting}
    return Task(_("Comments"), url_for("editor.issue_comments", slug=issue.slug), hint, INCOMPLETE)


def _approval(issue: Issue, stopping: int) -> Task:
    label, url = _("Approval"), url_for("editor.issue_approval", slug=issue.slug)
    approval = current_approval(issue)
    if issue.state is IssueState.APPROVED and approval:
        when = dates.moment(approval.at, issue.mailing_list.timezone)
        hint = _("By {name}, {when}.").format(name=approval.approver_name, when=when)
        return Task(label, url, hint, COMPLETED)
    if issue.state is IssueState.IN_REVIEW:
        names = ", ".join(person.name for person in reviewing.asked(issue))
        hint = _("Asked: {names}.").format(names=names) if names else _("Somebody is asked to read and approve it.")
        return Task(label, url, hint, INCOMPLETE)
    if stopping:
        return Task(label, None, _("Mend the checks first."), CANNOT_START)
    comment = last_comment(issue)
    if comment:
        return Task(label, url, _("{name} asked for changes.").format(name=comment.actor_name), INCOMPLETE)
    return Task(label, url, _("Somebody reads it as it will arrive, and says that it may go."), INCOMPLETE)


def _schedule(issue: Issue, obstacles: Sequence[Obstacle], stopping: int) -> Task:
    number = audience.count(issue)
    to = ngettext("To %(number)s subscriber.", "To %(number)s subscribers.", number) % {"number": f"{number:,}"}
    if obstacles and obstacles[0].code == "checks":  # what they found stands in their own row
        first = ngettext("%(number)s thing to mend first.", "%(number)s things to mend first.", stopping)
        return Task(_("Schedule"), None, f"{to} {first % {'number': stopping}}", CANNOT_START)
    if obstacles:
        return Task(_("Schedule"), None, f"{to} {obstacles[0].sentence}", CANNOT_START)
    return Task(_("Schedule"), url_for("editor.issue_schedule", slug=issue.slug), to, INCOMPLETE)


def when_words(issue: Issue, now: datetime) -> str:
    """One sentence about the issue's time: when it goes out, or went."""
    zone = issue.mailing_list.timezone
    if issue.state is IssueState.CANCELLED:
        return _("It was cancelled. {why}").format(why=issue.cancel_reason)
    if issue.state is IssueState.SCHEDULED and issue.scheduled_at:
        return _("It goes out at {when}.").format(when=dates.moment(issue.scheduled_at, zone))
    if issue.started_at:
        return _("It went out at {when}.").format(when=dates.moment(issue.started_at, zone))
    if issue.planned_at is None:
        return _("It has no sending date yet.")
    if issue.planned_at <= now:
        return _("It was planned for {when}, which is past.").format(when=dates.moment(issue.planned_at, zone))
    return _("It is planned for {when}.").format(when=dates.moment(issue.planned_at, zone))
