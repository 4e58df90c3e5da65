"""An issue as Ruth has it on her desk: makers that the editor's stories share."""

from datetime import datetime, time, timedelta

from flask.testing import FlaskClient

from newsletter.db import transaction
from newsletter.deadlines import Deadline
from newsletter.domain.issues import approving, creating, editing, scheduling, testing
from newsletter.models import Account, Issue, MailingList
from newsletter.states import Role
from tests import people


def ruth(client: FlaskClient, now: datetime) -> Account:
    """Ruth, an editor, signed in."""
    account = people.staff(now, "Ruth Adeyemi", Role.EDITOR)
    people.sign_in(client, account)
    return account


def january(now: datetime, mailing_list: MailingList, actor: Account) -> Issue:
    """January 2027: a section and a contact, subject, preview text, and April after it. Nothing to mend."""
    with transaction():
        issue = creating.create_issue(
            mailing_list,
            title="January 2027",
            planned_at=now + timedelta(days=52),
            deadline=Deadline.of((now + timedelta(days=39)).date(), time(17), "Europe/London"),
            actor=actor,
            now=now,
        )
        creating.change_frame(
            issue,
            subject="January 2027: practice week, new chapters",
            preheader="Four practice days in March, and a deadline to note.",
            actor=actor,
            now=now,
        )
        creating.ensure_next_issue(
            issue,
            title="April 2027",
            deadline=Deadline.of((now + timedelta(days=130)).date(), time(17), "Europe/London"),
            actor=actor,
            now=now,
        )
        editing.add_block(
            issue,
            "section",
            {"heading": "Practice week", "body": "<p>We will run four practice days in March.</p>"},
            position=2,
            actor=actor,
            now=now,
        )
        editing.add_block(
            issue,
            "contact",
            {"heading": "Who to ask", "name": "Bethan Price", "role": "Policy officer", "email": "bethan@example.org"},
            position=3,
            actor=actor,
            now=now,
        )
    return issue


def approve(issue: Issue, actor: Account, now: datetime) -> None:
    """A test to the actor and their approval, by the verbs."""
    prepared = approving.prepare(issue, now)
    with transaction():
        testing.send_test(issue, prepared, [actor.email], actor=actor, now=now)
        approving.approve(issue, prepared, actor=actor, now=now)


def schedule(issue: Issue, actor: Account, now: datetime, at: datetime) -> None:
    with transaction():
        scheduling.schedule(issue, at, actor=actor, now=now)


def block_id(issue: Issue, kind: str) -> str:
    """The id of the issue's first section of this kind."""
    return next(str(block.id) for block in issue.blocks if block.kind == kind)
