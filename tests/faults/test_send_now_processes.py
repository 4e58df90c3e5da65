"""Twenty processes are told "send now" at the same moment: it goes out once, and each sends other people's mail."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery.reports import accounts
from newsletter.domain.issues import approving, creating
from newsletter.models import Activity, Issue
from newsletter.states import IssueState
from tests import people
from tests.faults.processes import Nursery, Sink
from tests.faults.tally import Figures

READERS, PROCESSES, CONNECTIONS = 200, 20, 2


def approved_issue() -> Issue:
    """An issue that only wants somebody to send it."""
    now = datetime.now(UTC)
    people.larkmere(now)
    mailing_list = people.policy_changes(now)
    people.subscribers(now, mailing_list, READERS)
    with transaction():
        issue = creating.create_issue(mailing_list, title="Bruising in babies", actor=None, now=now)
        issue.subject = "Bruising in babies"
    prepared = approving.prepare(issue, now)
    with transaction():
        approving.approve(issue, prepared, actor=None, now=now, override_reason="A test")
    return issue


def test_twenty_processes_that_say_send_now_send_it_once(
    app: Flask, settings: Settings, tmp_path: Path, figures: Figures
) -> None:
    issue = approved_issue()
    words = ["issues", "send", str(issue.id), "--now", "--wait", "--override", "Urgent"]
    db.session.rollback()
    with Sink(tmp_path, 0.02) as sink, Nursery(settings, sink.url, CONNECTIONS) as nursery:
        started = [nursery.run(*words) for _ in range(PROCESSES)]
        ended = Counter(nursery.wait_for_end(each) for each in started)
        recipients = sink.recipients(0)
        assert ended[0] >= 1, nursery.log
        print(f"Exit statuses: {dict(ended)}")
        # Who came too late is told so, in a sentence.
        assert set(ended) <= {0, 1}, nursery.log
        assert "Traceback" not in nursery.log
    db.session.refresh(issue)
    copies = Counter(recipients)
    figures.add(
        messages=READERS, lost=READERS - len(copies), doubled=len(recipients) - len(copies), unsure=0, senders=PROCESSES
    )
    assert (issue.state, accounts.counts(issue).accepted) == (IssueState.SENT, READERS), nursery.log
    assert set(copies.values()) == {1}
    assert accounts.verify(issue) == []
    launched = select(func.count()).where(Activity.issue_id == issue.id, Activity.action == "issue.sending_started")
    assert db.session.scalar(launched) == 1
