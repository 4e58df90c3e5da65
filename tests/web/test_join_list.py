"""An issue offers another list: one press for its readers, the form for everybody else."""

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.issues import content, editing
from newsletter.domain.subscribers import leaving, suppressing
from newsletter.models import Consent, Issue, MailingList, Subscription
from newsletter.states import ConsentEvent, SuppressionReason
from newsletter.tokens import Purpose, Signer
from tests import people
from tests.web import desk
from tests.web.public_pages import Visitor, form_token, heading, words

OFFER = {"heading": "Hear when policies change", "intro": "<p>A short email each time.</p>", "list": "policy-changes"}


@pytest.fixture
def lists(app: Flask, now: datetime) -> tuple[MailingList, MailingList]:
    """The quarterly, and the list that it offers."""
    return people.larkmere(now), people.policy_changes(now)


@pytest.fixture
def issue(lists: tuple[MailingList, MailingList], now: datetime) -> Issue:
    """January, with the offer in it."""
    ruth = people.staff(now)
    issue = desk.january(now, lists[0], ruth)
    with transaction():
        editing.add_block(issue, "join_list", OFFER, position=2, actor=ruth, now=now)
    return issue


@pytest.fixture
def asha(lists: tuple[MailingList, MailingList], now: datetime) -> Subscription:
    (subscription,) = people.subscribers(now, lists[0], 1)
    return subscription


def link_of(client: FlaskClient, subscription: Subscription, end: str = "policy-changes") -> str:
    signer: Signer = client.application.extensions["newsletter_signer"]
    return f"/preferences/{signer.sign_id(Purpose.PREFERENCES, subscription.public_id)}/join/{end}"


def lists_of(subscription: Subscription) -> set[str]:
    db.session.expire_all()
    assert subscription.subscriber is not None
    return {one.mailing_list.slug for one in subscription.subscriber.subscriptions if one.left_at is None}


def test_the_mail_leads_to_each_readers_own_page_and_the_web_to_the_form(issue: Issue) -> None:
    made = content.render_issue(issue)

    assert content.problems_of(content.issue_content(issue)) == []
    assert 'href="{preferences_url}/join/policy-changes"' in made.html
    assert "\n{preferences_url}/join/policy-changes\n" in made.text
    assert 'href="https://news.example.org/subscribe?list=policy-changes"' in made.web
    for form in (made.html, made.text, made.web):
        assert "Join this list" in form
        assert "Policy changes" in form
        assert "About ten times a year" in form


def test_one_press_adds_it_with_the_words_that_were_read(
    client: FlaskClient, asha: Subscription, now: datetime
) -> None:
    asha_reads, link = Visitor(client, now), link_of(client, asha)

    before = asha_reads.open(link)
    assert heading(before) == "Get Policy changes too?"
    assert "re…r1@example.org" in words(before)
    assert "reader1@" not in before.text
    assert "to send “Policy changes”, and for nothing else." in words(before)
    assert lists_of(asha) == {"safeguarding-news"}

    for _again in range(2):
        pressed = asha_reads.open(link, "POST", data={"form": form_token(before)})
        assert heading(pressed) == "You get Policy changes"
    assert lists_of(asha) == {"safeguarding-news", "policy-changes"}
    (agreed,) = db.session.scalars(select(Consent).where(Consent.event == ConsentEvent.GIVEN))
    assert (
        agreed.wording == "The Larkmere partnership uses your address to send “Policy changes”, and for nothing else."
    )
    assert (agreed.route, agreed.privacy_version) == ("preferences", 1)


def test_whoever_got_it_forwarded_finds_the_form_with_the_list_ticked(
    client: FlaskClient, asha: Subscription, now: datetime
) -> None:
    tom = Visitor(client, now)
    page = tom.open(link_of(client, asha))
    assert 'href="/subscribe?list=policy-changes">Get your own</a>' in page.text

    form = tom.open("/subscribe?list=policy-changes")
    ticked = [line for line in form.text.splitlines() if 'type="checkbox"' in line and " checked" in line]
    assert len(ticked) == 1
    assert 'value="policy-changes"' in ticked[0]
    assert " checked" not in tom.open("/subscribe?list=<script>").text


@pytest.mark.parametrize("glued", [".", ")", "%3E"])
def test_what_mail_programs_glue_to_the_link_does_not_matter(
    client: FlaskClient, asha: Subscription, now: datetime, glued: str
) -> None:
    assert Visitor(client, now).open(link_of(client, asha, f"policy-changes{glued}")).status_code == 200


def test_what_cannot_be_joined(
    client: FlaskClient, lists: tuple[MailingList, MailingList], asha: Subscription, now: datetime
) -> None:
    """A list that is not public is joined by no link, whoever knows its name."""
    visitor, link = Visitor(client, now), link_of(client, asha)
    with transaction():
        lists[1].public = False
    assert visitor.open(link).status_code == 404
    assert visitor.open(link, "POST").status_code == 404
    with transaction():
        lists[1].public = True
        assert asha.subscriber is not None
        suppressing.suppress(asha.subscriber.address, SuppressionReason.COMPLAINT, now=now)
        leaving.unsubscribe(asha, route="link", now=now)
    refused = visitor.send(link)
    assert refused.status_code == 409
    assert "Not added. We do not write to this address any more." in words(refused)
    assert visitor.open(link, "POST").status_code == 400  # a filter that posts blindly has no token of ours
    assert lists_of(asha) == set()
