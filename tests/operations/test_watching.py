"""What is wrong, who is told of it and how often; and what is none of anybody's business."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, current_app
from sqlalchemy import delete, select, update

from newsletter.db import db, transaction
from newsletter.delivery.notices import outbox
from newsletter.domain.notices import send_notice
from newsletter.errors import RelayDown, RelayRefused
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Account, MailSource, Notice, OperationTotal, ProcessSign, Trouble, Worker
from newsletter.operations import pulse, shared_folder, totals, watching
from newsletter.operations.facts import facts
from newsletter.operations.judging import judge
from newsletter.operations.signs import gather
from newsletter.states import TroubleKind
from newsletter.work.liveness import Life, Process
from newsletter.work.performing import perform
from newsletter.work.registry import JOBS

from .conftest import enlist, happened

pytestmark = pytest.mark.both_databases
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def look_round(now: datetime) -> None:
    """What the tick of each minute does, counted as it is."""
    happened(now, totals.JOB, "watch_over")
    watching.watch(now)
    outbox.deliver_notices(now)


def wrong(now: datetime, *, ticked: bool = True) -> list[tuple[TroubleKind, str]]:
    if ticked:
        happened(now, totals.JOB, "watch_over")
    return [(one.kind, one.sentence) for one in judge(gather(now))]


def told() -> list[str]:
    """The mails about trouble, as template and recipient, oldest first."""
    chosen = select(Notice).where(Notice.template.startswith("trouble_")).order_by(Notice.id)
    return [f"{one.template} {one.address}" for one in db.session.scalars(chosen)]


def set_up(**settings: object) -> None:
    current_app.config["NEWSLETTER"] = replace(current_app.config["NEWSLETTER"], **settings)


def test_all_is_well(worker: int, now: datetime) -> None:
    assert wrong(now) == []
    assert watching.watch(now) == []
    assert told() == []


def test_nobody_works(ada: Account, now: datetime) -> None:
    assert wrong(now) == [(TroubleKind.WORKER, "No worker is running: no mail leaves, and nothing happens by itself.")]


def test_a_worker_that_died_is_told_of_once_and_its_end_too(worker: int, now: datetime) -> None:
    dead = enlist(now + MINUTE, pid=2**22 + 1)
    for minute in range(2):
        look_round(now + minute * MINUTE)
    assert told() == [], "workers are started anew"
    for minute in range(2, 30):
        look_round(now + minute * MINUTE)
    assert told() == ["trouble_began ada@example.org"]

    enlist(now + 30 * MINUTE)
    for minute in range(30, 45):
        look_round(now + minute * MINUTE)
    assert told() == ["trouble_began ada@example.org", "trouble_over ada@example.org"]
    assert db.session.get(ProcessSign, dead) is None
    (trouble,) = db.session.scalars(select(Trouble))
    assert (trouble.kind, trouble.ended_at) == (TroubleKind.WORKER, now + 29 * MINUTE)


def test_pages_that_are_gone_are_told_of_unless_others_came_in_their_place(worker: int, now: datetime) -> None:
    enlist(now, part="web", pid=2**22 + 1)
    [(kind, sentence)] = wrong(now)
    assert kind is TroubleKind.WORKER
    assert sentence.startswith("A process of the pages on ")
    assert "ended without taking its leave" in sentence
    enlist(now + MINUTE, part="web")
    assert wrong(now + MINUTE) == []
    assert dict(facts(gather(now + MINUTE)))["Pages"].endswith(": 1 process, since 10:01am, Monday 7 December 2026")


def test_machines_that_do_not_share_the_folder_of_imports(worker: int, now: datetime, tmp_path: Path) -> None:
    set_up(runner="procrastinate")
    # One that only rings has no part in imports.
    others = {enlist(now, part="web"): "press-2", enlist(now, part="scheduler"): "press-3"}
    with transaction() as session:
        for number, host in others.items():
            session.execute(update(Worker).where(Worker.id == number).values(host=host))
    here = Process.this().host
    happened(now, totals.IMPORTS, "press-2", "0123456789abcdef")
    happened(now, totals.IMPORTS, "press-3", "somewhere else")
    happened(now, totals.IMPORTS, "press-4", "of a machine that was given away")
    assert [kind for kind, _sentence in wrong(now)] == []
    shared_folder.note_here()
    totals.write_down()
    name = (tmp_path / "imports" / ".name").read_text()
    assert shared_folder.by_name(gather(now)) == {"0123456789abcdef": ["press-2"], name: [here]}
    [(kind, sentence)] = wrong(now)
    assert kind is TroubleKind.JOB
    assert "have folders of imports of their own" in sentence
    assert "press-2" in sentence and here in sentence and "press-3" not in sentence
    # Mounted at last: whoever comes later finds its name.
    happened(now, totals.IMPORTS, "press-2", name)
    shared_folder.note_here()
    totals.write_down()
    assert wrong(now) == []
    assert (tmp_path / "imports" / ".name").read_text() == name


def test_a_mail_server_that_is_away_is_trouble_after_ten_minutes(worker: int, now: datetime) -> None:
    happened(now + MINUTE, totals.RELAY, "down", "Connection refused by mail.example.org")
    for minute in range(1, 11):
        look_round(now + minute * MINUTE)
    assert told() == []
    assert [sentence.partition(": ")[2] for _kind, sentence in wrong(now + 2 * MINUTE)] == [
        "Connection refused by mail.example.org"
    ]
    look_round(now + 11 * MINUTE)
    assert told() == ["trouble_began ada@example.org"]
    happened(now + 12 * MINUTE, totals.RELAY, "accepted")
    assert wrong(now + 12 * MINUTE) == []
    look_round(now + 20 * MINUTE)
    assert len(told()) == 1, "not before ten quiet minutes"
    look_round(now + 22 * MINUTE)
    assert told()[1:] == ["trouble_over ada@example.org"]


def test_what_comes_and_goes_is_no_storm(worker: int, now: datetime) -> None:
    for quarter in range(24):
        moment = now + quarter * 15 * MINUTE
        set_up(backup_hours=1 if quarter % 2 else 0)
        look_round(moment)
    assert told() == ["trouble_began ada@example.org", "trouble_over ada@example.org"]
    assert len(list(db.session.scalars(select(Trouble)))) == 12


def test_what_is_told_says_what_to_do_and_leads_to_the_page(worker: int, now: datetime, relay: MemoryRelay) -> None:
    set_up(backup_hours=26)
    look_round(now)
    happened(now, totals.BACKUP, "")
    look_round(now + 10 * MINUTE)
    began, over = (each.message.decode() for each in relay.accepted)
    assert "No backup has been made yet." in began
    assert "newsletter backup" in began
    assert "https://news.example.org/desk/operations" in began
    assert "It is over" in over
    assert "It lasted from 10am, Monday 7 December 2026 to 10am, Monday 7 December 2026." in " ".join(over.split())


def test_a_scheduler_that_is_silent_is_noticed_by_whoever_lives(worker: int, now: datetime) -> None:
    pulse.give_sign(worker, now + 4 * MINUTE)
    assert told() == []
    pulse.give_sign(worker, now + 6 * MINUTE)
    assert told() == ["trouble_began ada@example.org"]
    found = set(db.session.scalars(select(Trouble.kind)))
    # PostgreSQL's own clock is not that of the story.
    assert found - {TroubleKind.CLOCK} == {TroubleKind.SCHEDULER}


def test_a_process_that_leaves_in_order_leaves_no_sign(app: Flask, worker: int) -> None:
    with pulse.pulse(app, Life(worker)):
        pass
    db.session.rollback()
    assert db.session.get(ProcessSign, worker) is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"disk_free": 999_999_999}, TroubleKind.DISK),
        ({"clock_ahead": 61.0}, TroubleKind.CLOCK),
        ({"clock_ahead": -61.0}, TroubleKind.CLOCK),
    ],
)
def test_a_machine_with_little_room_or_a_wrong_clock(
    worker: int, now: datetime, values: dict[str, float], kind: TroubleKind
) -> None:
    with transaction() as session:
        session.execute(update(ProcessSign).values(**values))
    [(found, sentence)] = wrong(now)
    assert found is kind
    assert "behind" in sentence or values != {"clock_ahead": -61.0}


def test_mails_that_wait_for_long(worker: int, now: datetime) -> None:
    with transaction():
        send_notice("account_changed", "tom@example.org", now=now, values={"what": "password"})
        send_notice("account_changed", "tom@example.org", now=now, leaves_at=now + HOUR, values={"what": "password"})
    assert wrong(now + 29 * MINUTE) == []
    [(kind, sentence)] = wrong(now + 31 * MINUTE)
    assert kind is TroubleKind.NOTICES
    assert sentence.startswith("2 mails to one person wait, the oldest since 10am")
    assert "tom@" not in sentence


def test_a_mailbox_that_cannot_be_read_for_an_hour(worker: int, now: datetime) -> None:
    set_up(inbound_url="maildir:/nowhere")
    with transaction() as session:
        session.add(MailSource(name="Maildir /nowhere", problem="There is no such folder.", looked_at=now))
    for minute in (0, 59):
        look_round(now + minute * MINUTE)
    assert told() == []
    look_round(now + 61 * MINUTE)
    assert told() == ["trouble_began ada@example.org"]


def test_a_job_that_fails_until_it_succeeds(
    app: Flask, worker: int, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([ValueError("no"), None])

    def often_fails() -> None:
        if (answer := next(answers)) is not None:
            raise answer

    monkeypatch.setitem(JOBS, "often_fails", often_fails)
    perform(app, "often_fails", (), waited=1.5)
    totals.write_down()
    [(_kind, sentence)] = [one for one in wrong(now) if one[0] is TroubleKind.JOB]
    assert sentence.startswith("The job often_fails failed at")
    assert sentence.endswith("(ValueError).")
    perform(app, "often_fails", (), waited=0.5)
    totals.write_down()
    assert [one for one in wrong(now) if one[0] is TroubleKind.JOB] == []
    waited = db.session.get_one(OperationTotal, (totals.JOB_WAITED, "often_fails"))
    assert (waited.number, waited.total, waited.latest) == (2, 2.0, 0.5)


def test_what_the_mail_server_answers_is_counted_by_kind(worker: int, now: datetime, relay: MemoryRelay) -> None:
    relay.fail("tom@example.org", RelayRefused("550 no tom@example.org here"), RelayDown("It hung up"))
    for _count in range(2):
        with transaction():
            send_notice("account_changed", "tom@example.org", now=now, values={"what": "password"})
    outbox.deliver_notices(now)
    totals.write_down()
    found = {label: (one.number, one.said) for (name, label), one in totals.totals().items() if name == totals.RELAY}
    assert found["refused"] == (1, "")
    assert found["down"] == (1, "It hung up")


def test_counts_that_cannot_be_written_are_not_lost(app: Flask, worker: int, now: datetime) -> None:
    happened(now, totals.JOB, "look")
    from newsletter.work import counting

    counting.note(totals.JOB, "look")
    db.session.execute(select(1))
    with pytest.raises(RuntimeError), transaction():
        totals.write_down()
    totals.write_down()
    assert db.session.get_one(OperationTotal, (totals.JOB, "look")).number == 2


def test_old_troubles_are_forgotten(worker: int, now: datetime) -> None:
    with transaction() as session:
        session.add(
            Trouble(kind=TroubleKind.DISK, said="full", began_at=now - 91 * 24 * HOUR, seen_at=now - 91 * 24 * HOUR,
                    ended_at=now - 91 * 24 * HOUR)
        )  # fmt: skip
    look_round(now)
    assert list(db.session.scalars(select(Trouble))) == []
    with transaction() as session:
        session.execute(delete(ProcessSign))
