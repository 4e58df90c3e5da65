"""Ruth reads what came in and decides: what she sees, what her clicks do, and what Helen reads in her inbox."""

import re
from datetime import datetime, timedelta
from email import message_from_bytes, policy

import pytest
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.domain.calls.decisions import noting, triage
from newsletter.domain.calls.decisions.placing import section_of
from newsletter.domain.calls.reminding import extending
from newsletter.domain.issues import checking, commenting, pictures
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Account, Block, Contribution, Issue, MailingList, Notice
from newsletter.rendering.pictures import Picture
from newsletter.states import ContributionState, IssueState, NoticeState, Role
from tests import people
from tests.contributions import late, sent_in
from tests.web import desk


@pytest.fixture
def quarterly(client: FlaskClient, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def issue(client: FlaskClient, now: datetime, quarterly: MailingList, monkeypatch: pytest.MonkeyPatch) -> Issue:
    """January 2027, with April after it; the clock stands, and Ruth is signed in."""
    monkeypatch.setattr("newsletter.clock.now", lambda: now)
    return desk.january(now, quarterly, desk.ruth(client, now))


def url_of(contribution: Contribution, more: str = "") -> str:
    return f"/desk/contributions/{contribution.reference}{more}"


def choice(client: FlaskClient, contribution: Contribution, decision: str, **typed: str) -> dict[str, str]:
    """What a browser posts that chose this: every field as the page filled it, but for what was typed."""
    page = client.get(url_of(contribution)).text
    filled = dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n?([^<]*)</textarea>', page))
    filled |= dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page))
    for name in ("leave", "quiet", "csrf_token"):
        filled.pop(name, None)
    return {**filled, "decision": decision, **typed}


def state(contribution: Contribution) -> ContributionState:
    db.session.expire_all()
    return contribution.state


def sections() -> list[Block]:
    return db.session.query(Block).filter(Block.contribution_id.is_not(None), Block.deleted_at.is_(None)).all()


def templates() -> list[str]:
    return [f"{each.template}: {each.state.value}" for each in db.session.query(Notice).order_by(Notice.id)]


# --- reading -----------------------------------------------------------------------------------------------------


def test_the_list_says_what_waits_for_whom(client: FlaskClient, issue: Issue, now: datetime) -> None:
    sent_in(issue, now)
    sent_in(issue, now, "Practice week", state=ContributionState.CHANGES_REQUESTED, decided_at=now)
    late(issue, now)
    sent_in(issue, now, "New rota", proved_at=None, prove_by=now + timedelta(hours=24))
    sent_in(issue, now, "Old news", state=ContributionState.DECLINED, decided_at=now)
    sent_in(issue, now, "My secret draft", state=ContributionState.DRAFT, submitted_at=None)

    page = client.get("/desk/contributions?issue=january-2027").text
    headings = re.findall(r'<h2 class="govuk-heading-m" id="group-\w+">([^<]+)', page)
    assert headings == ["To read", "With their senders", "Came after the deadline", "Address not proved yet", "Decided"]
    assert "1 contribution to read" in page
    assert "1 person is still writing." in page
    assert "My secret draft" not in page
    chips = re.findall(r"(All|To read|With their senders|Decided) (\d+)</a>", page)
    assert chips == [("All", "5"), ("To read", "1"), ("With their senders", "1"), ("Decided", "1")]
    only = client.get("/desk/contributions?state=late").text
    assert "Helpline hours" in only
    assert "Peer mentors" not in only


def test_the_list_narrows_to_an_agency(client: FlaskClient, issue: Issue, now: datetime) -> None:
    sent_in(issue, now)
    sent_in(issue, now, "One number", agency="Larkmere Police")
    page = client.get("/desk/contributions?agency=Larkmere+Police").text
    assert "One number" in page
    assert "Peer mentors" not in page
    assert "<option selected>Larkmere Police</option>" in page


def test_nothing_yet_says_what_to_do(client: FlaskClient, issue: Issue) -> None:
    page = client.get("/desk/contributions").text
    assert "Nothing has come in yet" in page
    assert "https://news.example.org/contribute/january-2027" in page


