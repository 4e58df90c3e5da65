"""A form sent by many tabs, people and machines in one moment has one effect, on either database."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.calls.decisions import triage
from newsletter.domain.calls.handing_in import drafting
from newsletter.domain.calls.partners import proving
from newsletter.domain.calls.texts.items import Piece
from newsletter.models import (
    Activity,
    AddressProof,
    AgencyAnswer,
    Block,
    Contribution,
    Contributor,
    ContributorSession,
    Extension,
    Issue,
    Notice,
)
from newsletter.states import ContributionState, Role
from newsletter.tokens import Purpose, Signer
from newsletter.work.runners import SilentRunner
from tests import people
from tests.contributions import sent_in
from tests.contributors import contributor, sign_in
from tests.databases import opened

pytestmark = pytest.mark.both_databases

MANY = 12


@pytest.fixture
def app(settings: Settings, tables: None, now: datetime) -> Iterator[Flask]:
    made = create_app(settings, runner=SilentRunner())
    made.testing = True
    # Threads come and go: the moment is the same for all of them.
    with opened(made), time_machine.travel(now + timedelta(minutes=5), tick=False):
        yield made


def at_once(app: Flask, *presses: Callable[[FlaskClient], int]) -> Counter[int]:
    """Each of these pressed by MANY browsers in one moment; the statuses that came back."""
    number, statuses = MANY * len(presses), []
    together = Barrier(number)

    def press(which: Callable[[FlaskClient], int]) -> None:
        client = app.test_client()
        together.wait(30)
        statuses.append(which(client))

    # Each thread has a session of its own; ours holds nothing open meanwhile.
    db.session.rollback()
    threads = [Thread(target=press, args=(presses[count % len(presses)],)) for count in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(statuses) == number
    return Counter(statuses)


def count(model: type[db.Model], *conditions: object) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def posted(path: str, who: str = "", **data: str) -> Callable[[FlaskClient], int]:
    """A press of one form, with the cookie of a contributor."""

    def press(client: FlaskClient) -> int:
        if who:
            client.set_cookie("__Host-contributor", who, domain="localhost")
        return client.post(path, data=data, headers={"Sec-Fetch-Site": "same-origin"}).status_code

    return press


def at_the_desk(app: Flask, now: datetime) -> Callable[..., Callable[[FlaskClient], int]]:
    """Presses of an administrator's, who is signed in."""
    editor = app.test_client()
    people.sign_in(editor, people.staff(now, "Ewan Brodie", Role.ADMIN))
    staff = editor.get_cookie("__Host-newsletter", domain="localhost")
    assert staff is not None
    token = {"X-CSRFToken": editor.environ_base["HTTP_X_CSRFTOKEN"]}

    def posted_there(path: str, **data: str) -> Callable[[FlaskClient], int]:
        def press(client: FlaskClient) -> int:
            client.set_cookie("__Host-newsletter", staff.value, domain="localhost")
            return client.post(path, data=data, headers=token).status_code

        return press

    return posted_there


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    found = people.issue(now, people.larkmere(now))
    with transaction():
        found.mailing_list.uses_agencies = True
    return found


@pytest.fixture
def cookie(app: Flask, december: Issue, now: datetime) -> str:
    """That of Sam, who is signed in."""
    client = app.test_client()
    sign_in(client, contributor(now), now)
    found = client.get_cookie("__Host-contributor", domain="localhost")
    assert found is not None
    return found.value


