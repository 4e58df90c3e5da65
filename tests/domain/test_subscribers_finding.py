"""Finding subscribers: by words that begin so, page by page, among few and among many."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.domain.subscribers import finding, forgetting, importing, indexing, leaving
from newsletter.domain.subscribers.finding import Count, Standing
from newsletter.models import MailingList, Subscriber, SubscriberWord, Subscription, WordsWanted
from newsletter.models.finding import search_words
from newsletter.states import SubscriptionState
from newsletter.work.runners import SilentRunner
from tests import people

DAY = timedelta(days=1)
NOW = datetime(2026, 12, 7, 10, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def quarterly(request: pytest.FixtureRequest, settings: Settings) -> Iterator[MailingList]:
    if request.param == "sqlite":
        request.getfixturevalue("app")
        yield people.larkmere(NOW)
        return
    settings = replace(settings, database_url=request.getfixturevalue("postgres_url"))
    with create_app(settings, runner=SilentRunner()).app_context():
        db.create_all()
        yield people.larkmere(NOW)
        db.session.remove()
        db.engine.dispose()


def bring_in(mailing_list: MailingList, *lines: str) -> None:
    sheet = "email,name,organisation\n" + "\n".join(lines)
    importing.import_csv(BytesIO(sheet.encode()), mailing_list, source="Paper", actor=None, now=NOW)


def found(query: str, mailing_list: MailingList | None = None, state: Standing | None = None) -> list[str]:
    """Everybody found, page by page, two on a page."""
    addresses: list[str] = []
    after: str | None = None
    while True:
        page = finding.find_subscribers(query, mailing_list, state, after, 2, now=NOW)
        addresses += [one.address for one in page.subscribers]
        after = page.after_key
        if after is None:
            return addresses


LINES = (
    "tom.hale@police.example.org,Tom Hale,Larkmere Police",
    "zoe@school.example.org,Zoë Ó Briain,Ty Gwyn – Llŷn",
    "a.hall@council.example.org,Asha Hall,Larkmere Council",
)


QUERIES: tuple[tuple[str, list[str]], ...] = (
    ("hal", ["a.hall", "tom.hale"]),
    ("HALE", ["tom.hale"]),
    ("larkmere", ["a.hall", "tom.hale"]),
    ("tom larkmere", ["tom.hale"]),
    ("tom.hale@police.example.org", ["tom.hale"]),
    ("tom.hale@pol", ["tom.hale"]),
    ("zoë", ["zoe"]),
    ("gwyn", ["zoe"]),
    ("tom council", []),
    ("100%", []),
    ("_", []),
    ("%", []),
)


@pytest.mark.parametrize("indexed", [True, False])
def test_words_that_begin_so(indexed: bool, quarterly: MailingList) -> None:
    """As soon as they are there, and after the job gave them their words."""
    bring_in(quarterly, *LINES)
    if indexed:
        indexing.index_wanted()
        assert db.session.scalar(select(func.count(WordsWanted.id))) == 0
    for query, expected in QUERIES:
        assert [address.partition("@")[0] for address in found(query)] == expected, query
        assert finding.counts(query, quarterly, now=NOW)[None] == Count(len(expected)), query


def test_page_by_page_by_how_they_stand(quarterly: MailingList, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same people whether they are few of many, or so many that the addresses are gone through in order."""
    readers = people.subscribers(NOW, quarterly, 30)
    with transaction():
        leaving.unsubscribe(readers[0], route="link", now=NOW)
        readers[1].paused_until = NOW + DAY
    other = people.policy_changes(NOW)
    everybody = sorted(f"reader{number}@example.org" for number in range(1, 31))
    left, paused = "reader1@example.org", "reader2@example.org"
    expected = {
        None: everybody,
        Standing.LEFT: [left],
        Standing.PAUSED: [paused],
        Standing.ACTIVE: [each for each in everybody if each not in (left, paused)],
    }
    for few, stride, strides in ((5_000, 10_000, 4), (0, 10_000, 4), (0, 7, 1)):
        monkeypatch.setattr(finding, "FEW", few)
        monkeypatch.setattr(finding, "_STRIDE", stride)
        monkeypatch.setattr(finding, "_STRIDES", strides)
        for standing, addresses in expected.items():
            assert found("READER", quarterly, standing) == found("", quarterly, standing) == addresses
            assert found("", None, standing) == addresses
        assert found("reader", other) == []
    monkeypatch.undo()
    counted = {Standing.ACTIVE: Count(28), Standing.PAUSED: Count(1), Standing.LEFT: Count(1), None: Count(30)}
    for query, chosen in (("", quarterly), ("reader", quarterly), ("", None), ("reader", None)):
        assert finding.counts(query, chosen, now=NOW) == counted
    assert finding.counts("", quarterly, now=NOW + 2 * DAY)[Standing.ACTIVE] == Count(29)
    assert finding.counts("reader", other, now=NOW)[None] == Count(0)


