"""Log lines: what they belong to, in both forms, and the last wall between people and the log."""

import json
import logging

import pytest

from newsletter import logs


@pytest.fixture(autouse=True)
def _nothing_under_way() -> None:
    """A test client that was left in the midst of a request leaves its id on this thread."""
    logs.begin()


def line(form: str, message: str, *values: object, failed: Exception | None = None) -> str:
    """What a module's line becomes."""
    told = (type(failed), failed, failed.__traceback__) if failed else None
    record = logging.LogRecord("newsletter.delivery", logging.WARNING, __file__, 1, message, values, told)
    return logs.formatter(form).format(record)


def test_a_line_for_machines_says_what_it_belongs_to() -> None:
    with logs.about(request_id="0011223344556677", job="deliver_notices"):
        told = json.loads(line("json", "Notice %d is %s", 12, "accepted"))
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "event": "Notice 12 is accepted",
        "request_id": "0011223344556677",
        "job": "deliver_notices",
        "level": "warning",
        "logger": "newsletter.delivery",
    }
    assert "request_id" not in json.loads(line("json", "Another line"))


def test_a_line_for_people_begins_with_how_bad_it_is() -> None:
    with logs.about(job="send_issue"):
        assert (
            line("text", "Issue %d is paused", 3) == "WARNING newsletter.delivery: Issue 3 is paused [job=send_issue]"
        )


def test_what_failed_stands_below_the_line() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError as error:
        text, told = line("text", "It failed", failed=error), json.loads(line("json", "It failed", failed=error))
    assert text.splitlines()[0] == "WARNING newsletter.delivery: It failed"
    assert text.splitlines()[-1] == "ValueError: no such thing"
    assert "Traceback" in told["exception"]


@pytest.mark.parametrize("form", logs.FORMATS)
@pytest.mark.parametrize(
    "secret",
    [
        "ruth@example.org",
        "o'brien+news@xn--bcher-kva.example",
        "IjQ2ZjE5YmYzLTU0MmEi.aSH3Zg.9vIQ0Vv1kq2gNF7ZqX0G6S3eGxY",
        "AQABRs8b81QqEjRWeJq83hI0VniavN4SNFZ4mrzeEjRW",
    ],
)
def test_who_slipped_through_is_taken_out_of_line_and_traceback(form: str, secret: str) -> None:
    try:
        raise ValueError(f"Key (address_key)=({secret}) already exists")
    except ValueError as error:
        written = line(form, "https://news.example.org/confirm/%s failed for <%s>", secret, secret, failed=error)
    assert secret not in written
    assert written.count("…") >= 3


@pytest.mark.parametrize("word", ["InFailedSqlTransactionError", "refused_by_the_mail_server_4", "a" * 64, "7bit"])
def test_what_is_nobody_s_key_stays(word: str) -> None:
    assert logs.without_people(f"It was {word}.") == f"It was {word}."


@pytest.mark.parametrize(
    "proposed", [None, "", "short", "two words 12345", "x" * 65, "line\nbreak-1234", "ünïcode-1234"]
)
def test_only_one_plain_word_is_taken_for_the_name_of_a_request(proposed: str | None) -> None:
    assert logs.request_id("proxy-7f3a9c.1") == "proxy-7f3a9c.1"
    assert len(logs.request_id(proposed)) == 16
    assert logs.request_id(proposed) != proposed
