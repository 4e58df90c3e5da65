"""What became of an issue, at the command line: in words, for machines, as a spreadsheet; and old ones given up."""

import csv
import io
import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine
from flask_migrate import stamp
from sqlalchemy import select, update

from newsletter.app import create_app
from newsletter.cli import main
from newsletter.db import db, transaction
from newsletter.delivery.reports import report
from newsletter.models import Delivery, Issue
from newsletter.resources import data_dir
from newsletter.schema import install_history
from newsletter.states import DeliveryState, IssueState
from tests import people
from tests.delivery import ledger
from tests.delivery.sending import makers

Command = Callable[..., SimpleNamespace]
HOSTILE = "=HYPERLINK(“http://x.example.org”) <script>alert(1)</script>"


@pytest.fixture
def newsletter(
    tmp_path: Path, now: datetime, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """`newsletter …` as typed, in an installation that sent December to six; one was refused in ugly words."""
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "var"))
    for name in ("DATABASE_URL", "RELAY_URL", "PUBLIC_URL"):
        monkeypatch.delenv(f"NEWSLETTER_{name}", raising=False)
    app = create_app()
    with app.app_context():
        db.create_all()
        install_history(app)
        stamp(directory=str(data_dir("migrations")))
        issue = makers.sending(now, 6)
        people.issue(now, issue.mailing_list, title="January 2027", slug="january-2027")
        with transaction() as session:
            session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED, attempts=1))
            row = session.scalars(select(Delivery).limit(1)).one()
            row.state, row.code, row.enhanced, row.reply = DeliveryState.REFUSED, 550, "5.1.1", HOSTILE
            issue.state, issue.sent_at = IssueState.SENT, now + timedelta(minutes=1)
        ledger.tally(issue)
        db.session.remove()
        db.engine.dispose()

    def run(*arguments: str) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["newsletter", "issues", *arguments])
        capfd.readouterr()
        status: object = 0
        try:
            with time_machine.travel(now + timedelta(hours=2), tick=False):
                main()
        except SystemExit as ended:
            status = ended.code or 0
        said = capfd.readouterr()
        return SimpleNamespace(status=status, out=said.out, err=said.err)

    return run


def test_the_report_in_words(newsletter: Command) -> None:
    done = newsletter("report", "december-2026")
    assert (done.status, done.err) == (0, "")
    assert "December 2026: sent, 6 recipients" in done.out
    assert "accepted          5" in done.out
    assert "Refused: 1: There is no such mailbox." in done.out
    assert "Bounced: 0 (0%). None came back." in done.out
    assert "example.org: 5 of 6 accepted" in done.out


def test_the_report_for_machines(newsletter: Command) -> None:
    data = json.loads(newsletter("report", "december-2026", "--json").out)
    assert (data["state"], data["counts"]["accepted"], data["counts"]["refused"]) == ("sent", 5, 1)
    assert report.Report.from_dict(data["report"]).recipients == 6


def test_the_report_as_a_spreadsheet_runs_nothing(newsletter: Command, tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    assert newsletter("report", "december-2026", "--csv", str(file)).status == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    accounts = {row["item"]: row["people"] for row in rows if row["section"] == "accounts"}
    assert sum(map(int, accounts.values())) == 6
    [refused] = [row for row in rows if row["section"] == "refused because"]
    assert (refused["item"], refused["people"]) == ("There is no such mailbox", "1")
    assert refused["words"] == "'" + HOSTILE
    [domain, others] = [row for row in rows if row["section"] == "domain"]
    assert (domain["item"], domain["people"], domain["accepted"], domain["refused"]) == ("example.org", "6", "5", "1")
    assert (others["item"], others["people"]) == ("all other domains", "0")
    assert newsletter("report", "december-2026", "--csv", "-").out.splitlines()[0].startswith('"section","item"')


def test_bad_input_is_a_sentence(newsletter: Command, tmp_path: Path) -> None:
    early = newsletter("report", "january-2027")
    assert (early.status, early.err) == (1, "January 2027 has not been sent, so there is nothing to report.\n")
    assert newsletter("report", "december-2026", "--json", "--csv", "x").status == 2
    unwritable = newsletter("report", "december-2026", "--csv", str(tmp_path / "no" / "x.csv"))
    assert unwritable.status == 1
    assert "cannot be written" in unwritable.err


def test_what_is_old_is_named_before_it_is_given_up(newsletter: Command, now: datetime) -> None:
    assert newsletter("aggregate", "--dry-run").out == "Nothing is old enough.\n"
    with create_app().app_context():
        december = db.session.scalars(select(Issue).where(Issue.slug == "december-2026")).one()
        with transaction():
            december.started_at, december.sent_at = now - timedelta(days=200), now - timedelta(days=200)
        mailing_list = december.mailing_list
        for back in (100, 50, 10):
            later = makers.sending_to(now - timedelta(days=back), mailing_list, f"later-{back}")
            with transaction():
                later.state, later.sent_at = IssueState.SENT, now - timedelta(days=back)
        db.session.remove()
        db.engine.dispose()
    assert newsletter("aggregate", "--dry-run").out == "December 2026: 6 deliveries would be given up\n"
    before = newsletter("status", "december-2026", "--json").out
    assert json.loads(newsletter("aggregate", "--json").out)["issues"] == [
        {"issue": 1, "title": "December 2026", "deliveries": 6}
    ]
    assert newsletter("status", "december-2026", "--json").out == before
    verified = newsletter("verify", "december-2026")
    assert verified.status == 0
    assert "By their totals: the single deliveries were given up at noon, Monday 7 December 2026." in verified.out
    assert "There is no such mailbox" in newsletter("report", "december-2026").out
