"""Fifty people send in their news in the last ten seconds: `newsletter web` as it runs in production, real HTTP.

Nobody is turned away, nobody waits for nothing, nothing is late: whoever had the form open before the close has its
grace, so a machine that is slow costs nobody anything.
"""

import http.client
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter import clock
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.calls.handing_in import drafting
from newsletter.domain.calls.partners import contributor_sessions
from newsletter.domain.calls.texts.items import Piece
from newsletter.models import AddressProof, Contribution, Issue, Notice
from newsletter.states import ContributionState
from tests import contributors, people
from tests.browser.conftest import free_port
from tests.faults.conftest import PATIENCE_SECONDS, worker_environment
from tests.faults.tally import Figures

_WRITE_NOW, _SIGNED_IN = 30, 20
_BEFORE_THE_CLOSE = timedelta(seconds=10)
#: Nobody fills a form in less: what comes sooner is taken for a machine's.
_READING_SECONDS = 3.2


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, public_url=f"http://localhost:{free_port()}")


@pytest.fixture
def web(app: Flask, settings: Settings) -> Iterator[str]:
    """The pages, served by a process of their own; the address of its host."""
    host = settings.public_url.removeprefix("http://")
    words = [sys.executable, "-m", "newsletter.cli", "web", "--port", host.partition(":")[2]]
    with (settings.data_dir / "web.log").open("ab") as log:
        process = subprocess.Popen(words, env=worker_environment(settings, "", 1), stdout=log, stderr=log)
    try:
        ends = time.monotonic() + PATIENCE_SECONDS
        while not _answers(host):
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.1)
        yield host
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _answers(host: str) -> bool:
    try:
        return _ask(host, "GET", "/healthz")[0] == 200
    except OSError:
        return False


def _ask(
    host: str, method: str, path: str, fields: dict[str, str] | None = None, cookie: str = ""
) -> tuple[int, str, str]:
    """(status, where it leads, the page)."""
    headers = {"Sec-Fetch-Site": "same-origin", **({"Cookie": cookie} if cookie else {})}
    body = None
    if fields is not None:
        body, headers["Content-Type"] = urlencode(fields), "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location", ""), answer.read().decode()
    finally:
        connection.close()


@dataclass(frozen=True)
class Sending:
    """One person's POST, ready to go."""

    path: str
    fields: dict[str, str]
    cookie: str = ""


def test_fifty_send_in_their_news_in_the_last_ten_seconds(app: Flask, web: str, figures: Figures) -> None:
    now = clock.now()
    issue = people.issue(now, people.larkmere(now))
    _closes_in(issue, timedelta(hours=1))
    posts = [*_written_now(web), *_drafts(issue)]
    time.sleep(_READING_SECONDS)
    _closes_in(issue, _BEFORE_THE_CLOSE)

    began = time.monotonic()
    answers = _all_at_once(web, posts)
    lasted = time.monotonic() - began

    db.session.expire_all()
    found = db.session.scalars(select(Contribution)).all()
    assert Counter(status for status, _where, _page in answers) == {303: len(posts)}
    assert all("/contribution/" in where or "sent=1" in where for _status, where, _page in answers)
    assert Counter(one.state for one in found) == {ContributionState.SUBMITTED: len(posts)}
    assert not any(one.late for one in found)
    assert len({one.reference for one in found}) == len(posts)
    # Each has a copy on its way, and each that is not proved yet its link and code.
    assert db.session.scalar(select(func.count()).select_from(Notice)) == len(posts)
    assert db.session.scalar(select(func.count()).select_from(AddressProof)) == _WRITE_NOW
    figures.add(
        posted_in_the_last_seconds=len(posts), of_these_in_grace=sum(one.in_grace for one in found),
        milliseconds_for_all_of_them=round(lasted * 1000),
    )  # fmt: skip


def _closes_in(issue: Issue, rest: timedelta) -> None:
    """Let the call close when `rest` has passed: the end of its minute is then."""
    instant = clock.now() + rest - timedelta(seconds=60)
    with transaction():
        assert issue.deadline is not None
        old = issue.deadline
        issue.deadline = Deadline(old.day, old.at, old.zone, instant)


def _written_now(web: str) -> list[Sending]:
    """People without a cookie who have opened the form."""
    posts = []
    for number in range(_WRITE_NOW):
        page = _ask(web, "GET", "/contribute/december-2026")[2]
        opened = re.search(r'name="opened" value="([^"]+)"', page)
        assert opened
        fields = {
            "opened": opened[1], "kind": "section", "d.heading": f"News {number}", "d.body": "Two half days.",
            "agency": "Oakfield School", "contact_name": "Helen Price", "declared": "y",
            "contact_address": f"helen{number}@school.example.org",
        }  # fmt: skip
        posts.append(Sending("/contribute/december-2026", fields))
    return posts


def _drafts(issue: Issue) -> list[Sending]:
    """People who are signed in and have their answers before them."""
    posts, now = [], clock.now()
    for number in range(_SIGNED_IN):
        who = contributors.contributor(now, f"Sam {number}", f"sam{number}@police.example.org")
        with transaction():
            session = contributor_sessions.start(who, now=now)
            draft = drafting.start(issue, who, "section", opened_at=now, now=now)
            words = {"heading": f"Draft {number}", "body": "<p>One number.</p>"}
            drafting.save(draft, Piece("section", words), expected=1, now=now)
            path = f"/contribute/mine/{draft.public_id}/send"
        posts.append(Sending(path, {"expected": "2", "declared": "y"}, f"contributor={session}"))
    return posts


def _all_at_once(web: str, posts: list[Sending]) -> list[tuple[int, str, str]]:
    answers: list[tuple[int, str, str]] = []
    start = threading.Barrier(len(posts))

    def post(one: Sending) -> None:
        start.wait()
        answers.append(_ask(web, "POST", one.path, one.fields, one.cookie))

    threads = [threading.Thread(target=post, args=(one,)) for one in posts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
