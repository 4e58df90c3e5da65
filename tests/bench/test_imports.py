"""The benches of subscribers: that they do what they say, and their accounts add up. Their figures are asked nothing.

The long form is `python -m tests.bench --subscribers 1000000`.
"""

import pytest

from newsletter.domain.subscribers import import_child
from tests.bench import finding
from tests.bench.imports import bring_in


def test_an_import(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(import_child, "_WORTH_A_PROCESS", 0)
    taken = bring_in(2_000, None)
    assert taken.rows == 2_000
    with capsys.disabled():
        print(f"\n{taken}")


def test_finding(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(finding, "_TYPED", ("school",))
    monkeypatch.setattr(finding, "_ROUNDS", 1)
    found = finding.find_among(500, None)
    assert found[-1].startswith("export of 490:"), found
    with capsys.disabled():
        print("", *found, sep="\n")
