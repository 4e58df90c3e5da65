"""The database goes away in the midst of a sending, and comes back."""

import threading
import time
from collections import Counter
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import text

from newsletter.db import db, transaction
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.delivery.run.running import Ending
from newsletter.models import Issue
from newsletter.states import IssueState
from tests.databases import on_postgres
from tests.delivery.sending import makers
from tests.delivery.sending.test_sending import SlowedRelay
from tests.postgres import Cluster


@pytest.mark.postgres
@on_postgres
def test_every_connection_to_postgresql_is_cut_again_and_again(
    app: Flask, now: datetime, postgres_cluster: Cluster
) -> None:
    issue_id = makers.sending(now, 1_200).id
    db.session.remove()

    def cut(number: int) -> None:
        if number % 200 == 50:
            postgres_cluster.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname LIKE 'test_%' AND pid <> pg_backend_pid()"
            )

    relay = SlowedRelay(cut, threading.Event())
    app.extensions["newsletter_relay"] = relay
    with app.app_context():
        assert engine.send_issue(issue_id, read_clock=lambda: now) is Ending.DONE
    db.session.remove()
    issue = db.session.get_one(Issue, issue_id)
    assert issue.state is IssueState.SENT
    assert accounts.counts(issue).accepted == 1_200
    assert accounts.verify(issue) == []
    assert set(Counter(relay.recipients).values()) == {1}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_somebody_else_holds_the_sqlite_database_for_a_while(app: Flask, now: datetime) -> None:
    """A long import, or a backup: sending waits for it, and goes on."""
    held, issue_id = threading.Event(), makers.sending(now, 900).id
    db.session.remove()

    def hold() -> None:
        with app.app_context(), transaction() as session:
            session.execute(text("UPDATE mailing_list SET strapline = 'A long import'"))
            held.set()
            time.sleep(1.5)

    holder = threading.Thread(target=hold)
    relay = SlowedRelay(lambda number: holder.start() if number == 300 else None, threading.Event())
    app.extensions["newsletter_relay"] = relay
    with app.app_context():
        assert engine.send_issue(issue_id, read_clock=lambda: now) is Ending.DONE
    holder.join()
    assert held.is_set()
    db.session.remove()
    issue = db.session.get_one(Issue, issue_id)
    assert accounts.counts(issue).accepted == 900
    assert set(Counter(relay.recipients).values()) == {1}
