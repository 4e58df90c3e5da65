"""The log beside the database: what is read back is what was written, or nothing is concluded."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.ledger.wirelog import (
    RECORD_LENGTH,
    Phase,
    Record,
    Verdict,
    WireLog,
    WireLogDamaged,
    last_records,
    number_of_records,
)

#: More than one piece of room holds.
MANY = 5_000


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


def test_a_log_without_a_close_is_read_as_far_as_it_was_written(path: Path) -> None:
    """The run died: what follows its last record is room that nobody used, in this piece of it and in the next."""
    log = WireLog(path)
    for delivery in range(1, MANY + 1):
        log.started(delivery, 1)
        assert number_of_records(path) == delivery
    assert path.stat().st_size > MANY * RECORD_LENGTH
    assert len(last_records(path, range(MANY + 9))) == MANY
    log.close()
    assert path.stat().st_size == MANY * RECORD_LENGTH
    assert number_of_records(path) == MANY
    assert len(last_records(path, range(MANY + 9))) == MANY


@pytest.mark.parametrize("length", range(1, RECORD_LENGTH))
def test_of_a_record_that_death_cut_off_nothing_is_believed(path: Path, length: int) -> None:
    log = WireLog(path)
    log.started(1, 1)
    log.answered(1, 1, Verdict.ACCEPTED, 250)
    octets = bytearray(path.read_bytes())
    octets[RECORD_LENGTH + length : 2 * RECORD_LENGTH] = bytes(RECORD_LENGTH - length)
    path.write_bytes(octets)
    assert last_records(path, {1})[1].phase is Phase.STARTED


def test_a_log_with_a_hole_is_damaged(path: Path) -> None:
    log = WireLog(path)
    for delivery in (1, 2, 3):
        log.started(delivery, 1)
    octets = bytearray(path.read_bytes())
    octets[RECORD_LENGTH : 2 * RECORD_LENGTH] = bytes(RECORD_LENGTH)
    path.write_bytes(octets)
    with pytest.raises(WireLogDamaged):
        last_records(path, {1, 2, 3})


def test_a_last_record_that_was_changed_is_not_taken_for_one_cut_off(path: Path) -> None:
    log = WireLog(path)
    log.started(7, 1)
    octets = bytearray(path.read_bytes())
    assert octets[RECORD_LENGTH - 1] != 0
    octets[3] ^= 1
    path.write_bytes(octets)
    with pytest.raises(WireLogDamaged):
        last_records(path, {7})


def test_a_killed_process_leaves_all_that_it_noted(path: Path) -> None:
    words = f"""
import os, signal, sys
from pathlib import Path
from newsletter.delivery.ledger.wirelog import Verdict, WireLog
log = WireLog(Path({str(path)!r}))
for delivery in range({MANY}):
    log.started(delivery, 1)
    log.answered(delivery, 1, Verdict.ACCEPTED, 250)
log.started({MANY}, 3)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", words])
    assert done.returncode == -signal.SIGKILL
    found = last_records(path, range(MANY + 1))
    assert found.pop(MANY) == Record(MANY, 3, Phase.STARTED, Verdict.NONE, 0)
    assert {each.verdict for each in found.values()} == {Verdict.ACCEPTED}
    assert len(found) == MANY


def test_a_full_disk_is_an_error_before_the_dot_and_passes(path: Path) -> None:
    """The system lets the file grow no further, for a while: what is noted stays, and afterwards it goes on."""
    log = WireLog(path)
    log.started(1, 1)
    room = path.stat().st_size // RECORD_LENGTH
    for delivery in range(2, room + 1):
        log.started(delivery, 1)
    for allowed in (path.stat().st_size, path.stat().st_size + 5):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, before[1]))
        try:
            with pytest.raises(OSError, match=r"too large|disk full"):
                log.started(room + 1, 1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert number_of_records(path) == room
    log.started(room + 2, 1)
    log.close()
    assert set(range(1, room + 3)) - set(last_records(path, range(room + 9))) == {room + 1}


def test_a_log_is_of_one_run(path: Path) -> None:
    path.write_bytes(bytes(RECORD_LENGTH))
    with pytest.raises(FileExistsError):
        WireLog(path)