def test_many_are_not_counted_out(quarterly: MailingList, monkeypatch: pytest.MonkeyPatch) -> None:
    people.subscribers(NOW, quarterly, 8)
    people.policy_changes(NOW)
    monkeypatch.setattr(finding, "_SOME", 5)
    assert finding.counts("reader", quarterly, now=NOW)[Standing.ACTIVE] == Count(5, more=True)
    monkeypatch.setattr(finding, "_COUNTED", 3)
    counted = finding.counts("", None, now=NOW)
    assert (counted[Standing.ACTIVE], counted[None]) == (Count(3, more=True), Count(8))


def test_whoever_changes_is_found_by_what_is_true_now(quarterly: MailingList) -> None:
    bring_in(quarterly, *LINES)
    indexing.index_wanted()
    with transaction() as session:
        tom = session.scalars(select(Subscriber).where(Subscriber.name == "Tom Hale")).one()
        tom.name, tom.organisation = "Tom Marsh", "Fire Service"
    assert (found("marsh"), found("fire")) == (["tom.hale@police.example.org"],) * 2
    assert found("larkmere") == ["a.hall@council.example.org"]
    with transaction() as session:
        forgetting.erase_subscriber(session.get_one(Subscriber, tom.id), route="staff", now=NOW)
    words = set(db.session.scalars(select(SubscriberWord.word)))
    assert not words & {"tom", "hale", "marsh", "police", "fire"}
    assert "zoe" in words


def test_an_interrupted_job_goes_on(quarterly: MailingList, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at a time; somebody signs up meanwhile and has words already; twice is as once."""
    monkeypatch.setattr(indexing, "_AT_ONCE", 2)
    bring_in(quarterly, *LINES, "helen@example.org,Helen Price,")
    assert indexing._index_some()
    assert db.session.scalars(select(WordsWanted.first_id)).one() == 3
    assert (found("tom"), found("helen")) == (["tom.hale@police.example.org"], ["helen@example.org"])
    people.subscribers(NOW, quarterly, 1)
    indexing.index_wanted()
    indexing.index_wanted()
    held = {
        number: set(db.session.scalars(select(SubscriberWord.word).where(SubscriberWord.subscriber_id == number)))
        for number in db.session.scalars(select(Subscriber.id))
    }
    assert held == {
        one.id: search_words(one.address, one.name, one.organisation) for one in db.session.scalars(select(Subscriber))
    }


def test_those_who_left_long_ago_do_not_hide_a_page(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that comes out empty because enough was looked at says where to look further."""
    quarterly = people.larkmere(NOW)
    people.subscribers(NOW, quarterly, 9)
    with transaction() as session:
        for one in session.scalars(select(Subscription).join(Subscriber).order_by(Subscriber.address_key).limit(6)):
            one.state, one.left_at = SubscriptionState.LEFT, NOW
    monkeypatch.setattr(finding, "FEW", 0)
    monkeypatch.setattr(finding, "_STRIDE", 2)
    monkeypatch.setattr(finding, "_STRIDES", 2)
    page = finding.find_subscribers("", quarterly, Standing.ACTIVE, None, 2, now=NOW)
    assert (page.subscribers, page.after_key) == ([], "reader4@example.org")
    assert found("", quarterly, Standing.ACTIVE) == [f"reader{number}@example.org" for number in (7, 8, 9)]
