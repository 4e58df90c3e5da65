"""What a reader and a message cost, measured: one import and one send on each database, weighed before and after."""

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select, text

from newsletter import clock
from newsletter.bench.installation import installation
from newsletter.bench.issue import schedule_issue
from newsletter.bench.readers import publish_list
from newsletter.db import db
from newsletter.delivery import launch
from newsletter.delivery.run import engine
from newsletter.domain.subscribers import sealing
from newsletter.mail.smtp import SmtpRelay
from newsletter.models import Subscription
from newsletter.work.standing import keep_what_stands
from tests import people
from tests.bench.imports import perform, sheet, upload
from tests.bench.scale import Measured
from tests.postfix import find_postfix
from tests.postgres import Cluster, running_cluster

_TICKS = os.sysconf("SC_CLK_TCK")


def measure(readers: int) -> Iterator[Measured]:
    """On SQLite, then on a PostgreSQL of its own. Raises SystemExit where Postfix's sink is missing."""
    tools = find_postfix()
    if tools is None:
        raise SystemExit("Postfix is not installed, and NEWSLETTER_TEST_POSTFIX names no folder with it")
    with running_cluster(durable=True) as cluster, tools.sink() as port:
        for url, server in ((None, None), (cluster.url("postgres"), cluster)):
            yield _measure_one(readers, f"smtp://127.0.0.1:{port}", url, server)


def _measure_one(readers: int, relay_url: str, url: str | None, server: Cluster | None) -> Measured:
    relay = SmtpRelay.from_url(relay_url, connections=16)
    with installation(relay, url):
        now, empty = clock.now(), _size()
        mailing_list = publish_list(now)
        ruth = people.staff(now, "Ruth Adeyemi")
        run_id = upload(mailing_list, sheet(readers), ruth)
        for look in (True, False):
            perform(run_id, look=look, actor=ruth)
        sealing.seal_all(clock.now())
        people_in = db.session.scalar(select(func.count(Subscription.id))) or 1
        subscribed = _size()
        issue_id = schedule_issue(mailing_list, now).id
        db.session.remove()
        keep_what_stands()
        began = time.perf_counter()
        launch.launch(issue_id, clock.now())
        freeze = time.perf_counter() - began
        ours, theirs = _our_seconds(), _server_seconds(server)
        engine.send_issue(issue_id)
        ours, theirs = _our_seconds() - ours, _server_seconds(server) - theirs
        return Measured(
            database="PostgreSQL" if server else "SQLite",
            sender_seconds=ours / people_in,
            database_seconds=theirs / people_in,
            freeze_seconds=freeze / people_in,
            subscriber_bytes=round((subscribed - empty) / people_in),
            delivery_bytes=round((_size() - subscribed) / people_in),
        )


def _size() -> int:
    """Bytes of the tables and their indexes."""
    db.session.rollback()
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            pages, free, size = (
                connection.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("page_count", "freelist_count", "page_size")
            )
            return int((pages - free) * size)
    total = (
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
    )
    with db.engine.connect() as connection:
        return int(connection.execute(text(total)).scalar_one())


def _our_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _server_seconds(server: Cluster | None) -> float:
    """What the server has used of processors, with those of its processes that have ended. Linux alone."""
    if server is None:
        return 0.0
    main = int((server.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
    fields = Path(f"/proc/{main}/stat").read_text().rpartition(")")[2].split()
    used = sum(map(int, fields[11:15]))
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    for child in children:
        used += sum(map(int, Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return used / _TICKS