def opened_at(app: Flask, moment: datetime) -> str:
    """What the call's form proves of when it was opened."""
    with time_machine.travel(moment, tick=False):
        page = app.test_client().get("/contribute/december-2026").text
    found = re.search(r'name="opened" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_stranger_s_news_and_its_proof_count_once(app: Flask, now: datetime, december: Issue) -> None:
    fields = {"kind": "section", "d.heading": "Training", "d.body": "Two days.", "agency": "Larkmere Council",
              "contact_name": "Cara Bell", "contact_address": "cara@council.example.org", "declared": "y"}  # fmt: skip
    statuses = at_once(app, posted("/contribute/december-2026", **fields, opened=opened_at(app, now)))
    assert statuses == {303: MANY}
    assert (count(Contribution), count(Notice)) == (1, 1)

    proof, notice = db.session.scalars(select(AddressProof)).one(), db.session.scalars(select(Notice)).one()
    signer: Signer = app.extensions["newsletter_signer"]
    link = f"/contribute/prove/{signer.sign_id(Purpose.ADDRESS_PROOF, proof.public_id)}"
    form = re.search(r'name="form" value="([^"]+)"', app.test_client().get(link).text)
    assert form
    code = proving.code_of(notice.nonce)
    at_once(app, posted(link, form=form[1]), posted(f"/contribute/code/{proof.public_id}", code=code))
    assert (count(Contributor), count(ContributorSession)) == (1, 1)
    assert count(Notice) == 2, "and one whole copy"
    assert count(Activity, Activity.action == "contribution.proved") == 1


def test_a_draft_is_begun_and_sent_once(app: Flask, now: datetime, cookie: str) -> None:
    begin = posted("/contribute/december-2026/begin", cookie, kind="section", opened=opened_at(app, now))
    assert at_once(app, begin) == {303: MANY}
    assert count(Contribution) == 1
    draft = db.session.scalars(select(Contribution)).one()
    with transaction():
        piece = Piece("section", {"heading": "Mentors", "body": "<p>Twelve.</p>"})
        drafting.save(draft, piece, expected=1, now=now)
    send = posted(f"/contribute/mine/{draft.public_id}/send", cookie, expected="2", declared="y")
    assert at_once(app, send) == {303: MANY}
    assert (count(Activity, Activity.action == "contribution.received"), count(Notice)) == (1, 1)


def test_an_answer_and_a_question_are_heard_once(app: Flask, now: datetime, cookie: str) -> None:
    signer: Signer = app.extensions["newsletter_signer"]
    sam = db.session.scalars(select(Contributor)).one()
    nothing = posted(f"/contribute/december-2026/nothing/{signer.sign_id(Purpose.AGENCY_NOTHING, sam.public_id)}")
    assert at_once(app, nothing) == {303: MANY}
    assert (count(AgencyAnswer), count(Activity, Activity.action == "agency.nothing")) == (1, 1)

    assert at_once(app, posted("/contribute/december-2026/more-time", cookie, ready="later")) == {303: MANY}
    assert count(Extension) == 1


def test_what_is_declined_and_taken_back_at_once_is_one_of_both(app: Flask, now: datetime, cookie: str) -> None:
    sam = db.session.scalars(select(Contributor)).one()
    issue = db.session.scalars(select(Issue)).one()
    found = sent_in(issue, now, contributor_id=sam.id, updated_at=now)
    other = sent_in(issue, now, "Helpline hours")
    seen = {one.reference: triage.token(one) for one in (found, other)}
    references = list(seen)
    words = {"decision": "decline", "decline_words": "Hello, it is old news, sorry."}
    desk = at_the_desk(app, now)

    def decline(reference: str) -> Callable[[FlaskClient], int]:
        return desk(f"/desk/contributions/{reference}", **words, seen=seen[reference])

    assert 303 in at_once(app, decline(references[1]))
    assert (count(Activity, Activity.action == "contribution.declined"), count(Notice)) == (1, 1)

    statuses = at_once(app, decline(references[0]), posted(f"/contribute/mine/{found.public_id}/withdraw", cookie))
    assert max(statuses) < 500
    done = tuple(count(Activity, Activity.action == f"contribution.{verb}") for verb in ("declined", "withdrawn"))
    db.session.refresh(found)
    assert (found.state, done) in [(ContributionState.WITHDRAWN, (1, 1)), (ContributionState.DECLINED, (2, 0))]
    assert count(Notice) == done[0]


def test_what_is_accepted_and_taken_back_at_once_is_one_of_both(app: Flask, now: datetime, cookie: str) -> None:
    sam = db.session.scalars(select(Contributor)).one()
    found = sent_in(db.session.scalars(select(Issue)).one(), now, contributor_id=sam.id, updated_at=now)
    page = f"/desk/contributions/{found.reference}"
    accept = at_the_desk(app, now)(page, decision="place", place_words="It goes in.", seen=triage.token(found))
    statuses = at_once(app, accept, posted(f"/contribute/mine/{found.public_id}/withdraw", cookie))
    assert max(statuses) < 500
    db.session.refresh(found)
    sections = count(Block, Block.contribution_id == found.id, Block.deleted_at.is_(None))
    assert (found.state, sections) in [(ContributionState.WITHDRAWN, 0), (ContributionState.ACCEPTED, 1)]


def test_a_deadline_that_moves_while_people_post_takes_nothing_from_anybody(
    app: Flask, now: datetime, december: Issue
) -> None:
    """Each is in time by the deadline that stood when it came, or is kept as late; all are answered."""
    before = now - timedelta(days=2)
    with transaction():
        december.deadline = Deadline.of(now.date(), time(17), "Europe/London")
    opened = opened_at(app, before)
    fields = {
        "kind": "section", "d.body": "Two days.", "agency": "Larkmere Council", "contact_name": "Cara Bell",
        "declared": "y", "opened": opened,
    }  # fmt: skip

    def sends(number: int) -> Callable[[FlaskClient], int]:
        who = {"d.heading": f"News {number}", "contact_address": f"cara{number}@example.org"}
        return posted("/contribute/december-2026", **fields, **who)

    dates = {
        "planned_day": "21 December 2026", "planned_time": "10am", "deadline_day": "6 December 2026",
        "deadline_time": "8am",
    }  # fmt: skip
    earlier = at_the_desk(app, now)("/desk/issues/december-2026/dates", **dates)
    statuses = at_once(app, *(sends(number) for number in range(3)), earlier)
    assert set(statuses) == {303}
    db.session.expire_all()
    assert december.deadline is not None
    assert december.deadline.day == date(2026, 12, 6)
    kept = db.session.scalars(select(Contribution)).all()
    assert sorted(one.title for one in kept) == ["News 0", "News 1", "News 2"]
    assert {(one.state, one.late) for one in kept} <= {
        (ContributionState.SUBMITTED, False), (ContributionState.DRAFT, True)
    }  # fmt: skip
