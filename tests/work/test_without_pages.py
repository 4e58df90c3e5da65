"""A worker has no pages: each job that a tick rings for does its work in a process that never loaded one."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from newsletter.config import Settings
from newsletter.db import db
from newsletter.demo.seed import seed_demo
from newsletter.models import Notice
from newsletter.states import NoticeState
from tests.faults.processes import worker_environment

_WORK = """
import inspect, json, sys
from newsletter import jobs
from newsletter.app import create_app
from newsletter.work.registry import JOBS
with create_app(pages=False).app_context():
    done = [name for name, job in JOBS.items() if not inspect.signature(job).parameters]
    for name in done:
        JOBS[name]()
print(json.dumps([done, [name for name in sys.modules if name.startswith("newsletter.web")]]))
"""


def waiting() -> int:
    db.session.rollback()
    number = db.session.scalar(select(func.count()).where(Notice.state == NoticeState.QUEUED))
    return number or 0


def test_every_job_does_its_work_without_pages(app: Flask, settings: Settings, tmp_path: Path) -> None:
    seed_demo(datetime.now(UTC), subscribers=30)
    assert waiting()
    db.session.remove()
    environment = worker_environment(settings, "", 1) | {"NEWSLETTER_CHECK_LINKS": "no"}
    del environment["NEWSLETTER_RELAY_URL"]
    done = subprocess.run([sys.executable, "-c", _WORK], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ran, pages = json.loads(done.stdout)
    assert {"deliver_notices", "launch_due_issues", "continue_sending"} < set(ran)
    assert pages == []
    assert "Traceback" not in done.stderr, done.stderr
    assert waiting() == 0
