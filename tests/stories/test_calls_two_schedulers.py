"""Two schedulers chase the same call at the same moment, in two processes: one mail each."""

import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.domain.calls.reminding import opening
from newsletter.models import Chase, Issue, Notice
from newsletter.work.runners import SilentRunner
from tests.domain import call_makers as make

pytestmark = pytest.mark.both_databases

OPENED = datetime(2017, 11, 2, 10, 0, tzinfo=UTC)
MORNING = datetime(2017, 11, 21, 9, 0, tzinfo=UTC)
PEOPLE = 30

#: What each process does: make itself ready, wait for the word, and run the tick's job three times.
_SCHEDULER = """
import sys
from datetime import datetime
from pathlib import Path
from newsletter import clock, jobs
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.work.runners import SilentRunner
url, folder, key, now = sys.argv[1:]
settings = Settings(data_dir=Path(folder), database_url=url, public_url="https://news.example.org", secret_keys=(key,))
app = create_app(settings, runner=SilentRunner())
clock.now = lambda: datetime.fromisoformat(now)
with app.app_context():
    print("ready", flush=True)
    sys.stdin.readline()
    for _turn in range(3):
        jobs.chase_calls()
        jobs.send_digests()
"""


def test_two_schedulers_at_the_same_moment_send_one_mail_each(settings: Settings, tables: None) -> None:
    app = create_app(settings, runner=SilentRunner())
    with app.app_context():
        _a_call(app)
        before = db.session.query(Chase).count()
        db.session.remove()

        running = [_scheduler(settings) for _number in range(2)]
        for each in running:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in running:
            assert each.stdin is not None
            each.stdin.write("now\n")
            each.stdin.flush()
        for each in running:
            _said, complaint = each.communicate(timeout=60)
            assert (each.returncode, complaint) == (0, "")

        mails = Counter(row.address for row in db.session.query(Notice).filter_by(template="call_reminder"))
        assert len(mails) == PEOPLE
        assert set(mails.values()) == {1}
        assert db.session.query(Notice).filter_by(template="call_digest").count() == 1
        assert db.session.query(Chase).count() == before + PEOPLE + 1
        db.session.remove()
        db.engine.dispose()


def _a_call(app: Flask) -> Issue:
    """Some people are invited, and one of them has sent something."""
    mailing_list, _ruth = make.partnership(OPENED)
    with transaction():
        mailing_list.uses_agencies = False
    for number in range(PEOPLE - 3):
        make.contributor(f"Person{number} Ward", OPENED)
    issue = make.call(mailing_list, OPENED, make.deadline(date(2017, 11, 24)))
    make.sent(issue, MORNING.replace(hour=1), make.person("Cara"))
    with transaction():
        opening.open_the_call(issue, actor=None, now=OPENED)
    make.forget_mails()
    return issue


def _scheduler(settings: Settings) -> subprocess.Popen[str]:
    words = [settings.database_url, str(settings.data_dir), settings.secret_keys[0], MORNING.isoformat()]
    return subprocess.Popen(
        [sys.executable, "-c", _SCHEDULER, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
