"""How long the server takes for what the desk asks while somebody types: an issue of 30 sections with 20 versions.

The short form prints its figures and asks nothing of them: a machine that others use is fast now and slow then. The
long form is `NEWSLETTER_BENCH_DESK=200 python -m pytest tests/bench/test_desk.py`.
"""

import os
import statistics
import time
from collections.abc import Callable
from datetime import datetime

import pytest
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.domain.issues import editing, versions
from newsletter.models import Issue
from tests import people
from tests.web import desk

SECTIONS, VERSIONS = 30, 20
ROUNDS = int(os.environ.get("NEWSLETTER_BENCH_DESK", "5"))
WORDS = "We read the records with practitioners from eight agencies, and thank every team that made time. " * 6


def _large(now: datetime, client: FlaskClient) -> tuple[Issue, str]:
    """January 2027 with thirty sections and twenty versions, and the id of the section that is written."""
    ruth = desk.ruth(client, now)
    issue = desk.january(now, people.larkmere(now), ruth)
    missing = SECTIONS - len(issue.blocks)
    drafts = [
        editing.BlockDraft("section", {"heading": f"Section {number}", "body": f"<p>{WORDS}</p>"})
        for number in range(missing)
    ]
    with transaction():
        editing.add_blocks(issue, drafts, position=3, actor=ruth, now=now)
    for number in range(VERSIONS):
        with transaction():
            versions.keep_version(issue, f"Version {number}", actor=ruth, now=now)
    return issue, desk.block_id(issue, "section")


def _timed(ask: Callable[[int], int], before: Callable[[int], object] = lambda _number: None) -> list[float]:
    """Milliseconds for each of the rounds, each with other words; what is done `before` each is not counted."""
    taken = []
    for number in range(ROUNDS + 1):
        before(number)
        began = time.perf_counter()
        assert ask(number) == 200
        taken.append((time.perf_counter() - began) * 1000)
    return taken[1:]  # the first starts what is started once


def test_autosave_and_preview_of_a_large_issue(
    client: FlaskClient, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    issue, section = _large(now, client)
    assert len(issue.blocks) == SECTIONS
    address = "/desk/issues/january-2027"
    expected = [1]

    def words(number: int) -> dict[str, str]:
        return {"d.heading": f"Practice week {number}", "d.body": f"{WORDS} Round {number}.", "c.where": "both"}

    def preview(number: int) -> int:
        return client.post(f"{address}/preview/html/{section}", data=words(number)).status_code

    def autosave(number: int) -> int:
        form = {**words(number), "expected": str(expected[0])}
        answer = client.post(f"{address}/write/{section}", data=form, headers={"X-Autosave": "yes"})
        assert answer.json is not None
        expected[0] = answer.json["expected"]
        return answer.status_code

    def found(_number: int) -> int:
        return client.get(f"{address}/write/{section}/found").status_code

    def here(_number: int) -> int:
        return client.post(f"{address}/write/here", data={"block": section}).status_code

    figures = {"preview": _timed(preview), "autosave": _timed(autosave)}
    figures["checks"] = _timed(found, before=lambda number: autosave(1000 + number))
    if ROUNDS < 50:  # more would be over the limit
        figures["presence"] = _timed(here)
    db.session.rollback()
    with capsys.disabled():
        for name, taken in figures.items():
            ordered = sorted(taken)
            high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
            print(f"\n{name}: median {statistics.median(taken):.0f} ms, p95 {high:.0f} ms of {len(taken)}", end="")
        print()
