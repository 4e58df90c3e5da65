"""The issues, people and things that the states of the composing pages are looked at with."""

from datetime import date, time, timedelta
from uuid import UUID

from flask import Flask

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.delivery.launch import launch
from newsletter.domain.issues import (
    approving,
    book,
    commenting,
    correcting,
    creating,
    editing,
    following_up,
    past,
    pictures,
    renditions,
    scheduling,
    sharing,
    starting,
    testing,
)
from newsletter.domain.issues.documents import keeping, read_document
from newsletter.models import Account, Issue, MailingList
from newsletter.rendering.blocks import KINDS
from newsletter.rendering.pictures import remake
from newsletter.states import BookKind, Role
from newsletter.tokens import Purpose
from tests import people
from tests.pictures import drawing
from tests.rendering.larkmere import good_data
from tests.web import desk as makers

#: What the checks find something in; the last line promises news.
_FAULTS = """<p>We'd would welcome your views and, and those of others: email: by Monday 3 March 2099.</p>
<p>View the report. Courses run October - March 2099. More in our next newsletter.</p>"""
_DOCUMENT = "Reading week\n\nWe read the records.\n\n- one\n- two\n\nPriorities\n\nTell us by email: ruth@example.org"


class Stage:
    """Everything, with the names by which the addresses of states call it."""

    def __init__(self, app: Flask) -> None:
        self.app, self.now = app, clock.now() - timedelta(hours=2)
        self.list: MailingList = people.larkmere(self.now)
        people.policy_changes(self.now)
        people.subscribers(self.now, self.list, 12)
        self.ruth: Account = people.staff(self.now)
        self.ewan: Account = people.staff(self.now, "Ewan Marsh", Role.APPROVER)
        people.staff(self.now, "Nina Ward", Role.EDITOR, on=db.session.get(MailingList, 2))
        people.staff(self.now, "Vera Holt", Role.VIEWER)
        self.names: dict[str, str] = {}
        self._january()
        self._out()
        self._others()
        self._book_and_addresses()

    def _issue(self, title: str, words: str = "<p>We moved to Mill Lane.</p>") -> Issue:
        """A draft with one section, a subject, and a next issue with its deadline."""
        with transaction():
            issue = creating.create_issue(
                self.list, title=title, planned_at=self.now + timedelta(days=9), actor=self.ruth, now=self.now
            )
            creating.change_frame(
                issue, subject=f"{title}: we moved", preheader="Where to find us from now on.", actor=self.ruth,
                now=self.now,
            )  # fmt: skip
            editing.add_block(
                issue, "section", {"heading": "We moved", "body": words}, position=2, actor=self.ruth, now=self.now
            )
            creating.ensure_next_issue(
                issue, title=f"After {title.lower()}", actor=self.ruth, now=self.now,
                deadline=Deadline.of((self.now + timedelta(days=130)).date(), time(17), "Europe/London"),
            )  # fmt: skip
        return issue

    def _out(self) -> None:
        """One that everybody has, with a note of correction."""
        issue, then = self._issue("October 2026"), self.now - timedelta(days=80)
        makers.approve(issue, self.ewan, then)
        makers.schedule(issue, self.ruth, then, then + timedelta(hours=1))
        assert launch(issue.id, then + timedelta(hours=1))
        with transaction():
            correcting.correct(issue, "It is Mill Lane 5.", actor=self.ruth, now=self.now)
            moved = makers.block_id(issue, "section")
            made = starting.start_from(issue.next_issue, {UUID(moved)}, actor=self.ruth, now=self.now)
            self.names["comeback"] = str(made[0].id)

    def _january(self) -> None:
        """The one that is being written: with history, a full bin, comments, a promise, a link for a guest."""
        now, issue = self.now, makers.january(self.now, self.list, self.ruth)
        section = makers.block_id(issue, "section")
        self.names |= {"section": section, "contact": makers.block_id(issue, "contact")}
        later = now + timedelta(hours=1)
        with transaction():
            first = editing.find_block(issue, section)
            gone = editing.duplicate_block(first, actor=self.ruth, now=now)
            faulty = editing.add_block(
                issue, "section", {"heading": "Views", "body": _FAULTS}, position=4, actor=self.ruth, now=now
            )
            empty = editing.add_block(issue, "image", {}, position=5, actor=self.ruth, now=now)
            twin = editing.duplicate_block(faulty, actor=self.ruth, now=now)
            self.names |= {"gone": str(gone.id), "twin": str(twin.id), "faulty": str(faulty.id), "empty": str(empty.id)}
            editing.delete_block(gone, actor=self.ruth, now=later)
            commenting.comment(issue, "Which days, @Ewan?", block=first, actor=self.ruth, now=now)
            done = commenting.comment(issue, "Shorter?", actor=self.ewan, now=now)
            commenting.resolve(done, actor=self.ruth, now=now)
            following_up.promise(first, "Ask Ann for the figures", actor=self.ruth, now=now)
            open_, taken = (
                sharing.share(issue, for_whom=whom, days=7, actor=self.ruth, now=now) for whom in ("Helen", "Sam")
            )
            sharing.revoke(taken, actor=self.ruth, now=now)
            commenting.comment_as_guest(open_, issue, "Will there be places?", "Helen Moss", block=first, now=now)
            signer = self.app.extensions["newsletter_signer"]
            self.names["link"] = signer.sign_id(Purpose.DRAFT, open_.public_id)
            self.names["ended"] = signer.sign_id(Purpose.DRAFT, taken.public_id)
        with transaction():
            editing.edit_block(
                editing.find_block(issue, section),
                {"heading": "Practice week", "body": "<p>Four practice days in April.</p>"},
                expected_version=1, actor=self.ewan, now=later,
            )  # fmt: skip
        document = read_document(_DOCUMENT)
        with transaction():
            row = keeping.keep_document(issue, document, name="autumn.docx", actor=self.ruth, now=clock.now())
            self.names["read"] = str(row.public_id)

    def _others(self) -> None:
        """One in every other state that an issue can be in, and one of every kind of section."""
        now = self.now
        every = self._issue("Every kind")
        made, unused = remake(drawing(600, 300)), remake(drawing(60, 30))
        with transaction():
            picture = pictures.store_picture(made, actor=self.ruth, now=now).name
            pictures.store_picture(unused, actor=self.ruth, now=now)
            for kind in KINDS:
                if kind not in {block.kind for block in every.blocks}:
                    data = good_data(kind) | ({"media": picture} if pictures.PICTURE_FIELDS[kind] else {})
                    editing.add_block(every, kind, data, position=3, actor=self.ruth, now=now)
            self.names |= {f"kind_{block.kind}": str(block.id) for block in every.blocks}
        asked, prepared = self._tested("Asked for")
        with transaction():
            approving.submit_for_review(asked, prepared, actor=self.ruth, now=now)
        makers.approve(self._issue("Approved"), self.ewan, now)
        ended = self._issue("Ended")
        makers.approve(ended, self.ewan, now)
        with transaction():
            block = editing.find_block(ended, makers.block_id(ended, "section"))
            editing.edit_block(
                block, {**block.data, "heading": "Moved again"}, expected_version=1, actor=self.ruth, now=now
            )
        waiting = self._issue("Scheduled")
        makers.approve(waiting, self.ewan, now)
        makers.schedule(waiting, self.ruth, now, now + timedelta(days=9))
        self.names["locked"] = makers.block_id(waiting, "section")
        cancelled = self._issue("Cancelled")
        with transaction():
            scheduling.cancel_issue(cancelled, reason="Too little news", actor=self.ruth, now=now)
        for title, published in (("Past", False), ("Past and out", True)):
            self._past(title, published=published)

    def _tested(self, title: str) -> tuple[Issue, renditions.Prepared]:
        issue = self._issue(title)
        prepared = approving.prepare(issue, self.now)
        with transaction():
            testing.send_test(issue, prepared, [self.ruth.email], actor=self.ruth, now=self.now)
        return issue, prepared

    def _past(self, title: str, *, published: bool) -> None:
        day = date(2017, 12, 4)
        document = read_document(_DOCUMENT)
        with transaction():
            issue = past.import_past(self.list, document, title=title, day=day, actor=self.ruth, now=self.now)
        if published:
            prepared = renditions.prepare(issue, self.now)
            with transaction():
                past.publish_past(issue, prepared, actor=self.ruth, now=self.now)

    def _book_and_addresses(self) -> None:
        with transaction():
            person = {"role": "Policy officer", "email": "bethan@example.org"}
            bethan = book.add(self.list, BookKind.PERSON, "Bethan Price", person, actor=self.ruth, now=self.now)
            guide = book.add(
                self.list, BookKind.LINK, "The guide", {"url": "https://example.org/guide"}, actor=self.ruth,
                now=self.now,
            )  # fmt: skip
            book.end(guide, self.now, "The page has moved", actor=self.ruth, now=self.now)
            self.names |= {"entry": str(bethan.id), "ended_entry": str(guide.id)}
            testing.add_test_address(
                self.list, "outlook@example.org", note="Outlook on Windows", actor=self.ruth, now=self.now
            )