def test_one_after_the_other(client: FlaskClient, issue: Issue, now: datetime) -> None:
    first, second, third = (sent_in(issue, now, title) for title in ("One", "Two", "Three"))
    page = client.get(url_of(second)).text
    assert "2 of 3 to read." in page
    assert f'rel="prev" href="{url_of(first)}"' in page
    assert f'rel="next" href="{url_of(third)}"' in page


def test_a_viewer_reads_and_sees_no_address(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now, contact_phone="01632 960 114")
    people.sign_in(client, people.staff(now, "Vi Hart", Role.VIEWER))
    page = client.get(url_of(news)).text
    assert "Oakfield has trained twelve mentors." in page
    assert "helen@example.org" not in page
    assert "01632" not in page
    assert "Save the decision" not in page
    assert client.post(url_of(news), data={"decision": "decline"}).status_code == 403
    assert client.get("/desk/contributions").status_code == 200


@pytest.mark.parametrize("reference", ["AAAA-BBBB", "draft"])
def test_what_is_not_there_is_not_found(client: FlaskClient, issue: Issue, now: datetime, reference: str) -> None:
    draft = sent_in(issue, now, state=ContributionState.DRAFT, submitted_at=None)
    url = f"/desk/contributions/{draft.reference if reference == 'draft' else reference}"
    assert client.get(url).status_code == 404
    assert client.post(url, data={"decision": "place"}).status_code == 404


# --- deciding ----------------------------------------------------------------------------------------------------


def test_the_mail_is_seen_before_it_goes_and_goes_as_it_is_written(
    client: FlaskClient, issue: Issue, now: datetime, relay: MemoryRelay
) -> None:
    news = sent_in(issue, now)
    page = client.get(url_of(news)).text
    assert "<dt>To</dt><dd>helen@example.org</dd>" in page
    assert "Your news goes into Safeguarding news, January 2027" in page
    data = choice(client, news, "place")
    assert data["place_words"].startswith("Hello Helen Price,\n\nThank you for “Peer mentors”.")
    data["place_words"] = data["place_words"].replace("We may shorten it a little.", "It stands first.")
    answer = client.post(url_of(news), data=data, follow_redirects=True)

    assert "Accepted. It stands in the issue" in answer.text
    assert "A mail leaves at 10:10am." in answer.text
    (section,) = sections()
    assert section.data["source_agency"] == "Oakfield School"
    assert f"/desk/issues/january-2027/write/{section.id}" in answer.text
    assert deliver_notices(now + timedelta(minutes=11)) == 1
    assert b"It stands first." in relay.accepted[0].message


def test_a_double_click_is_one_section_and_no_complaint(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now)
    data = choice(client, news, "place")
    first, second = (client.post(url_of(news), data=data) for _click in range(2))
    assert (first.status_code, second.status_code) == (302 if first.status_code == 302 else 303, first.status_code)
    assert len(sections()) == 1
    assert templates() == ["contribution_accepted: queued"]


def test_two_editors_decide_at_once(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now)
    ruths, ewans = choice(client, news, "place"), choice(client, news, "decline", decline_words="We had it.")
    client.post(url_of(news), data=ruths)
    people.sign_in(client, people.staff(now, "Ewan Marsh"))
    answer = client.post(url_of(news), data=ewans)

    assert answer.status_code == 422
    assert "It is in an issue already. Somebody was quicker." in answer.text
    assert "We had it." in answer.text, "what Ewan wrote is not lost"
    assert state(news) is ContributionState.ACCEPTED


def test_a_change_of_mind_sends_the_last_mail_only(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now)
    client.post(url_of(news), data=choice(client, news, "place"))
    client.post(url_of(news), data=choice(client, news, "decline", decline_words="Ashbury sent the same."))
    assert state(news) is ContributionState.DECLINED
    assert templates() == ["contribution_accepted: dropped", "contribution_declined: queued"]
    assert sections() == []


def test_declining_says_why_unless_nobody_is_told(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now)
    bare = client.post(url_of(news), data=choice(client, news, "decline"))
    assert bare.status_code == 422
    assert '<a href="#decline_words">Say why. The sender reads these words.</a>' in bare.text
    assert "<title>Error: " in bare.text
    quiet = client.post(url_of(news), data=choice(client, news, "decline", quiet="y"), follow_redirects=True)
    assert "Nobody was told." in quiet.text
    assert templates() == []


