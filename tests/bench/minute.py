"""From the minute to the first message: a real worker that has waited for it, on SQLite, with a list of some length."""

import subprocess
import sys
import time
from datetime import timedelta

from newsletter import clock
from newsletter.bench.installation import installation
from newsletter.bench.issue import schedule_issue
from newsletter.bench.readers import publish_list, subscribe
from newsletter.config import current_settings
from newsletter.db import db
from newsletter.delivery.ledger.wirelog import number_of_records
from newsletter.mail.smtp import SmtpRelay
from newsletter.work.liveness import wire_folder
from tests.faults.processes import worker_environment
from tests.postfix import HOST, PostfixTools

_CONNECTIONS = 16
#: Enough for a worker to have started, and for the issue to be made.
_AHEAD = timedelta(seconds=12)
_PATIENCE_SECONDS = 60.0


def wait_for_the_minute(tools: PostfixTools, recipients: int) -> float:
    """Seconds from the moment an issue is due until its first message has left. Raises AssertionError if none does."""
    with tools.sink() as port:
        relay = SmtpRelay.from_url(f"smtp://{HOST}:{port}", connections=_CONNECTIONS)
        with installation(relay, None, migrated=True):
            now = clock.now()
            mailing_list = publish_list(now)
            subscribe(mailing_list, recipients, now, lambda more: None)
            environment = worker_environment(current_settings(), f"smtp://{HOST}:{port}", _CONNECTIONS)
            worker = subprocess.Popen([sys.executable, "-m", "newsletter.cli", "worker"], env=environment)
            try:
                due = clock.now() + _AHEAD
                schedule_issue(mailing_list, due)
                db.session.remove()
                assert clock.now() < due, "The issue was not made in time"
                folder, ends = wire_folder(), time.monotonic() + _PATIENCE_SECONDS
                while not any(number_of_records(path) for path in folder.glob("*.wire")):
                    assert time.monotonic() < ends and worker.poll() is None, "Nothing was sent"
                    time.sleep(0.002)
                return (clock.now() - due).total_seconds()
            finally:
                worker.terminate()
                worker.wait()
