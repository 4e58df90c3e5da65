"""`newsletter issues`: a document becomes an issue; the issue is looked at, checked, scheduled, sent, accounted for.

ISSUE everywhere is the issue's number or its name in addresses (`december-2026`). What changes something is done in
the name of `--as EMAIL`, or of the system's administrator, who is whoever may run this program.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from .. import clock, dates
from ..db import db, transaction
from ..domain.issues import audience, scheduling
from ..domain.issues.approving import current_approval
from ..domain.issues.checking import run_checks
from ..domain.issues.content import block_content, issue_content, outside, render_issue, web_address
from ..domain.issues.creating import change_frame, create_issue
from ..domain.issues.documents import import_document, read_document, remade, with_stored_pictures
from ..domain.issues.documents.leaving_out import summary
from ..domain.issues.documents.word_package import LARGEST_FILE
from ..domain.issues.finding import find_issue
from ..domain.issues.past import import_past, publish_past
from ..domain.issues.renditions import compile_rendition, prepare
from ..domain.staff.permissions import Permission
from ..domain.subscribers import audiences
from ..errors import NotFound, Refused
from ..models import Issue, MailingList
from ..rendering.blocks import kind as kind_of
from ..rendering.issue import render_mjml
from .context import print_json, refuse, with_app
from .issue_control import cancel, decide, pause, resume, retry, unsure
from .issue_deadline import deadline as deadline_command
from .issue_options import acting, actor_for, as_json, issue_argument
from .issue_reports import aggregate, report
from .issue_sending import schedule, send, status, verify


@click.group()
def issues() -> None:
    """Issues: import, look at, check, schedule, send."""


for _command in (
    deadline_command,
    schedule,
    send,
    status,
    pause,
    resume,
    cancel,
    retry,
    unsure,
    decide,
    verify,
    report,
    aggregate,
):
    issues.add_command(_command)


@issues.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--list", "list_slug", required=True, help="The list that the issue belongs to, by its slug.")
@click.option("--title", required=True, help="The issue's title, such as “December 2026”.")
@click.option("--subject", help="The mail's subject; the list's name and the title where not given.")
@click.option("--preview", help="The line beside the subject in people's inboxes.")
@click.option(
    "--past",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="It went out on this day (2017-12-04): put it in the archive. It is never sent.",
)
@acting
@as_json
@with_app
def import_(
    file: Path,
    list_slug: str,
    title: str,
    subject: str | None,
    preview: str | None,
    past: datetime | None,
    as_email: str | None,
    as_json: bool,
) -> None:
    """Make a new issue of FILE: a Word document (.docx), HTML, Markdown or plain text (- reads standard input)."""
    document = read_document(_source(file), file.name, with_pictures=True)
    made, now = remade(document.pictures), clock.now()
    with transaction():
        mailing_list = db.session.scalar(select(MailingList).where(MailingList.slug == list_slug))
        if mailing_list is None:
            raise NotFound(f"There is no list “{list_slug}”. newsletter lists show names them all.")
        actor = actor_for(as_email, Permission.EDIT_ISSUES, mailing_list)
        document = with_stored_pictures(document, made, actor=actor, now=now)
        if past:
            issue = import_past(mailing_list, document, title=title, day=past.date(), actor=actor, now=now)
        else:
            issue = create_issue(mailing_list, title=title, actor=actor, now=now)
            import_document(issue, document, actor=actor, now=now)
        if subject or preview:
            change_frame(issue, subject=subject, preheader=preview, actor=actor, now=now)
    if past:
        prepared = prepare(issue, now)
        with transaction():
            publish_past(issue, prepared, actor=actor, now=now)
    if as_json:
        print_json(
            {
                "id": issue.id,
                "slug": issue.slug,
                "blocks": [outside(block) for block in issue.blocks],
                "unplaced": list(document.unplaced),
                "left_out": [
                    {"what": each.what, "number": each.number, "words": list(each.words)} for each in document.left_out
                ],
                "next_deadline": document.next_deadline,
            }
        )
        return
    click.echo(f"Issue {issue.id}, {issue.title} ({issue.slug}), was made of {len(document.proposals)} sections:")
    _print_blocks(issue)
    if document.next_deadline is not None and not past:
        click.echo(f"It names {dates.day(document.next_deadline)} as the deadline for the next issue.")
    if past:
        click.echo(f"It is in the archive as of {dates.day(past.date())}: {web_address(issue)}")
    if document.left_out:
        click.echo(f"Left out: {summary(document.left_out)}.")
    for words in document.unplaced:
        click.echo(f"No place was found for: {words}")


def _source(file: Path) -> bytes:
    """The bytes of a document, at most one more than may be read. Raises Refused in a sentence."""
    if str(file) == "-":
        return sys.stdin.buffer.read(LARGEST_FILE + 1)
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST_FILE + 1)
    except OSError as error:
        raise Refused(f"{file} cannot be read: {(error.strerror or 'it is no file').lower()}.") from None


@issues.command()
@issue_argument
@as_json
@with_app
def show(issue: str, as_json: bool) -> None:
    """What ISSUE is, and what it consists of."""
    found = find_issue(issue)
    if as_json:
        print_json(_outside(found))
        return
    approval, deadline, part = current_approval(found), found.deadline, audience.part_of(found)
    click.echo(f"{found.title} ({found.slug}), issue {found.id} of {found.mailing_list.name}: {found.state.value}")
    for label, value in (
        ("Subject", found.subject or "none yet"),
        ("Preview text", found.preheader or "none yet"),
        ("Planned for", _moment(found, found.planned_at)),
        ("Scheduled for", _moment(found, found.scheduled_at)),
        ("Contributions until", deadline.words_with_zone if deadline else ""),
        ("Next issue", found.next_issue.title if found.next_issue else ""),
        ("Approved by", approval.approver_name if approval else ""),
        ("On the web", web_address(found) if found.published_at else ""),
        ("Goes to", f"{part.name}: {'. '.join(audiences.in_words(part.conditions))}." if part else ""),
    ):
        if value:
            click.echo(f"  {label}: {value}")
    _print_blocks(found)


def _print_blocks(issue: Issue) -> None:
    for block in issue.blocks:
        kind = kind_of(block.kind)
        click.echo(f"  {block.position + 1:>3}. {kind.name}: {kind.summary(block_content(block))}")


def _moment(issue: Issue, instant: Any) -> str:
    if instant is None:
        return ""
    zone = issue.mailing_list.timezone
    return f"{dates.moment(instant, zone)} ({dates.zone_words(zone)})"


def _outside(issue: Issue) -> dict[str, Any]:
    approval, deadline, part = current_approval(issue), issue.deadline, audience.part_of(issue)
    return {
        "id": issue.id,
        "slug": issue.slug,
        "title": issue.title,
        "list": issue.mailing_list.slug,
        "state": issue.state.value,
        "subject": issue.subject,
        "preheader": issue.preheader,
        "content_version": issue.content_version,
        "planned_at": issue.planned_at.isoformat() if issue.planned_at else None,
        "scheduled_at": issue.scheduled_at.isoformat() if issue.scheduled_at else None,
        "deadline": deadline.instant.isoformat() if deadline else None,
        "next_issue": issue.next_issue.slug if issue.next_issue else None,
        "approved_by": approval.approver_name if approval else None,
        "published": issue.published_at is not None,
        "recipients": issue.recipients or audience.count(issue),
        "audience": part.name if part else None,
        "audience_conditions": part.conditions if part else [],
        "blocks": [outside(block) for block in issue.blocks],
    }


@issues.command()
@issue_argument
@as_json
@with_app
def check(issue: str, as_json: bool) -> None:
    """Look for what stops ISSUE, and for what is worth a look. Exit status 1 when something stops it."""
    found, now = find_issue(issue), clock.now()
    findings = run_checks(found, now)
    stopping = sum(finding.stops for finding in findings)
    if as_json:
        print_json(
            {
                "id": found.id,
                "blocking": stopping,
                "worth_a_look": sum(not finding.stops and not finding.passed for finding in findings),
                "findings": [finding.to_json() for finding in findings],
                "before_scheduling": [
                    {"code": each.code, "sentence": each.sentence} for each in scheduling.obstacles(found, now)
                ],
            }
        )
    else:
        for finding in findings:
            mark = "passed" if finding.passed else "STOPS" if finding.stops else "look"
            click.echo(f"{mark:>6}  {finding.sentence}")
            for more in (finding.excerpt, finding.why):
                if more:
                    click.echo(f"        {more}")
        if not findings:
            click.echo("Nothing to mend, nothing to look at.")
    if stopping:
        refuse("1 thing stops this issue." if stopping == 1 else f"{stopping} things stop this issue.")


@issues.command()
@issue_argument
@click.option(
    "--format", "form", type=click.Choice(["html", "text", "web", "mjml", "eml"]), default="html", show_default=True,
    help="The mail's HTML, its text part, the inside of the web page, the MJML, or a whole mail.",
)  # fmt: skip
@with_app
def render(issue: str, form: str) -> None:
    """Write one form of ISSUE to standard output, as it stands now."""
    found, now = find_issue(issue), clock.now()
    match form:
        case "eml":
            octets = compile_rendition(prepare(found, now), date=now, subject=found.subject or found.title).as_eml()
        case "mjml":
            octets = render_mjml(issue_content(found)).encode()
        case _:
            octets = str(getattr(render_issue(found), form)).encode()
    sys.stdout.buffer.write(octets)
    sys.stdout.buffer.flush()
