"""How fast people come in from a file, beside what the machine gives: rows a second, CPU and memory of both processes.

The short form asks nothing of its figures: a machine that others use is fast now and slow then. The long form is
`NEWSLETTER_BENCH_IMPORT=1000000 python -m pytest tests/bench/test_imports.py`.
"""

import os
import resource
import time
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db
from newsletter.domain.subscribers import import_child, importing
from newsletter.models import Consent
from tests import people

ROWS = int(os.environ.get("NEWSLETTER_BENCH_IMPORT", "2000"))


def test_an_import(
    app: Flask, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(import_child, "_WORTH_A_PROCESS", 0)
    path = tmp_path / "people.csv"
    with path.open("w") as sheet:
        sheet.write("email,name,organisation\n")
        for number in range(ROWS):
            # A large prime's multiples: every number once, in no order that an index would like.
            person = number * 982_451_653 % ROWS if ROWS % 982_451_653 else number
            sheet.write(
                f"person.{person}@school{person % 500}.example.org,Person Number {person},School {person % 500}\n"
            )
    quarterly = people.larkmere(now)
    began, cpu = time.perf_counter(), time.process_time()
    report = importing.import_csv(path, quarterly, source="Bench", actor=None, now=now)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert (report.added, report.rows) == (ROWS, ROWS)
    assert db.session.scalar(select(func.count(Consent.id))) == ROWS
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    with capsys.disabled():
        print(
            f"\nimport of {ROWS:,}: {ROWS / took:,.0f} rows a second; writing {cpu / ROWS * 1e6:.1f} µs of CPU a row, "
            f"reading {child.ru_utime / ROWS * 1e6:.1f}; peak {child.ru_maxrss / 1024:.0f} MB in the reader"
        )
