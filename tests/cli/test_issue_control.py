"""What an operator decides at the command line about an issue that is being sent, or was."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter import clock
from newsletter.app import create_app
from newsletter.cli import main
from newsletter.db import db, transaction
from newsletter.delivery.ledger import tallies
from newsletter.models import Delivery, Issue
from newsletter.schema import prepare_schema
from newsletter.states import DeliveryState, Role
from tests.delivery.sending import makers
from tests.people import staff

Command = Callable[..., SimpleNamespace]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An installation in the environment: December 2026 is being sent to seven readers, Vera may only look."""
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "var"))
    for name in ("DATABASE_URL", "RELAY_URL", "PUBLIC_URL"):
        monkeypatch.delenv(f"NEWSLETTER_{name}", raising=False)
    app = create_app()
    with app.app_context():
        prepare_schema()
        now = clock.now()
        makers.sending(now, 7)
        staff(now, "Vera Lund", Role.VIEWER)
        db.session.remove()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def newsletter(here: Flask, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """`newsletter issues …` as typed: exit status, standard output, standard error."""

    def run(*arguments: str, stdin: bytes = b"") -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["newsletter", "issues", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        db.session.remove()
        capfd.readouterr()
        try:
            main()
            status: object = 0
        except SystemExit as ended:
            status = ended.code or 0
        said = capfd.readouterr()
        return SimpleNamespace(status=status, out=said.out, err=said.err)

    return run


def put(state: DeliveryState, *numbers: int, reply: str = "") -> list[int]:
    """Bring deliveries, the first being 1, into a state as a run would have. Returns their keys."""
    now = clock.now()
    with transaction() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.id)).all()
        chosen = [rows[number - 1] for number in numbers]
        for row in chosen:
            row.state, row.attempts, row.reply, row.retry_at = state, 1, reply, now + timedelta(hours=3)
        tallies.moved(session, chosen[0].issue_id, DeliveryState.QUEUED, state, len(chosen))
    return [row.id for row in chosen]


def states() -> list[str]:
    db.session.rollback()
    return [row.state.value for row in db.session.scalars(select(Delivery).order_by(Delivery.id))]


def test_those_who_were_put_off_are_tried_now(here: Flask, newsletter: Command) -> None:
    assert newsletter("retry", "december-2026").out == "December 2026: nothing was put off.\n"
    put(DeliveryState.DEFERRED, 1, 2)
    put(DeliveryState.REFUSED, 3)
    done = newsletter("retry", "december-2026")
    assert (done.status, done.out) == (0, "December 2026: 2 messages that were put off are tried now.\n")
    assert states()[:3] == ["deferred", "deferred", "refused"]
    due = db.session.scalars(select(Delivery.retry_at).where(Delivery.state == DeliveryState.DEFERRED)).all()
    assert all(at is not None and at <= clock.now() for at in due)


def test_who_is_in_doubt_is_listed_for_people_and_for_machines(here: Flask, newsletter: Command) -> None:
    assert newsletter("unsure", "december-2026").out == "December 2026: nobody is in doubt.\n"
    keys = put(DeliveryState.UNSURE, 2, 5, reply="The connection was lost")
    lines = newsletter("unsure", "december-2026").out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        [str(keys[0]), "reader2@example.org"],
        [str(keys[1]), "reader5@example.org"],
    ]
    assert all(line.endswith("The connection was lost") for line in lines)
    listed = json.loads(newsletter("unsure", "december-2026", "--json").out)
    assert [(each["delivery"], each["left"]) for each in listed] == [(keys[0], False), (keys[1], False)]


def test_one_is_sent_again_and_another_left(here: Flask, newsletter: Command) -> None:
    again, left = put(DeliveryState.UNSURE, 1, 2)
    done = newsletter("decide", "december-2026", str(again), str(again), "--send-again")
    assert (done.status, done.out) == (0, "December 2026: 1 message goes out again.\n")
    assert newsletter("decide", "december-2026", str(left), "--leave").out.endswith("is left as it is.\n")
    assert states()[:2] == ["deferred", "unsure"]
    assert json.loads(newsletter("unsure", "december-2026", "--json").out)[0]["left"] is True


def test_it_asks_before_it_sends_to_many_again(here: Flask, newsletter: Command) -> None:
    put(DeliveryState.UNSURE, 1, 2, 3)
    refused = newsletter("decide", "december-2026", "--all", "--send-again", stdin=b"n\n")
    assert refused.status == 1
    assert "Send to 3 people again, who may then have it twice?" in refused.err
    assert states()[:3] == ["unsure"] * 3
    # Nobody there to answer is no.
    assert newsletter("decide", "december-2026", "--all", "--send-again").status == 1
    agreed = newsletter("decide", "december-2026", "--all", "--send-again", stdin=b"y\n")
    assert (agreed.status, agreed.out) == (0, "December 2026: 3 messages go out again.\n")
    assert states()[:3] == ["deferred"] * 3


def test_a_script_says_yes_beforehand_and_leaving_is_never_asked_about(here: Flask, newsletter: Command) -> None:
    put(DeliveryState.UNSURE, 1, 2, 3)
    assert newsletter("decide", "december-2026", "--all", "--leave").out == (
        "December 2026: 3 messages are left as they are.\n"
    )
    more = [str(key) for key in put(DeliveryState.UNSURE, 4, 5)]
    assert newsletter("decide", "december-2026", *more, "--send-again", "--yes").status == 0
    assert states() == ["unsure"] * 3 + ["deferred"] * 2 + ["queued"] * 2


def test_what_cannot_be_decided_is_said_in_a_sentence_and_nothing_is_half_done(
    here: Flask, newsletter: Command
) -> None:
    unsure, accepted = put(DeliveryState.UNSURE, 1)[0], put(DeliveryState.ACCEPTED, 2)[0]
    for words, sentence in (
        (["--all"], "Say --send-again or --leave."),
        (["--leave"], "Name deliveries, or say --all."),
        (["--all", "--leave", str(unsure)], "Name deliveries, or say --all."),
        ([str(unsure), "99", "98", "--leave"], "December 2026 has no delivery 99 or 98."),
        ([str(unsure), "9" * 40, "--leave"], f"December 2026 has no delivery {'9' * 40}."),
        ([str(unsure), str(accepted), "--leave"], "This message is accepted, not unsure"),
        ([str(unsure), "--leave", "--as", "vera@example.org"], "may not"),
        (["0", "--leave"], "0 is not in the range"),
    ):
        done = newsletter("decide", "december-2026", *words)
        assert done.status in (1, 2)
        assert sentence in done.err
        assert "Traceback" not in done.err
        assert json.loads(newsletter("unsure", "december-2026", "--json").out)[0]["left"] is False


def test_of_an_issue_that_is_not_sent_there_is_nothing_to_retry(here: Flask, newsletter: Command) -> None:
    newsletter("pause", "december-2026", "--reason", "A wrong date")
    assert newsletter("retry", "december-2026").err == "December 2026 is paused. Resume it first.\n"
    assert newsletter("retry", "nothing").status == 1
    newsletter("resume", "december-2026")
    newsletter("cancel", "december-2026")
    assert "cancelled" in newsletter("retry", "december-2026").err
    assert db.session.scalars(select(Issue)).one().sent_at is None
