"""The log beside the database: what is read back is what was written, or nothing is concluded."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.wirelog import (
    RECORD_LENGTH,
    Phase,
    Record,
    Verdict,
    WireLog,
    WireLogDamaged,
    last_records,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.wire"


def test_the_last_word_on_each_delivery_counts(path: Path) -> None:
    log = WireLog(path)
    log.started(1, 1)
    log.started(2, 1)
    log.answered(1, 1, Verdict.ACCEPTED, 250)
    log.answered(2, 1, Verdict.NOT_TAKEN)
    log.started(2, 1)
    log.started(3, 4)
    log.close()
    assert last_records(path, {1, 2}) == {
        1: Record(1, 1, Phase.ANSWERED, Verdict.ACCEPTED, 250),
        2: Record(2, 1, Phase.STARTED, Verdict.NONE, 0),
    }


@given(
    records=st.lists(
        st.tuples(
            st.integers(0, 2**63 - 1),
            st.integers(0, 65535),
            st.sampled_from([Verdict.ACCEPTED, Verdict.BUSY, Verdict.REFUSED]),
            st.integers(0, 999),
        ),
        max_size=20,
    )
)
def test_any_record_is_read_as_written(tmp_path_factory: pytest.TempPathFactory, records: list) -> None:
    path = tmp_path_factory.mktemp("wire") / "run.wire"
    log = WireLog(path)
    for delivery, attempt, verdict, code in records:
        log.answered(delivery, attempt, verdict, code)
    log.close()
    expected = {each[0]: Record(each[0], each[1], Phase.ANSWERED, each[2], each[3]) for each in records}
    assert last_records(path, expected) == expected


def test_a_record_cut_off_by_the_end_counts_as_not_written(path: Path) -> None:
    log = WireLog(path)
    log.started(1, 1)
    log.answered(1, 1, Verdict.ACCEPTED, 250)
    log.close()
    os.truncate(path, 2 * RECORD_LENGTH - 1)
    assert last_records(path, {1})[1].phase is Phase.STARTED


def test_from_a_damaged_log_nothing_is_concluded(path: Path) -> None:
    log = WireLog(path)
    log.started(1, 1)
    log.started(2, 1)
    log.close()
    octets = bytearray(path.read_bytes())
    octets[3] ^= 1
    path.write_bytes(octets)
    with pytest.raises(WireLogDamaged):
        last_records(path, {1, 2})


def test_a_record_that_did_not_fit_on_the_disk_is_taken_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = WireLog(path)
    log.started(1, 1)
    real_write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda descriptor, octets: real_write(descriptor, octets[:5]))
        with pytest.raises(OSError, match="disk full"):
            log.started(2, 1)
    log.started(3, 1)
    log.close()
    assert sorted(last_records(path, {1, 2, 3})) == [1, 3]
