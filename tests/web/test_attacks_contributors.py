"""What strangers and contributors try on the pages for contributors: other people's ids, keys and cookies."""

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import AnyConverter, IntegerConverter, Rule

from newsletter.db import db, transaction
from newsletter.domain.calls.partners import contributors, proving
from newsletter.models import Agency, Contribution, Contributor, Extension, Issue
from newsletter.states import ContributionState, ExtensionState, ProofPurpose, Role
from newsletter.tokens import Purpose, Signer
from tests import people
from tests.contributions import late, sent_in
from tests.contributors import contributor, sign_in
from tests.web.test_access import dump
from tests.web.test_attacks import HOSTILE

#: What counts requests, and nothing else.
COUNTERS = {"limit_counter"}
OURS = ("contribute.", "editor.", "public.")


@pytest.fixture(autouse=True)
def _at(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    found = people.issue(now, people.larkmere(now))
    with transaction():
        found.mailing_list.uses_agencies = True
    return found


@pytest.fixture
def sam(december: Issue, now: datetime) -> Contributor:
    """Sam leads the police's contributors, and has something in every state."""
    who = contributor(now)
    with transaction():
        who.lead = True
    theirs = {"contributor_id": who.id, "agency_id": who.agency_id, "contact_address": who.address,
              "contact_phone": "01632 960222", "updated_at": now}  # fmt: skip
    for number, state in enumerate(ContributionState):
        own = theirs | {"state": state}
        if state is ContributionState.WITHDRAWN:
            own["withdrawn_at"] = now
        if state is ContributionState.DRAFT:
            own |= {"submitted_at": None}
        if state in (ContributionState.ACCEPTED, ContributionState.DECLINED, ContributionState.MERGED):
            own["decided_at"] = now
        if state is ContributionState.MERGED:
            own["merged_into_id"] = db.session.query(Contribution.id).filter_by(title="Secret 1").scalar()
        sent_in(december, now, f"Secret {number}", body="Nobody else reads this.", **own)
    late(december, now, "Secret late", **theirs)
    with transaction() as session:
        session.add(
            Extension(issue_id=december.id, contributor_id=who.id, state=ExtensionState.ASKED, asked_at=now, reason="x")
        )
        proving.send_proof(who.address, ProofPurpose.SIGN_IN, contributor=who, now=now)
    return who


@pytest.fixture
def cara(december: Issue, now: datetime) -> Contributor:
    """Cara leads those of the council."""
    who = contributor(now, "Cara Bell", "cara@council.example.org", "Larkmere Council")
    with transaction():
        who.lead = True
    return who


def unchanged(before: dict[str, Any]) -> bool:
    after = dump()
    return {name: rows for name, rows in after.items() if name not in COUNTERS} == {
        name: rows for name, rows in before.items() if name not in COUNTERS
    }


def browser(app: Flask, who: Contributor, now: datetime) -> FlaskClient:
    client = app.test_client()
    sign_in(client, who, now)
    return client


def rules(app: Flask, method: str, start: str = "contribute.") -> list[Rule]:
    return [
        rule for rule in app.url_map.iter_rules()
        if rule.methods and method in rule.methods and rule.endpoint.startswith(start)
    ]  # fmt: skip


def built(app: Flask, rule: Rule, **values: Any) -> str:
    usual: dict[str, Any] = {"slug": "december-2026", "token": "x", "step": "words", "word": "end", "name": "x",
                             "year": 2027, "number": 1}  # fmt: skip
    chosen = {name: values.get(name, usual.get(name, uuid.UUID(int=7))) for name in rule.arguments}
    for name in rule.arguments:
        converter = rule._converters[name]
        if isinstance(converter, AnyConverter):
            chosen[name] = sorted(converter.items)[0]
        elif isinstance(converter, IntegerConverter) and not isinstance(chosen[name], int):
            chosen[name] = 1
    return app.url_map.bind("localhost").build(rule.endpoint, chosen)


def test_nobody_reaches_what_is_somebody_else_s_by_its_id(
    app: Flask, now: datetime, sam: Contributor, cara: Contributor
) -> None:
    """Every page with an id in it, with every id of Sam's, by the lead of another agency."""
    ids = [one.public_id for one in db.session.query(Contribution).all()] + [sam.public_id]
    client, before, wrong = browser(app, cara, now), dump(), {}
    for method in ("GET", "POST"):
        for rule in rules(app, method):
            names = rule.arguments & {"public_id", "person_id"}
            for name in names:
                for value in ids:
                    where = built(app, rule, **{name: value})
                    answer = client.open(where, method=method, data={"to": str(cara.public_id), "reason": "x"})
                    # Whether it is theirs to claim is not told: they are led to their own page.
                    away = answer.status_code == 404 or answer.location == "/contribute/mine"
                    if not away or "Secret" in answer.text or "sam@" in answer.text:
                        wrong[f"{method} {where}"] = answer.status_code

    assert wrong == {}
    assert unchanged(before)


def test_a_key_opens_what_it_was_made_for_and_nothing_else(app: Flask, now: datetime, sam: Contributor) -> None:
    """Tokens of every purpose over every id, cut, lengthened, in every address that takes one."""
    signer: Signer = app.extensions["newsletter_signer"]
    contribution = db.session.query(Contribution).filter_by(title="Secret 1").one()
    ids = [contribution.public_id, sam.public_id]
    right = {
        "prove": Purpose.ADDRESS_PROOF, "personal_calendar": Purpose.PERSONAL_CALENDAR,
        "nothing": Purpose.AGENCY_NOTHING, "say_nothing": Purpose.AGENCY_NOTHING,
    }  # fmt: skip
    client, before, wrong, tried = app.test_client(), dump(), {}, 0
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    for method in ("GET", "POST"):
        for rule in (each for each in rules(app, method) if "token" in each.arguments):
            own = right.get(rule.endpoint.removeprefix("contribute."), Purpose.CONTRIBUTION)
            for value in ids:
                good = signer.sign_id(own, value)
                bad = [signer.sign_id(each, value) for each in Purpose if each is not own]
                bad += [
                    good[:-1],
                    good[1:],
                    good[:40],
                    good.swapcase(),
                    good + "A",
                    "A" * len(good),
                    signer.sign_instant(own, now),
                ]
                # Another sort of row has this id: a contributor's is no contribution's.
                kinds = {Purpose.CONTRIBUTION: contribution.public_id, Purpose.ADDRESS_PROOF: None}
                if kinds.get(own, sam.public_id) != value:
                    bad.append(good)
                for token in bad:
                    tried += 1
                    status = client.open(built(app, rule, token=token), method=method).status_code
                    if status != 404:
                        wrong[f"{method} {rule.rule} {token[:20]} {own}"] = status

    assert tried > 300
    assert wrong == {}
    assert unchanged(before)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_pages_of_calls_changes_nothing(
    app: Flask, now: datetime, sam: Contributor, december: Issue, method: str
) -> None:
    """By their writer, with their keys, by an editor and by nobody: every page, every contribution."""
    signer: Signer = app.extensions["newsletter_signer"]
    editor = app.test_client()
    people.sign_in(editor, people.staff(now, "Ewan Brodie", Role.ADMIN))
    found = db.session.query(Contribution).all()
    clients = (browser(app, sam, now), editor, app.test_client())
    before, failed, opened = dump(), {}, 0
    for client in clients:
        for rule in rules(app, "GET") + [each for each in rules(app, "GET", "editor.") if "contribution" in each.rule]:
            values: list[dict[str, Any]] = [{"public_id": sam.public_id, "person_id": sam.public_id}]
            if rule.arguments & {"token", "public_id", "reference"}:
                values = [
                    {"public_id": one.public_id, "reference": one.reference,
                     "token": signer.sign_id(Purpose.CONTRIBUTION, one.public_id)}
                    for one in found
                ]  # fmt: skip
                for purpose in (Purpose.PERSONAL_CALENDAR, Purpose.AGENCY_NOTHING):
                    values.append({"token": signer.sign_id(purpose, sam.public_id), "public_id": sam.public_id})
            for each in values:
                answer = client.open(built(app, rule, **each), method=method)
                opened += answer.status_code == 200
                if answer.status_code >= 500:
                    failed[rule.rule] = answer.status_code

    assert failed == {}
    assert opened > 60
    assert dump() == before


def test_a_form_that_is_not_known_to_be_ours_does_nothing_in_somebody_s_name(
    app: Flask, now: datetime, sam: Contributor, december: Issue
) -> None:
    """An old browser that says nothing of where a form was, with Sam's cookie: every form, without its token."""
    client = browser(app, sam, now)
    del client.environ_base["HTTP_SEC_FETCH_SITE"]
    found = db.session.query(Contribution).all()
    before, acted = dump(), {}
    for rule in rules(app, "POST"):
        if rule.endpoint in ("contribute.sign_out", "contribute.send_proof_again"):
            continue
        for one in found if "public_id" in rule.arguments else found[:1]:
            where = built(app, rule, public_id=one.public_id, person_id=sam.public_id)
            client.post(
                where, data={"declared": "y", "words": "x", "reason": "x", "name": "Mallory", "email": "m@example.org"}
            )
            if not unchanged(before):
                acted[rule.rule] = True
                before = dump()
    assert acted == {}


def test_forms_of_contributors_with_what_no_form_sends(
    app: Flask, now: datetime, sam: Contributor, december: Issue
) -> None:
    client, failed = browser(app, sam, now), {}
    found = {one.state: one for one in db.session.query(Contribution).filter_by(late=False)}
    draft, accepted = found[ContributionState.DRAFT], found[ContributionState.ACCEPTED]
    for rule in rules(app, "POST"):
        if rule.endpoint == "contribute.sign_out":
            continue
        for one in (draft, accepted) if rule.endpoint == "contribute.withdraw" else (draft,):
            where = built(app, rule, public_id=one.public_id, person_id=sam.public_id)
            page = client.get(where).text if "GET" in (rule.methods or ()) else ""
            names = set(re.findall(r' name="([^"]+)"', page)) | {
                "d.heading", "d.body", "kind", "do", "expected", "opened", "declared", "contact_address", "agency",
                "to", "words", "reason", "ready", "next", "code", "version", "d.items.99999999999999999999.text",
                "d.manual.0.date",
            }  # fmt: skip
            for what, value in HOSTILE.items():
                status = client.post(where, data=dict.fromkeys(names, value)).status_code
                if status >= 500:
                    failed[f"{where} {what}"] = str(status)
            db.session.rollback()
            if rule.endpoint == "contribute.sign_out_everywhere":
                sign_in(client, sam, now)

    assert failed == {}


def test_a_viewer_reads_no_address_and_no_number(
    app: Flask, now: datetime, sam: Contributor, cara: Contributor, december: Issue
) -> None:
    viewer, shown = app.test_client(), {}
    people.sign_in(viewer, people.staff(now, "Vic Viewer", Role.VIEWER))
    found = db.session.query(Contribution).all()
    agency = db.session.query(Agency).filter_by(id=sam.agency_id).one()
    for rule in rules(app, "GET", "editor."):
        for one in found if "reference" in rule.arguments else found[:1]:
            for public_id in (sam.public_id, getattr(agency, "public_id", sam.public_id), one.public_id):
                where = built(app, rule, reference=one.reference, public_id=public_id)
                text = viewer.get(where).text
                for secret in ("sam@police", "cara@council", "960222", "Nobody else reads this. draft"):
                    if secret in text:
                        shown[where] = secret

    assert shown == {}


def test_somebody_whose_access_ended_does_nothing_more(
    app: Flask, now: datetime, sam: Contributor, december: Issue
) -> None:
    """In the middle of a draft: their session, their calendar, their "nothing this time", their proof."""
    signer: Signer = app.extensions["newsletter_signer"]
    client = browser(app, sam, now)
    draft = db.session.query(Contribution).filter_by(state=ContributionState.DRAFT, late=False).one()
    assert client.get(f"/contribute/mine/{draft.public_id}/words").status_code in (200, 302)
    with transaction():
        contributors.end(sam, by=None, now=now)
    before = dump()
    paths = [f"/contribute/mine/{draft.public_id}{verb}" for verb in ("/words", "/send", "/withdraw", "/kind", "/from")]
    answers = [client.post(path, data={"declared": "y", "d.heading": "More", "expected": "1"}) for path in paths]
    calendar = client.get(f"/calendar/{signer.sign_id(Purpose.PERSONAL_CALENDAR, sam.public_id)}.ics")
    nothing = client.post(f"/contribute/december-2026/nothing/{signer.sign_id(Purpose.AGENCY_NOTHING, sam.public_id)}")

    # Their words come back to them, and nothing but what they sent just now.
    assert {answer.status_code for answer in answers} == {401}
    assert not any("Nobody else reads this" in answer.text for answer in answers)
    assert [calendar.status_code, nothing.status_code] == [404, 404]
    assert unchanged(before)
