"""December 2017 is out: who leaves, who hears that their news is in it, what its page says of the deadline.

5pm on 19 January 2018 is 17:00 UTC: in winter the clock in Larkmere is the world's.
"""

import hashlib
from datetime import UTC, date, datetime, time

from sqlalchemy import select

from newsletter import addresses
from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.calls.decisions import placing, triage
from newsletter.domain.calls.decisions.outcomes import Mail as Outcome
from newsletter.domain.issues import creating
from newsletter.models import Contribution, Issue, Subscriber, Subscription
from newsletter.states import Role, SubscriptionState
from tests import contributions, people
from tests.web import desk

from .closing import it_closes
from .stage import Browser, Mail, Stage

OUT = "Safeguarding news, December 2017 is out, with your news"


#: Wednesday 13 December 2017, 9am.
BEGINS = datetime(2017, 12, 13, 9, 0, tzinfo=UTC)


def test_act_e(stage: Stage) -> None:
    _december_is_approved(stage)
    stage.clock.to("2017-12-14 10:00")
    sent = {mail.to: mail for mail in stage.sends("december-2017")}
    assert sorted(sent) == ["reader1@example.org", "reader2@example.org", "tom@example.org"]
    _tom_leaves(stage, sent["tom@example.org"])
    _whoever_is_in_it_hears_so(stage)
    _a_correction_leaves_the_mail_as_it_was(stage)
    assert "The deadline for Spring 2018 is 5pm, Friday 19 January 2018" in _page(stage)
    spring = _issue("spring-2018")
    last, first = "2018-01-19T17:00:59.999", "2018-01-19T17:01:00"
    it_closes(stage, spring, last=last, first=first, before="december-2017")
    stage.clock.to("2018-01-19T17:01:01")
    assert "The deadline for Spring 2018 was 5pm, Friday 19 January 2018 It is closed." in _page(stage)
    _sams_waits_in_spring(stage)


def _december_is_approved(stage: Stage) -> None:
    """As the editors have left it: Cara's news is in it, Sam's is carried on, Helen's was declined."""
    now = stage.clock()
    mailing_list = people.larkmere(now)
    people.subscribers(now, mailing_list, 2)
    with transaction() as session:
        tom = Subscriber(address="tom@example.org", address_key=addresses.key("tom@example.org"), created_at=now)
        joined = {"state": SubscriptionState.ACTIVE, "joined_at": now, "source": "test"}
        session.add_all([tom, Subscription(subscriber=tom, list_id=mailing_list.id, **joined)])
    ruth = people.staff(now, "Ruth Adeyemi", Role.EDITOR)
    with transaction():
        december = creating.create_issue(
            mailing_list, title="December 2017", planned_at=datetime(2017, 12, 14, 10, 0, tzinfo=UTC),
            deadline=Deadline.of(date(2017, 11, 24), time(17), "Europe/London"), actor=ruth, now=now,
        )  # fmt: skip
        preheader = "What the audit of joint visits found, and one number for families."
        creating.change_frame(december, subject="December 2017: joint visits", preheader=preheader, actor=ruth, now=now)
        spring = creating.ensure_next_issue(
            december, title="Spring 2018", deadline=Deadline.of(date(2018, 1, 19), time(17), "Europe/London"),
            actor=ruth, now=now,
        )  # fmt: skip
    sent, quiet = datetime(2017, 11, 23, 15, 0, tzinfo=UTC), Outcome(send=False)
    cara, sam, helen = (
        contributions.sent_in(
            december, sent, title, contact_name=name, contact_address=f"{name.split()[0].lower()}@example.org",
            data={"heading": title, "body": "<p>We went along to 31 visits in autumn.</p>"},
        )
        for title, name in (
            ("Audit of joint visits", "Cara Lindqvist"), ("Night shifts", "Sam Okafor"), ("Mentors", "Helen Price"),
        )
    )  # fmt: skip
    with transaction():
        triage.place(cara, issue=december, mail=quiet, actor=ruth, now=now)
        triage.carry(sam, spring, mail=quiet, actor=ruth, now=now)
        triage.decline(helen, "Ashbury sent the same.", mail=quiet, actor=ruth, now=now)
    desk.approve(december, people.staff(now, "Ewan Hughes", Role.APPROVER), now)
    desk.schedule(december, ruth, now, datetime(2017, 12, 14, 10, 0, tzinfo=UTC))
    stage.post_leaves()


def _tom_leaves(stage: Stage, mail: Mail) -> None:
    """A filter that opens the link does nothing; the mail program's one click, without cookie or token, leaves."""
    link = mail.headers["List-Unsubscribe"].partition("<")[2].partition(">")[0]
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for method in ("GET", "HEAD", "GET"):
        assert Browser(stage.port).request(method, link).status == 200
    assert _toms() is SubscriptionState.ACTIVE
    for _twice in range(2):
        program = Browser(stage.port)
        page = program.request("POST", link, [("List-Unsubscribe", "One-Click")], {"Sec-Fetch-Site": "cross-site"})
        assert page.status == 200
        assert program.cookies == {}
        assert _toms() is SubscriptionState.LEFT


def _whoever_is_in_it_hears_so(stage: Stage) -> None:
    """One mail to Cara, with the way to the page; none to Sam, whose news waits, or to Helen."""
    mails = [mail for mail in stage.ticks() if mail.subject == OUT]
    (out,) = mails
    assert out.to == "cara@example.org"
    assert "• Audit of joint visits" in out.text
    assert "Audit of joint visits" in stage.browser().open(out.link("/news/")).words


def _a_correction_leaves_the_mail_as_it_was(stage: Stage) -> None:
    """A dated note stands on the page; what was sent is the same, byte for byte."""
    before = _as_sent()
    ruth = stage.desk("Ruth")
    page = ruth.open("/desk/issues/december-2017/corrections")
    note = "The audit was of 31 visits. We had written 13."
    page = ruth.press(page, "Put it on the web page", {"body": note})
    assert "The correction is on the web page, with today’s date." in page.words
    assert note in _page(stage)
    assert _as_sent() == before


def _sams_waits_in_spring(stage: Stage) -> None:
    ruth = stage.desk("Ruth")
    assert "Night shifts" in ruth.open("/desk/contributions?issue=spring-2018").words
    db.session.remove()
    sam = db.session.scalars(select(Contribution).where(Contribution.title == "Night shifts")).one()
    assert sam.issue.slug == "spring-2018"
    section = placing.section_of(sam)
    assert section is None or section.issue_id == sam.issue_id


def _page(stage: Stage) -> str:
    return stage.browser().open("/news/december-2017").words


def _as_sent() -> str:
    """The hash of the mail that was stored when it was approved, and sent."""
    rendition = _issue("december-2017").rendition
    assert rendition is not None
    return hashlib.sha256("\0".join([rendition.subject, rendition.html, rendition.text]).encode()).hexdigest()


def _toms() -> SubscriptionState:
    db.session.remove()
    chosen = select(Subscription.state).join(Subscriber).where(Subscriber.address == "tom@example.org")
    return db.session.scalars(chosen).one()


def _issue(slug: str) -> Issue:
    db.session.remove()
    return db.session.scalars(select(Issue).where(Issue.slug == slug)).one()
