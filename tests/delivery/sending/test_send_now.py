"""Twenty people press "send now" in one second: it goes out once."""

import threading
from collections import Counter
from datetime import datetime

from flask import Flask

from newsletter.db import db, transaction
from newsletter.delivery import launch
from newsletter.delivery.pace.pacing import Breaker
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.domain.issues import approving, creating, scheduling
from newsletter.errors import Refused
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Activity, Issue
from newsletter.states import IssueState
from tests import people

READERS, PEOPLE = 30, 20
WHY = "A test of sending now"


def test_twenty_who_say_send_now_at_once_send_it_once(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    """Each goes the whole way: schedules it for now, launches it, and sends what there is to send."""
    people.larkmere(now)
    mailing_list = people.policy_changes(now)
    people.subscribers(now, mailing_list, READERS)
    with transaction():
        issue = creating.create_issue(mailing_list, title="Bruising in babies", actor=None, now=now)
        issue.subject = "Bruising in babies"
    prepared = approving.prepare(issue, now)
    with transaction():
        approving.approve(issue, prepared, actor=None, now=now, override_reason=WHY)
    number = issue.id
    db.session.rollback()
    together = threading.Barrier(PEOPLE)
    launched: list[bool] = []
    surprises: list[BaseException] = []

    def press() -> None:
        with app.app_context():
            together.wait(60)
            try:
                with transaction() as session:
                    found = session.get_one(Issue, number)
                    if found.state is IssueState.SCHEDULED:
                        scheduling.cancel_schedule(found, actor=None, now=now)
                    scheduling.schedule(found, now, actor=None, now=now, override_reason=WHY, immediately=True)
            except Refused:
                pass  # somebody else was first: what was wanted happens
            except BaseException as error:
                surprises.append(error)
            try:
                launched.append(launch.launch(number, now))
                engine.send_issue(number, read_clock=lambda: now, breaker=Breaker())
            except BaseException as error:
                surprises.append(error)
            db.session.remove()

    threads = [threading.Thread(target=press) for _ in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert surprises == []
    assert sorted(launched) == [False] * (PEOPLE - 1) + [True]
    db.session.rollback()
    found = accounts.counts(issue)
    assert (issue.state, issue.recipients, found.accepted) == (IssueState.SENT, READERS, READERS)
    assert set(Counter(relay.recipients).values()) == {1}
    assert len(relay.recipients) == READERS
    for action in ("issue.sending_started", "issue.sent"):
        assert db.session.query(Activity).filter_by(issue_id=number, action=action).count() == 1
