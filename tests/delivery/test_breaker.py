"""When a run must stop as a whole, and when what happens is a recipient's own affair."""

import pytest

from newsletter.delivery.pace.pacing import BAD_SHARE, MOST_BUSY, SAMPLE, Breaker, is_about_the_server, is_our_quota
from newsletter.errors import RelayBusy
from newsletter.mail.replies import Reply, Stage, error_for


def busy(text: str) -> RelayBusy:
    """What a 4xx reply to RCPT becomes."""
    error = error_for(Stage.RCPT, Reply(int(text[:3]), (text[4:],)))
    assert isinstance(error, RelayBusy)
    return error


@pytest.mark.parametrize(
    "reply",
    [
        "450 4.7.1 Daily sending quota exceeded",
        "454 4.7.0 Hourly quota exceeded for sender newsletter@example.org",
        "451 4.7.1 Sending limit exceeded, try again tomorrow",
        "450 Sender rate limit exceeded (200 per hour)",
        "454 Throttling failure: Daily message quota exceeded",
        "451 Domain example.org has exceeded the max defers and failures per hour (5/5 (100%)) allowed",
        "450 4.7.1 Your account has reached its limit of 500 messages",
    ],
)
def test_our_own_quota_stops_the_run_at_the_first_word_of_it(reply: str) -> None:
    assert is_our_quota(busy(reply))
    breaker = Breaker()
    breaker.busy(busy(reply))
    assert breaker.reason == f"The mail server lets us send no more for now. It answered: {reply}"


@pytest.mark.parametrize(
    "reply",
    [
        "452 4.2.2 The email account that you tried to reach is over quota",
        "452 4.2.2 Mailbox quota limit exceeded for this user",
        "450 4.2.1 The user you are trying to contact is receiving mail at a rate that is above its limit",
        "452 4.5.3 Too many recipients",
        "451 4.7.1 Greylisted, come back in 300 seconds",
        "450 4.1.1 User unknown in local recipient table",
        "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
        "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation",
    ],
)
def test_what_is_about_the_recipient_or_the_pace_stops_nothing(reply: str) -> None:
    breaker = Breaker()
    breaker.busy(busy(reply))
    assert breaker.reason == ""


def test_a_server_that_is_full_or_in_trouble_stops_the_run_when_it_says_so_to_everybody() -> None:
    trouble, greylisted = busy("452 4.3.1 Insufficient system storage"), busy("451 4.7.1 Greylisted")
    breaker = Breaker()
    for _ in range(MOST_BUSY - 1):
        breaker.busy(trouble)
        breaker.busy(greylisted)
    assert breaker.reason == ""
    breaker.busy(trouble)
    assert "Insufficient system storage" in breaker.reason
    assert f"{MOST_BUSY} times in a row" in breaker.reason


def test_one_that_is_taken_ends_the_row_of_troubles() -> None:
    breaker = Breaker()
    for _ in range(3 * MOST_BUSY):
        breaker.busy(busy("451 4.3.0 Temporary lookup failure"))
        breaker.answered(bad=False)
    assert breaker.reason == ""


@pytest.mark.parametrize(
    ("reply", "about_it"),
    [
        ("451 4.3.0 Temporary lookup failure", True),
        ("452 Insufficient system storage", True),
        ("452 4.5.3 Too many recipients", False),
        ("452 4.2.2 Mailbox full", False),
        ("450 4.2.0 Greylisted", False),
    ],
)
def test_whose_trouble_it_is(reply: str, about_it: bool) -> None:
    assert is_about_the_server(busy(reply)) is about_it


def test_it_goes_on_counting_where_the_run_before_stopped() -> None:
    breaker = Breaker(answers=150, bad=9)
    breaker.answered(bad=True)
    assert breaker.reason == ""
    breaker.answered(bad=True)
    assert breaker.reason.startswith("11 of the first 152 messages were refused")


def test_it_does_not_trip_over_what_it_was_given() -> None:
    """As after a death: the run before tripped and could not pause the issue any more."""
    breaker = Breaker(answers=150, bad=30)
    breaker.answered(bad=False)
    assert breaker.reason == ""


def test_after_the_sample_nobody_counts() -> None:
    breaker = Breaker(answers=SAMPLE)
    for _ in range(500):
        breaker.answered(bad=True)
    assert breaker.reason == ""


def test_twice_the_share_lets_pass_twice_as_many() -> None:
    breaker = Breaker(bad_share=2 * BAD_SHARE)
    for _ in range(20):
        breaker.answered(bad=True)
    assert breaker.reason == ""
    breaker.answered(bad=True)
    assert breaker.reason
