"""The bench of imports itself: that it does what it says, and its accounts add up. Its figures are asked nothing.

The long form is `python -m tests.bench --subscribers 1000000`.
"""

import pytest

from newsletter.domain.subscribers import import_child
from tests.bench.imports import bring_in


def test_an_import(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(import_child, "_WORTH_A_PROCESS", 0)
    taken = bring_in(2_000, None)
    assert taken.rows == 2_000
    with capsys.disabled():
        print(f"\n{taken}")
