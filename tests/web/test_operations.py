"""How it runs, on a page for administrators and as figures for a machine; and who may see either."""

from dataclasses import replace
from datetime import datetime

import pytest
import time_machine
from flask import Flask, current_app
from flask.testing import FlaskClient

from newsletter.db import transaction
from newsletter.models import Account, MailingList, Trouble
from newsletter.operations import totals
from newsletter.states import Role, TroubleKind
from tests import people
from tests.operations.conftest import enlist, happened

TOKEN = "figures-for-the-machine-that-scrapes"


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def ada(quarterly: MailingList, client: FlaskClient, now: datetime) -> Account:
    account = people.staff(now, "Ada Lindqvist", Role.ADMIN)
    people.sign_in(client, account)
    return account


def test_the_page_says_in_one_line_that_all_is_well(ada: Account, client: FlaskClient, now: datetime) -> None:
    enlist(now)
    happened(now, totals.JOB, "watch_over")
    happened(now, totals.RELAY, "accepted")
    with time_machine.travel(now, tick=False):
        people.sign_in(client, ada)
        page = client.get("/desk/operations").text
    assert "All is well." in page
    assert "Last accepted a mail less than a minute ago" in page
    assert "50.0 GB" in page
    assert "What was wrong lately" not in page


def test_the_page_says_what_is_wrong_and_what_to_do(ada: Account, client: FlaskClient, now: datetime) -> None:
    with transaction() as session:
        session.add(
            Trouble(kind=TroubleKind.DISK, said="The disk of press-1 has 640 MB left.", began_at=now, seen_at=now,
                    ended_at=now)
        )  # fmt: skip
    page = client.get("/desk/operations").text
    assert "1 thing needs you." in page
    assert "No worker is running" in page
    assert "Start `newsletter serve`" in page
    assert "The disk of press-1 has 640 MB left." in page
    assert "How it runs" in client.get("/desk/settings").text


def test_editors_and_administrators_of_one_list_see_none_of_it(
    quarterly: MailingList, client: FlaskClient, now: datetime
) -> None:
    people.sign_in(client, people.staff(now, "Ewan Brodie", Role.ADMIN, quarterly))
    assert client.get("/desk/operations").status_code == 403
    assert "How it runs" not in client.get("/desk/settings").text


def ask(client: FlaskClient, *, token: str = "", remote: str = "203.0.113.9", **headers: str) -> tuple[int, str]:
    if token:
        headers["Authorization"] = f"Bearer {token}"
    answer = client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": remote})
    return answer.status_code, answer.text


def set_up(**settings: object) -> None:
    current_app.config["NEWSLETTER"] = replace(current_app.config["NEWSLETTER"], **settings)


def test_by_default_there_are_no_figures_for_anybody(quarterly: MailingList, client: FlaskClient) -> None:
    assert [ask(client, remote=remote)[0] for remote in ("127.0.0.1", "::1", "203.0.113.9")] == [404] * 3
    assert ask(client, token="None")[0] == 404


def test_the_token_opens_them_and_nothing_like_it(quarterly: MailingList, client: FlaskClient) -> None:
    set_up(metrics_token=TOKEN)
    assert ask(client, token=TOKEN)[0] == 200
    assert [ask(client, token=wrong)[0] for wrong in ("", TOKEN[:-1], TOKEN + "x", "tökén")] == [404] * 4


def test_a_network_opens_them_unless_the_request_came_through_an_unknown_proxy(
    quarterly: MailingList, client: FlaskClient
) -> None:
    set_up(metrics_from=("127.0.0.1/32", "10.1.0.0/16"))
    assert ask(client, remote="10.1.2.3")[0] == 200
    assert ask(client, remote="10.2.2.3")[0] == 404
    assert ask(client, remote="127.0.0.1")[0] == 200
    spoofed = {"X-Forwarded-For": "10.1.2.3"}
    assert ask(client, remote="127.0.0.1", **spoofed)[0] == 404
    assert ask(client, remote="203.0.113.9", **spoofed)[0] == 404


def test_the_figures_are_those_of_the_rows_and_name_nobody(
    quarterly: MailingList, client: FlaskClient, now: datetime
) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    set_up(metrics_token=TOKEN)
    enlist(now)
    people.subscribers(now, quarterly, 2)
    happened(now, totals.JOB, "watch_over", measured=0.25)
    happened(now, totals.JOB_WAITED, "watch_over", measured=1.5)
    happened(now, totals.RELAY, "down", "Connection refused by tom@example.org")
    with time_machine.travel(now, tick=False):
        status, text = ask(client, token=TOKEN)
    assert status == 200
    assert "example.org" not in text
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found[("newsletter_processes", "worker")] == 1
    assert found[("newsletter_notices_waiting",)] == 0
    assert found[("newsletter_deliveries", "accepted")] == 0
    assert found[("newsletter_jobs_total", "watch_over")] == 1
    assert found[("newsletter_job_seconds_total", "watch_over")] == 0.25
    assert found[("newsletter_job_lag_seconds_total", "watch_over")] == 1.5
    assert found[("newsletter_job_lag_latest_seconds", "watch_over")] == 1.5
    assert found[("newsletter_relay_answers_total", "down")] == 1
    assert found[("newsletter_tick_age_seconds",)] == 0
    assert found[("newsletter_troubles", "relay_down")] == 1
    assert ("newsletter_oldest_notice_due_seconds",) not in found
