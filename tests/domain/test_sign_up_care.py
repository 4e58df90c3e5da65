"""What is done for whoever signs up: slips are noticed, a button forgotten is remembered once, nobody is bombed."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from newsletter import jobs
from newsletter.db import db, transaction
from newsletter.domain.subscribers import address_advice, joining, offering, reminding, subscribing, suppressing
from newsletter.domain.subscribers.address_advice import Flag
from newsletter.models import Notice, SignUp
from newsletter.states import SuppressionReason
from tests import people

TOM = "tom.example@example.org"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tom@gmial.com", "tom@gmail.com"),
        ("tom@gmai.com", "tom@gmail.com"),
        ("Tom@GMAILL.com", "Tom@gmail.com"),
        ("tom@gmail.con", "tom@gmail.com"),
        ("tom@hotmial.co.uk", "tom@hotmail.co.uk"),
        ("tom@nhs.met", "tom@nhs.net"),
        ("tom@larkmere.gov.ku", "tom@larkmere.gov.uk"),
        ("tom@larkmere.govuk", "tom@larkmere.gov.uk"),
        ("tom@gmail.com", None),
        ("tom@mail.com", None),
        ("tom@live.com", None),
        ("tom@example.org", None),
        ("tom@xn--bcher-kva.example", None),
        ("tom@me.co", None),
    ],
)
def test_one_slip_is_seen_and_another_domain_is_let_alone(typed: str, meant: str | None) -> None:
    assert address_advice.suggestion(typed) == meant


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("Office@example.org", [Flag.ROLE]),
        ("info+news@example.org", [Flag.ROLE]),
        ("infopoint@example.org", []),
        ("sam@box.mailinator.com", [Flag.DISPOSABLE]),
        ("sam@notmailinator.com", []),
        ("admin@yopmail.com", [Flag.ROLE, Flag.DISPOSABLE]),
    ],
)
def test_shared_and_throwaway_addresses_are_flagged(address: str, found: list[Flag]) -> None:
    assert address_advice.flags(address) == found


def _ask(now: datetime, address: str = TOM, **said: str) -> SignUp:
    with transaction():
        subscribing.request_subscription(
            address=address,
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            source="sign-up form", now=now, **said,
        )  # fmt: skip
    return db.session.scalars(select(SignUp).order_by(SignUp.id.desc())).first() or pytest.fail("no sign-up")


def _remind(now: datetime) -> list[bool]:
    done = []
    for number in reminding.due(now):
        with transaction():
            done.append(reminding.remind(number, now))
    return done


def _mails() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice.template).order_by(Notice.id)))


def test_whoever_forgets_the_button_is_reminded_once(app: Flask, now: datetime) -> None:
    people.larkmere(now - DAY)
    _ask(now)
    assert _remind(now + 23 * HOUR) == []
    assert _remind(now + 25 * HOUR) == [True]
    assert _remind(now + 26 * HOUR) == [] and _remind(now + 3 * DAY) == []
    assert _mails() == ["confirm_subscription", "confirm_reminder"]
    with transaction():
        # Two schedulers with the same list of ids: one of them writes.
        assert not reminding.remind(1, now + 25 * HOUR)


def test_nobody_is_reminded_who_acted_or_had_their_mails(app: Flask, now: datetime) -> None:
    people.larkmere(now - DAY)
    confirmed, disowned, asked_again = _ask(now), _ask(now, "dot@example.org"), _ask(now, "pat@example.org")
    with transaction():
        subscribing.confirm(confirmed, now=now + HOUR)
        subscribing.disown(disowned, now=now + HOUR)
    with transaction():
        subscribing.send_again("pat@example.org", now=now + 2 * HOUR)
    assert _remind(now + 25 * HOUR) == [False, False], "one said “not me”, one had a mail within the day"
    assert db.session.get_one(SignUp, asked_again.id).reminded_at == now + 25 * HOUR
    assert "confirm_reminder" not in _mails()


def test_a_suppressed_address_and_a_link_about_to_end_are_let_alone(app: Flask, now: datetime) -> None:
    people.larkmere(now - DAY)
    _ask(now)
    with transaction():
        suppressing.suppress(TOM, SuppressionReason.COMPLAINT, now=now)
    assert _remind(now + 2 * DAY) == [False]
    _ask(now, "late@example.org")
    assert reminding.due(now + 6 * DAY + HOUR) == []


def test_the_job_reminds(app: Flask, now: datetime) -> None:
    people.larkmere(now - DAY)
    _ask(now)
    with time_machine.travel(now + 25 * HOUR, tick=False):
        jobs.remind_sign_ups()
    assert _mails()[-1] == "confirm_reminder"


def test_the_sector_goes_along_and_is_not_overwritten_from_outside(app: Flask, now: datetime) -> None:
    people.larkmere(now - DAY)
    asked = _ask(now, sector="health")
    with transaction():
        subscribing.confirm(asked, now=now)
    person = joining.find_subscriber(TOM)
    assert person is not None and person.sector == "health"
    assert _ask(now, "dot@example.org", sector="no such").sector == ""
    with transaction():
        again = joining.find_or_make_subscriber(TOM, name="", organisation="", sector="police", now=now)
    assert again.sector == "health"
