"""Part of a list by conditions: who is in it, what approval binds to, and who is frozen when the issue goes out."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter import addresses
from newsletter.db import db, transaction
from newsletter.delivery import launch
from newsletter.domain.issues import approving, audience, scheduling
from newsletter.domain.subscribers import audiences, sectors
from newsletter.errors import Invalid, NotFound, Refused
from newsletter.models import Audience, Delivery, Issue, MailingList, Subscriber, Subscription
from newsletter.states import DeliveryState, IssueState, SubscriptionState
from tests.domain.issue_makers import Desk, approved, desk, written
from tests.people import larkmere, policy_changes, staff
from tests.web.desk import approve


def _one(field: str, how: str, value: Any) -> dict[str, Any]:
    return {"field": field, "is": how, "value": value}


def _reader(
    now: datetime, on: MailingList, address: str, *, sector: str = "", organisation: str = "", days_ago: int = 0
) -> Subscription:
    with transaction() as session:
        person = db.session.scalar(select(Subscriber).where(Subscriber.address_key == addresses.key(address)))
        person = person or Subscriber(
            address=address,
            address_key=addresses.key(address),
            sector=sector,
            organisation=organisation,
            created_at=now,
        )
        made = Subscription(
            subscriber=person, list_id=on.id, state=SubscriptionState.ACTIVE, source="test",
            joined_at=now - timedelta(days=days_ago),
        )  # fmt: skip
        session.add_all([person, made])
    return made


def _who(on: MailingList, *conditions: dict[str, Any]) -> set[str]:
    chosen = select(Subscriber.address).join(Subscription).where(Subscription.id.in_(audiences.members(on, conditions)))
    return {address.partition("@")[0] for address in db.session.scalars(chosen)}


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    """Six readers of the quarterly; Bea and Cal also get the other list."""
    quarterly, policy = larkmere(now), policy_changes(now)
    _reader(now, quarterly, "ada@health.example.org", sector="health", organisation="Larkmere Hospital", days_ago=400)
    _reader(now, quarterly, "bea@ward.health.example.org", sector="health", organisation="St Bride 100% care")
    _reader(now, quarterly, "cal@police.example.org", sector="police", organisation="Larkmere Police", days_ago=30)
    _reader(now, quarterly, "dot@example.com", organisation="100 Acre School", days_ago=31)
    _reader(now, quarterly, "eve@xhealth.example.org", sector="education")
    left = _reader(now, quarterly, "fay@health.example.org", sector="health")
    with transaction():
        db.session.merge(left).state, left.left_at = SubscriptionState.LEFT, now
    for address in ("bea@ward.health.example.org", "cal@police.example.org"):
        _reader(now, policy, address)
    return quarterly


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], "ada bea cal dot eve"),
        ([("sector", "one_of", ["health"])], "ada bea"),
        ([("sector", "one_of", ["police", ""])], "cal dot"),
        ([("organisation", "has", "LARKMERE")], "ada cal"),
        ([("organisation", "has", "100%")], "bea"),
        ([("organisation", "has", "' OR 1=1 --")], ""),
        ([("domain", "one_of", ["health.example.org"])], "ada bea"),
        ([("domain", "one_of", ["@Example.COM ", "police.example.org"])], "cal dot"),
        ([("domain", "none_of", ["example.org"])], "dot"),
        ([("domain", "one_of", ["h_alth.example.org"])], None),
        ([("joined", "before", "2026-11-07")], "ada dot"),
        ([("joined", "since", "2026-11-07")], "bea cal eve"),
        ([("sector", "one_of", ["health"]), ("joined", "before", "2026-01-01")], "ada"),
    ],
)
def test_who_is_meant(quarterly: MailingList, conditions: list[tuple[str, str, Any]], expected: str | None) -> None:
    asked = [_one(*each) for each in conditions]
    if expected is None:
        with pytest.raises(Invalid, match="is no domain"):
            audiences.count(quarterly, asked)
        return
    assert _who(quarterly, *asked) == set(expected.split())
    assert audiences.count(quarterly, asked) == len(expected.split())


def test_the_other_list_and_what_was_sent(quarterly: MailingList, now: datetime) -> None:
    policy = db.session.scalars(select(MailingList).where(MailingList.id != quarterly.id)).one()
    assert _who(quarterly, _one("list", "on", policy.id)) == {"bea", "cal"}
    assert _who(quarterly, _one("list", "off", policy.id)) == {"ada", "dot", "eve"}
    ids = {one.subscriber.address[:3]: one.id for one in db.session.scalars(select(Subscription)
           .where(Subscription.list_id == quarterly.id)) if one.subscriber}  # fmt: skip
    with transaction() as session:
        issue = Issue(list_id=quarterly.id, slug="autumn-2026", title="Autumn", subject="Autumn", created_at=now)
        session.add(issue)
        session.flush()
        for name, state, days in (
            ("ada", DeliveryState.ACCEPTED, 10),
            ("bea", DeliveryState.REFUSED, 10),
            ("cal", DeliveryState.ACCEPTED, 90),
        ):  # fmt: skip
            session.add(Delivery(issue_id=issue.id, subscription_id=ids[name], state=state, attempts=1,
                                 updated_at=now - timedelta(days=days)))  # fmt: skip
    assert _who(quarterly, _one("sent", "not_since", "2026-11-01")) == {"bea", "cal", "dot", "eve"}


@pytest.mark.parametrize(
    "odd",
    [
        {"field": "address_key", "is": "has", "value": "a"},
        {"field": "sector", "is": "has", "value": ["health"]},
        {"field": "sector", "is": "one_of", "value": ["nobody's"]},
        {"field": "sector", "is": "one_of", "value": "health"},
        {"field": "sector", "is": "one_of", "value": []},
        {"field": "domain", "is": "one_of", "value": [f"d{n}.example.org" for n in range(51)]},
        {"field": "organisation", "is": "has", "value": "x" * 151},
        {"field": "list", "is": "on", "value": 99},
        {"field": "list", "is": "on", "value": "1; DROP TABLE subscriber"},
        {"field": "joined", "is": "before", "value": "last year"},
        {"field": ["sector"], "is": "one_of", "value": ["health"]},
        {},
    ],
)
def test_what_cannot_be_asked_is_refused_and_never_run(quarterly: MailingList, odd: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        audiences.members(quarterly, [odd])


def test_saving_one_says_everything_that_is_wrong(quarterly: MailingList, now: datetime) -> None:
    ruth = staff(now)
    with transaction():
        kept = audiences.save(None, quarterly, "Health", [_one("sector", "one_of", ["health"])], actor=ruth, now=now)
        number = kept.id
    with pytest.raises(Invalid) as refused, transaction():
        audiences.save(None, quarterly, " health ", [_one("joined", "before", "x")], actor=ruth, now=now)
    assert [problem.field for problem in refused.value.problems] == ["name", "joined_before"]
    with pytest.raises(Invalid) as refused, transaction():
        audiences.save(None, quarterly, "", [], actor=ruth, now=now)
    assert [problem.field for problem in refused.value.problems] == ["name", "sector_one_of"]
    assert [one.name for one in audiences.of_list(quarterly)] == ["Health"]
    with transaction():
        audiences.end(audiences.find(number), actor=ruth, now=now)
    assert audiences.of_list(quarterly) == []
    with pytest.raises(NotFound):
        audiences.find(number)


def _health(d: Desk, now: datetime) -> Audience:
    """Two of the five readers work in health, and there is an audience of them."""
    with transaction():
        for subscriber in db.session.scalars(select(Subscriber).order_by(Subscriber.id).limit(2)):
            subscriber.sector = "health"
        asked = [_one("sector", "one_of", ["health"])]
        return audiences.save(None, d.mailing_list, "Health", asked, actor=d.ruth, now=now)


def test_another_choice_ends_the_approval(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue, health = approved(d, now), _health(d, now)
    before = approving.prepare(issue, now).content_hash
    assert audience.audience_definition(issue) == {"list_id": issue.list_id, "state": "active"}
    with transaction():
        assert audience.choose(issue, health, actor=d.ruth, now=now)
    assert issue.state is IssueState.DRAFT
    assert approving.current_approval(issue) is None
    assert approving.prepare(issue, now).content_hash != before
    assert audience.count(issue) == 2
    with transaction():
        assert not audience.choose(issue, health, actor=d.ruth, now=now)
        assert audience.choose(issue, None, actor=d.ruth, now=now)
        assert not audience.choose(issue, None, actor=d.ruth, now=now)
    assert audience.count(issue) == 5


def test_what_was_approved_is_a_copy_and_is_frozen_by_its_conditions(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    health = _health(d, now)
    with transaction():
        audience.choose(issue, health, actor=d.ruth, now=now)
    approve(issue, d.ewan, now)
    with transaction():
        # Somebody rewords the saved one, somebody joins: the first changes nothing here, the second counts.
        audiences.save(health, d.mailing_list, "Health", [_one("sector", "one_of", ["police"])], actor=d.ruth, now=now)
    _reader(now, d.mailing_list, "new@example.org", sector="health")
    _reader(now, d.mailing_list, "pat@example.org", sector="police")
    with transaction():
        scheduling.schedule(issue, now + timedelta(hours=1), actor=d.ruth, now=now)
    with pytest.raises(Refused), transaction():
        audience.choose(issue, None, actor=d.ruth, now=now)
    assert launch.launch(issue.id, now + timedelta(hours=1))
    frozen = db.session.scalars(
        select(Subscriber.address).join(Subscription).join(Delivery).where(Delivery.issue_id == issue.id)
    )
    assert set(frozen) == {"reader1@example.org", "reader2@example.org", "new@example.org"}


def test_an_audience_that_has_emptied_stops_the_issue_in_plain_words(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    health = _health(d, now)
    with transaction():
        audience.choose(issue, health, actor=d.ruth, now=now)
        for subscriber in db.session.scalars(select(Subscriber)):
            subscriber.sector = ""
    assert "Nobody is in “Health” now: choose who gets the issue." in [
        one.sentence for one in scheduling.obstacles(issue, now)
    ]


def test_an_audience_of_another_list_is_refused(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue, other = written(d, now), policy_changes(now)
    with transaction():
        theirs = audiences.save(None, other, "Ours", [_one("organisation", "has", "x")], actor=d.ruth, now=now)
    with pytest.raises(Refused, match="another list"), transaction():
        audience.choose(issue, theirs, actor=d.ruth, now=now)


def test_sectors_are_the_usual_ones_until_somebody_words_them(app: Flask, now: datetime) -> None:
    assert [one.slug for one in sectors.offered()] == ["health", "police", "education", "council", "voluntary", "other"]
    renamed = [(one.slug, "Schools and colleges" if one.slug == "education" else one.name) for one in sectors.every()]
    kept = ["health", "education", "other"]
    with transaction():
        sectors.change(renamed, kept, "Housing associations", actor=None, now=now)
    assert [one.name for one in sectors.offered()] == [
        "Health", "Schools and colleges", "Something else", "Housing associations",
    ]  # fmt: skip
    assert sectors.names()["police"] == "Police"
    assert (sectors.known("police"), sectors.known("bakery")) == ("police", "")
    assert (sectors.read("SCHOOLS and  colleges"), sectors.read("police"), sectors.read("Bakery")) == (
        "education", "police", "",
    )  # fmt: skip
    with pytest.raises(Invalid) as refused, transaction():
        sectors.change([("health", "")], [], " POLICE ", actor=None, now=now)
    assert {problem.sentence for problem in refused.value.problems} >= {"Enter a name", "“POLICE” is there twice"}
    assert [one.slug for one in sectors.offered()] == ["health", "education", "other", "housing-associations"]
