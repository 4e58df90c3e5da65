"""A test copy goes to staff, to named test addresses, to what is typed; to no subscriber by accident."""

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.domain.issues import approving, testing
from newsletter.errors import Invalid, NotAllowed, NotFound
from newsletter.models import Subscription, TestAddress, TestSend
from newsletter.states import Role
from tests.domain.issue_makers import Desk, desk, written
from tests.people import staff


def _name(d: Desk, address: str, now: datetime, although_subscriber: bool = False) -> TestAddress:
    with transaction():
        return testing.add_test_address(
            d.mailing_list, address, although_subscriber=although_subscriber, actor=d.ruth, now=now
        )


def test_a_subscriber_gets_no_test_unless_named_as_a_test_address(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    prepared = approving.prepare(issue, now)
    with pytest.raises(Invalid, match="subscribes"), transaction():
        testing.send_test(issue, prepared, ["Reader1@Example.org", "ruth@example.org"], actor=d.ruth, now=now)
    assert db.session.scalar(select(func.count()).select_from(TestSend)) == 0
    with pytest.raises(Invalid) as refusal:
        _name(d, "reader1@example.org", now)
    assert [problem.field for problem in refusal.value.problems] == ["although_subscriber"]
    _name(d, "reader1@example.org", now, although_subscriber=True)
    with transaction():
        sent = testing.send_test(issue, prepared, ["reader1@example.org", "new@example.org"], actor=d.ruth, now=now)
    assert [each.address for each in sent] == ["reader1@example.org", "new@example.org"]


def test_staff_who_subscribe_test_as_they_like(app: Flask, now: datetime) -> None:
    d = desk(now)
    with transaction():
        subscription = db.session.scalars(select(Subscription)).first()
        assert subscription is not None
        assert subscription.subscriber is not None
        subscription.subscriber.address = subscription.subscriber.address_key = "ruth@example.org"
    issue = written(d, now)
    prepared = approving.prepare(issue, now)
    with transaction():
        assert len(testing.send_test(issue, prepared, ["ruth@example.org"], actor=d.ruth, now=now)) == 1


def test_a_test_address_is_no_subscription(app: Flask, now: datetime) -> None:
    d = desk(now)
    before = db.session.scalar(select(func.count()).select_from(Subscription))
    named = _name(d, " Outlook@Example.org ", now)
    assert testing.addresses_for_tests(d.mailing_list) == [named]
    assert db.session.scalar(select(func.count()).select_from(Subscription)) == before
    with pytest.raises(Invalid, match="already"):
        _name(d, "outlook@example.org", now)
    with transaction():
        assert testing.remove_test_address(d.mailing_list, named.id, actor=d.ruth, now=now) == "Outlook@example.org"
    assert testing.addresses_for_tests(d.mailing_list) == []
    with pytest.raises(NotFound), transaction():
        testing.remove_test_address(d.mailing_list, 7, actor=d.ruth, now=now)


def test_there_are_few_of_them_and_a_viewer_names_none(app: Flask, now: datetime) -> None:
    d = desk(now)
    for number in range(10):
        _name(d, f"inbox{number}@example.org", now)
    with pytest.raises(Invalid, match="10 test addresses"):
        _name(d, "inbox10@example.org", now)
    viewer = staff(now, "Vera Nkosi", Role.VIEWER)
    with pytest.raises(NotAllowed), transaction():
        testing.add_test_address(d.mailing_list, "vera2@example.org", actor=viewer, now=now)
