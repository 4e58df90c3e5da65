"""An issue whose time comes while nothing runs, and more than one scheduler when something does."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db
from newsletter.delivery.reports import accounts
from newsletter.models import Issue, Notice
from newsletter.states import IssueState
from tests import people
from tests.delivery.sending.test_launch import scheduled
from tests.faults.accounting import is_sent
from tests.faults.conftest import WorkerProcess
from tests.smtp_servers import AcceptingServer

Start = Callable[..., WorkerProcess]


def due_since(ago: timedelta, readers: int) -> Issue:
    """A scheduled issue whose time came so long ago, and nobody was there."""
    now = datetime.now(UTC) - ago - timedelta(minutes=15)
    people.larkmere(now)
    mailing_list = people.policy_changes(now)
    people.staff(now)
    people.subscribers(now, mailing_list, readers)
    return scheduled(mailing_list, now + timedelta(minutes=15), now)


def told(template: str) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Notice.template == template)) or 0


def test_two_workers_that_start_late_send_it_once(app: Flask, server: AcceptingServer, start_worker: Start) -> None:
    issue = due_since(timedelta(minutes=40), 200)
    workers = [start_worker(), start_worker()]
    workers[0].until(lambda: is_sent(issue), every=0.1)
    for worker in workers:
        assert worker.terminate() == 0
    copies = Counter(each.recipient for each in server.received if b"List-Unsubscribe-Post" in each.message)
    assert (len(copies), set(copies.values())) == (200, {1})
    assert accounts.counts(issue).accepted == 200
    assert (told("sending_started"), told("sending_finished")) == (1, 1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_that_is_a_day_late_waits_for_an_answer(app: Flask, server: AcceptingServer, start_worker: Start) -> None:
    issue = due_since(timedelta(days=1), 3)
    worker = start_worker()
    worker.until(lambda: told("schedule_held") == 1, every=0.1)
    assert worker.terminate() == 0
    db.session.refresh(issue)
    assert issue.state is IssueState.SCHEDULED
    assert [each for each in server.received if b"List-Unsubscribe-Post" in each.message] == []
