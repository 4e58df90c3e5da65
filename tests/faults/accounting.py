"""What must hold after anything: the mail server's record and our accounts say the same of everybody."""

from collections import Counter
from collections.abc import Iterable

from newsletter.db import db
from newsletter.delivery.reports import accounts
from newsletter.models import Issue
from newsletter.states import DeliveryState, IssueState
from tests.delivery.sending import makers


def is_sent(issue: Issue) -> bool:
    """Whether it is sent by now. Fails, with the reason, when it was paused."""
    db.session.rollback()
    db.session.refresh(issue)
    assert issue.state is not IssueState.PAUSED, issue.pause_reason
    return issue.state is IssueState.SENT


def everybody_once(issue: Issue, recipients: Iterable[str], most_unsure: int) -> Counter[DeliveryState]:
    """Each reader exactly once, but for those who are listed as unsure: they have it once, or not.

    `recipients` is one for each message that the mail server took. Returns how many readers stand where.
    """
    db.session.rollback()
    copies = Counter(recipients)
    states = makers.states(issue)
    assert len(states) == issue.recipients
    for address, state in states.items():
        if state is DeliveryState.UNSURE:
            assert copies[address] <= 1, f"{address} is unsure and has {copies[address]} copies"
        else:
            assert (state, copies[address]) == (DeliveryState.ACCEPTED, 1), address
    found = accounts.counts(issue)
    assert found.adds_up
    assert accounts.verify(issue) == []
    assert found.unsure <= most_unsure
    return Counter(states.values())