def test_changes_are_asked_for_until_a_day(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now)
    wrong = choice(client, news, "changes", reply_day="someday", changes_words="Who can they ask?")
    assert '<a href="#reply_day">' in client.post(url_of(news), data=wrong).text
    data = choice(client, news, "changes", changes_words="Who can they ask?")
    data |= {"reply_day": "20 January 2027", "reply_time": "noon"}
    page = client.post(url_of(news), data=data, follow_redirects=True).text
    assert "They can change it until noon, Wednesday 20 January 2027." in page
    assert state(news) is ContributionState.CHANGES_REQUESTED


def test_it_is_kept_for_the_next_issue(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news, april = late(issue, now), issue.next_issue
    assert april is not None
    assert client.post(url_of(news), data=choice(client, news, "carry")).status_code == 422
    data = choice(client, news, "carry", carry_words="January is full.")
    page = client.post(url_of(news), data=data, follow_redirects=True).text
    assert "Kept for the other issue." in page
    assert (news.issue_id, state(news)) == (april.id, ContributionState.SUBMITTED)


def test_a_late_one_leads_to_more_time(client: FlaskClient, issue: Issue, now: datetime) -> None:
    """Given unasked, or by answering its sender who asks."""
    news = late(issue, now)
    assert f"{url_of(news)}/more-time" in client.get(url_of(news)).text
    with transaction():
        asked = extending.ask(issue, contribution=news, reason="The board met late.", now=now)
    page = client.get(url_of(news)).text
    assert "asks for more time" in page
    assert f"/desk/issues/{issue.slug}/call/time/{asked.public_id}" in page


def test_an_accepted_one_is_moved_and_its_section_with_it(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now)
    client.post(url_of(news), data=choice(client, news, "place"))
    client.post(url_of(news), data=choice(client, news, "carry", carry_words="No room.", leave="y"))
    (section,) = sections()
    assert issue.next_issue is not None
    assert (section.issue_id, state(news)) == (issue.next_issue.id, ContributionState.ACCEPTED)
    assert any(block.data.get("heading") == "Peer mentors" for block in issue.blocks)


def test_two_about_the_same_become_one(client: FlaskClient, issue: Issue, now: datetime) -> None:
    first = sent_in(issue, now)
    second = sent_in(
        issue, now, "Mentors at Oakfield", contact_address="tom@example.org", contact_name="Tom Reed",
        body="Oakfield has trained thirteen mentors.",
    )  # fmt: skip
    beside = client.get(url_of(second, f"/beside?with={first.reference}")).text
    assert "Side by side" in beside
    assert re.findall(r"only here:\] </span>(\w+)", beside)[:2] == ["thirteen", "twelve"]
    data = choice(client, second, "merge", merge_into=first.reference)
    page = client.post(url_of(second), data=data, follow_redirects=True).text
    assert "It is part of" in page
    assert "Joined by:" in client.get(url_of(first)).text
    assert templates() == ["contribution_merged: queued", "contribution_merged_into: queued"]


def test_a_decision_is_taken_back(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now)
    client.post(url_of(news), data=choice(client, news, "place"))
    page = client.post(url_of(news, "/reopen"), follow_redirects=True).text
    assert "It waits for a decision again." in page
    assert state(news) is ContributionState.SUBMITTED
    assert db.session.query(Notice).one().state is NoticeState.DROPPED


def test_one_that_nobody_proved_is_taken_in(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now, proved_at=None, prove_by=now + timedelta(hours=24))
    assert "Nobody has shown yet" in client.get(url_of(news)).text
    page = client.post(url_of(news, "/take-in"), follow_redirects=True).text
    assert "1 of 1 to read." in page


def test_editors_leave_notes_for_each_other(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now)
    empty = client.post(url_of(news, "/note"), data={"note": "  "})
    assert empty.status_code == 422
    assert "Write what you want to say" in empty.text
    for _click in range(2):
        client.post(url_of(news, "/note"), data={"note": "Ask <Bethan> first."})
    page = client.get(url_of(news)).text
    assert page.count("Ask &lt;Bethan&gt; first.") == 1
    assert client.get("/desk/issues/january-2027/comments").text.count("Ask &lt;Bethan&gt;") == 0, "not the issue's"


def test_a_note_reaches_whom_it_names_and_is_resolved(
    client: FlaskClient, issue: Issue, now: datetime, relay: MemoryRelay
) -> None:
    news, other, ewan = sent_in(issue, now), sent_in(issue, now, "Another"), people.staff(now, "Ewan Marsh")
    client.post(url_of(news, "/note"), data={"note": "Is that so, @Ewan?"})
    told = db.session.query(Notice).filter_by(template="comment_mention").one()
    assert told.address == ewan.email
    assert deliver_notices(now) == 1
    mail = message_from_bytes(relay.accepted[0].message, policy=policy.default).get_body(("plain",))
    words = mail.get_content()
    assert "They write about “Peer mentors”:\r\n\r\n  Is that so, @Ewan?" in words
    assert f"https://news.example.org{url_of(news)}\r\n" in words
    said = noting.notes_on(news)[0]
    assert client.post(url_of(other, f"/note/{said.id}/resolve"), follow_redirects=True).text.count("no such note") == 1
    page = client.post(url_of(news, f"/note/{said.id}/resolve"), follow_redirects=True).text
    assert "Those that are resolved" in page
    assert (said.resolved_at, commenting.unresolved(issue)) == (now, 0)
    client.post(url_of(news, f"/note/{said.id}/reopen"))
    assert said.resolved_at is None


def test_its_pictures_stand_below_its_section_and_move_with_it(
    client: FlaskClient, issue: Issue, now: datetime
) -> None:
    with transaction():
        names = [
            pictures.store_picture(Picture(body, "image/png", 300, 200), actor=None, now=now).name
            for body in (b"lake", b"map")
        ]
    came = [{"media": names[0], "alt": "The lake"}, {"media": names[1], "alt": ""}]
    news = sent_in(issue, now, pictures=came)
    page = client.get(url_of(news)).text
    assert page.count("Needs a description") == 1
    assert 'alt="The lake"' in page
    client.post(url_of(news), data=choice(client, news, "place"))
    text, lake, plan = sorted(sections(), key=lambda block: block.position)
    assert (text.kind, lake.data["media"], plan.data["media"]) == ("section", names[0], names[1])
    assert [block.position for block in (lake, plan)] == [text.position + 1, text.position + 2]
    assert lake.continues
    undescribed = [each for each in checking.run_checks(issue, now) if each.sentence.startswith("Describe the picture")]
    assert [(each.block_id, each.blocking) for each in undescribed] == [(str(plan.id), True)]
    client.post(url_of(news), data=choice(client, news, "carry", carry_words="January is full."))
    moved = sorted(sections(), key=lambda block: block.position)
    assert [(block.issue_id, block.kind) for block in moved] == [
        (issue.next_issue_id, kind) for kind in ("section", "image", "image")
    ]
    assert section_of(news) == moved[0]
    client.post(url_of(news, "/reopen"))
    assert sections() == []


# --- before the issue goes out -----------------------------------------------------------------------------------


def test_leftovers_are_settled_on_one_page(client: FlaskClient, issue: Issue, now: datetime) -> None:
    used, kept, asked = (sent_in(issue, now, title) for title in ("Used", "Kept", "Asked"))
    asked.state = ContributionState.CHANGES_REQUESTED
    db.session.commit()
    url = "/desk/issues/january-2027/leftovers"
    assert "3 contributions to settle" in client.get(url).text
    for _click in range(2):
        client.post(f"{url}/{used.reference}/use", data={"seen": triage.token(used)})
    assert state(used) is ContributionState.ACCEPTED
    assert len(sections()) == 1
    assert "Say why they wait" in client.post(f"{url}/keep-all", data={"why": " "}).text
    page = client.post(f"{url}/keep-all", data={"why": "January is full."}, follow_redirects=True).text
    assert "2 are kept for April 2027." in page
    assert "Every contribution is settled" in page
    assert {kept.issue_id, asked.issue_id} == {issue.next_issue_id}
    assert templates().count("contribution_moved: queued") == 2


def test_somebody_who_wants_it_out_stops_everything_until_it_is_settled(
    client: FlaskClient, issue: Issue, now: datetime
) -> None:
    news = sent_in(issue, now)
    client.post(url_of(news), data=choice(client, news, "place"))
    with transaction():
        news.withdrawal_asked_at, news.withdrawal_words = now, "Please take out the names."
    assert "cannot be scheduled before that is settled" in client.get("/desk/contributions").text
    page = client.get(url_of(news)).text
    assert "Please take out the names." in page
    assert "Settle what Helen Price wants out again" in client.get("/desk").text
    unsaid = client.post(url_of(news, "/settle"), data={"settle": "keep", "answer": ""})
    assert "Say what you have done." in unsaid.text
    answer = {"settle": "keep", "answer": "The names are out."}
    page = client.post(url_of(news, "/settle"), data=answer, follow_redirects=True).text
    assert "Settled. Its sender is told" in page
    assert state(news) is ContributionState.ACCEPTED
    assert news.withdrawal_asked_at is None
    assert templates()[-1] == "contribution_stays: queued"


def test_all_of_it_is_taken_out(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now)
    client.post(url_of(news), data=choice(client, news, "place"))
    with transaction():
        news.withdrawal_asked_at, news.withdrawal_words = now, "Our director says no."
    for _click in range(2):
        client.post(url_of(news, "/settle"), data={"settle": "out"})
    assert state(news) is ContributionState.WITHDRAWN
    assert sections() == []
    assert templates() == ["contribution_accepted: dropped", "contribution_taken_out: queued"]


def test_what_waits_stands_on_the_desk(client: FlaskClient, issue: Issue, now: datetime) -> None:
    sent_in(issue, now)
    sent_in(issue, now, "Helpline hours")
    assert "Read 2 new contributions" in client.get("/desk").text
    assert "2 to read." in client.get("/desk/issues/january-2027").text


def test_once_no_more_comes_in_the_task_list_leads_to_what_is_left(
    client: FlaskClient, issue: Issue, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent_in(issue, now)
    sent_in(issue, now, "Practice week", state=ContributionState.CHANGES_REQUESTED, decided_at=now)
    left = "/desk/issues/january-2027/leftovers"
    assert f'href="{left}"' not in client.get("/desk/issues/january-2027").text
    assert issue.deadline is not None
    closed = issue.deadline.closes_at
    monkeypatch.setattr("newsletter.clock.now", lambda: closed)
    people.sign_in(client, db.session.query(Account).one())
    page = client.get("/desk/issues/january-2027").text
    assert "1 to read. 1 is with its sender." in page
    assert f'href="{left}"' in page


def test_an_issue_that_takes_nothing_more_says_so(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = sent_in(issue, now)
    with transaction():
        issue.state, issue.cancelled_at = IssueState.CANCELLED, now
    page = client.get(url_of(news)).text
    assert "January 2027 takes nothing more." in page
    assert 'value="place"' not in page
    assert 'value="carry"' in page
    refused = client.post(url_of(news), data=choice(client, news, "place"))
    assert refused.status_code == 422
    assert state(news) is ContributionState.SUBMITTED


def test_changes_that_come_after_their_time_are_late(client: FlaskClient, issue: Issue, now: datetime) -> None:
    news = late(issue, now)
    data = choice(client, news, "changes", changes_words="Who?", reply_day="20 January 2027", reply_time="noon")
    client.post(url_of(news), data=data)
    assert "With their senders" in client.get("/desk/contributions").text
    with transaction():
        news.late = True  # sent again after noon on the 20th
    page = client.get("/desk/contributions?state=late").text
    assert "Helpline hours" in page
    assert "Save the decision" in client.get(url_of(news)).text


def test_news_is_entered_for_somebody_from_here(client: FlaskClient, issue: Issue, now: datetime) -> None:
    assert "/desk/issues/january-2027/contributions/new" in client.get("/desk/contributions").text
    people.sign_in(client, people.staff(now, "Vi Hart", Role.VIEWER))
    assert "Enter news for somebody" not in client.get("/desk/contributions").text
