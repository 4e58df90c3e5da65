"""Whether the time of an answer tells what is known of an address: medians by kind, and their ratio to a new one's.

    python -m tests.bench.equal_times [--of-each 200]

Sign-ups on SQLite, in one process, one after the other, the kinds in turn, so that whatever else the machine does falls
on all of them. Processor time is the figure to believe on a busy machine. tests/web/test_equal_work.py holds that the
statements are the same to the last one; this shows what is left beside them.
"""

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from newsletter import clock
from newsletter.app import create_app
from newsletter.bench.readers import publish_list
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.domain.subscribers import mail_domains, offering, subscribing, suppressing
from newsletter.mail.memory import MemoryRelay
from newsletter.models import SignUp
from newsletter.schema import prepare_schema
from newsletter.states import SuppressionReason
from newsletter.web.public import asking
from newsletter.web.public.form_tokens import QUICK
from newsletter.work.runners import SilentRunner

_WARM_UP = 20
_NEW = "new"


def _ask(address: str, now: datetime) -> None:
    with transaction():
        chosen = [(one.mailing_list, one.wording) for one in offering.offers(now)]
        subscribing.request_subscription(address=address, lists_with_wordings=chosen, source="sign-up form", now=now)


def _active(address: str, now: datetime) -> None:
    _ask(address, now)
    sign_up = db.session.scalars(select(SignUp).where(SignUp.address == address)).one()
    with transaction():
        subscribing.confirm(sign_up, now=now)


def _suppressed(address: str, now: datetime) -> None:
    with transaction():
        suppressing.suppress(address, SuppressionReason.COMPLAINT, now=now)


def _without_mail(address: str, now: datetime) -> None:
    with transaction():
        mail_domains.keep([(address.partition("@")[2], False)], now)


#: How an address comes to be known, by what it is then called.
_KINDS: dict[str, tuple[str, Callable[[str, datetime], None]]] = {
    _NEW: ("example.org", lambda _address, _now: None),
    "waiting": ("example.org", _ask),
    "subscribed": ("example.org", _active),
    "suppressed": ("example.org", _suppressed),
    "without mail": ("example.net", _without_mail),
}


def measure(app: Flask, of_each: int) -> list[str]:
    """A line for each kind: medians of elapsed and processor time, with their ratio to those of a new address."""
    now = clock.now()
    people = [
        (kind, f"p{number:05}{kind[:2]}@{domain}")
        for number in range(of_each + _WARM_UP)
        for kind, (domain, _prepare) in _KINDS.items()
    ]
    for kind, address in people:
        _KINDS[kind][1](address, now)
    client = app.test_client()
    found = re.search(r'name="form" value="([^"]+)"', client.get("/subscribe").text)
    assert found
    time.sleep(QUICK.total_seconds() + 0.5)
    times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in _KINDS}
    for kind, address in people:
        data = {"email": address, "lists": "safeguarding-news", "form": found[1]}
        began, worked = time.perf_counter(), time.process_time()
        answer = client.post("/subscribe", data=data)
        times[kind].append((time.perf_counter() - began, time.process_time() - worked))
        assert answer.status_code == 200, answer.text
    medians = {
        kind: [statistics.median(column) * 1000 for column in zip(*taken[_WARM_UP:], strict=True)]
        for kind, taken in times.items()
    }
    return [
        f"{kind:13} {elapsed:6.2f} ms ({elapsed / medians[_NEW][0]:.3f}), "
        f"{worked:6.2f} ms of processor time ({worked / medians[_NEW][1]:.3f})"
        for kind, (elapsed, worked) in medians.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.equal_times", description=__doc__)
    parser.add_argument("--of-each", type=int, default=200)
    options = parser.parse_args()
    asking._MOST.update(dict.fromkeys(asking._MOST, 1_000_000_000))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'newsletter.db'}"
        settings = Settings(data_dir=Path(folder), database_url=url, secret_keys=("k" * 40,))
        app = create_app(settings, runner=SilentRunner(), relay=MemoryRelay())
        with app.app_context():
            prepare_schema()
            publish_list(clock.now())
            print(*measure(app, options.of_each), sep="\n")
            db.session.remove()
            db.engine.dispose()


if __name__ == "__main__":
    main()
