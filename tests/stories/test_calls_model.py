"""Random months of a call, against a model of a page: no text is lost, nothing late counts without a right, nobody is
asked twice, nothing stands in two issues.

NEWSLETTER_TEST_CALLS=500 makes it a long run of new months; NEWSLETTER_TEST_SEED=… one like another.
"""

import os
import random
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from newsletter import dates
from newsletter.db import db, transaction
from newsletter.domain.calls.deadline.rights import Arrival
from newsletter.domain.calls.decisions import triage
from newsletter.domain.calls.decisions.outcomes import Mail
from newsletter.domain.calls.handing_in import contributing, drafting, withdrawing
from newsletter.domain.calls.handing_in.contributing import Way
from newsletter.domain.calls.partners import senders
from newsletter.domain.calls.reminding import chasing, extending, opening
from newsletter.domain.calls.texts.items import Piece
from newsletter.domain.issues import call_deadline, creating, protocols
from newsletter.domain.issues.protocols import Happening
from newsletter.errors import Conflict, Invalid, Refused
from newsletter.models import Agency, Block, Contribution, ContributionRevision, Contributor, Issue, Notice, Rendition
from newsletter.states import ContributionState, IssueState, NoticeState
from tests.domain import call_makers as make

MONTHS = int(os.environ.get("NEWSLETTER_TEST_CALLS", "0"))
SEED = int(os.environ.get("NEWSLETTER_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
START = datetime(2017, 11, 6, 10, 0, tzinfo=UTC)
MINUTE, GRACE = timedelta(seconds=60), timedelta(minutes=15)
NAMES = ("Sam", "Nadia", "Helen")
ASKING = ("call_invitation", "call_reminder", "call_last_call")
QUIET = Mail(send=False)
PEOPLE = st.sampled_from(NAMES)
#: Seconds around the minute that a deadline names, and around its grace.
AROUND = st.sampled_from([-120, 59, 60, 600, 959, 960, 1_200])


class World:
    """A database file that every month begins with anew: two issues, three agencies with one person each."""

    def __init__(self, app: Flask, file: Path) -> None:
        self.app, self.file, self.first = app, file, file.with_suffix(".first")
        mailing_list, _ruth = make.partnership(START)
        made = make.call(mailing_list, START, make.deadline(date(2017, 11, 24)))
        following = make.call(mailing_list, START, make.deadline(date(2018, 2, 16)), slug="march-2018")
        with transaction():
            made.next_issue_id = following.id
        self._let_go()
        shutil.copy(file, self.first)

    def begin(self) -> None:
        self._let_go()
        shutil.copy(self.first, self.file)

    def _let_go(self) -> None:
        db.session.remove()
        # The last connection to close writes the log into the file.
        db.engine.dispose()


class Month(RuleBasedStateMachine):
    """What people do, and what must follow, said once more in a few dictionaries."""

    pieces: Bundle[int] = Bundle("pieces")
    forms: Bundle[tuple[str, datetime]] = Bundle("forms")

    def __init__(self, world: World) -> None:
        super().__init__()
        world.begin()
        self.now = START
        self.number = 0
        self.texts: dict[int, list[str]] = defaultdict(list)
        #: What may count: handed in by a right, or taken by an editor who knew that it was late.
        self.allowed: set[int] = set()
        self.promised: dict[int, datetime] = {}
        self.own_time: dict[tuple[int, str], datetime] = {}
        self.agency_time: dict[tuple[int, str], datetime] = {}
        self.deadlines = {issue.id: _instant(issue) for issue in db.session.query(Issue)}
        self.december, self.march = sorted(self.deadlines)
        self.out = False

    # --- the model -----------------------------------------------------------------------------------------------

    def takes(self, issue: int) -> bool:
        return not (self.out and issue == self.december)

    def ends(self, issue: int, name: str, piece: int | None = None) -> list[tuple[datetime, str]]:
        found = [(self.deadlines[issue], "call")]
        for kind, ends in (("own", self.own_time), ("agency", self.agency_time)):
            if (issue, name) in ends:
                found.append((ends[issue, name], kind))
        if piece in self.promised:
            found.append((self.promised[piece], "promise"))
        return found

    def right(self, issue: int, name: str, opened: datetime, piece: int | None = None) -> str:
        """By which right something counts now: "call", "own", "agency", "promise", or "" for none."""
        if not self.takes(issue):
            return ""
        good = {
            kind: end
            for end, kind in self.ends(issue, name, piece)
            if self.now < end + MINUTE or (opened < end + MINUTE and self.now < end + MINUTE + GRACE)
        }
        more = sorted(((end, kind) for kind, end in good.items() if kind in ("own", "agency")), reverse=True)
        return "call" if "call" in good else (more[0][1] if more else next(iter(good), ""))

    def handed_in(self, piece: int, issue: int, name: str, by: str) -> None:
        self.allowed.add(piece)
        self.promised[piece] = max(end for end, _kind in self.ends(issue, name, piece))
        if by == "own":
            del self.own_time[issue, name]

    # --- people --------------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 5, 24, 72, 24 * 7]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(seconds=AROUND)
    def some_deadline_comes(self, seconds: int) -> None:
        ends = [*self.deadlines.values(), *self.own_time.values(), *self.agency_time.values()]
        ahead = [moment for end in ends if (moment := end + timedelta(seconds=seconds)) > self.now]
        self.now = min(ahead, default=self.now)

    @rule(target=pieces, name=PEOPLE, days=st.integers(1, 4))
    def sends_two_in_time_of_their_own(self, name: str, days: int) -> Any:
        self.gives_more_time(name, days, whole=False, asked=False)
        self.now = max(self.now, self.deadlines[self.december] + timedelta(hours=1))
        return multiple(*(self.sends_the_form((name, self.now), march=False) for _twice in range(2)))

    @rule(target=forms, name=PEOPLE)
    def opens_the_form(self, name: str) -> tuple[str, datetime]:
        return name, self.now

    @rule(target=pieces, name=PEOPLE, seconds=AROUND, draft=st.booleans())
    def begins_early_and_sends_around_the_end(self, name: str, seconds: int, draft: bool) -> Any:
        opened, begun = self.now, self.begins_a_draft(name) if draft else None
        self.some_deadline_comes(seconds)
        if not isinstance(begun, int):
            return self.sends_the_form((name, opened), march=False)
        self.submits(begun)
        return begun

    @rule(target=pieces, form=consumes(forms), march=st.booleans())
    def sends_the_form(self, form: tuple[str, datetime], march: bool) -> int:
        name, opened = form
        issue = self.march if march and self.number % 5 == 0 else self.december
        by = self.right(issue, name, opened)
        person, piece = make.person(name), self.written()
        with transaction():
            outcome = contributing.hand_in(
                db.session.get_one(Issue, issue), piece, senders.of(person), opened_at=opened, now=self.now,
                way=Way(contributor=person, declared=True),
            )  # fmt: skip
        made = outcome.contribution.id
        self.keep(made, piece)
        self.same(outcome.arrival is not Arrival.LATE, by, outcome.contribution)
        if by:
            self.handed_in(made, issue, name, by)
        return made

    @rule(target=pieces, name=PEOPLE)
    def begins_a_draft(self, name: str) -> Any:
        piece = self.written()
        self.now += timedelta(seconds=1)
        try:
            with transaction():
                issue = db.session.get_one(Issue, self.december)
                made = drafting.start(issue, make.person(name), "section", opened_at=self.now, now=self.now)
                drafting.save(made, piece, expected=made.revision, now=self.now)
        except Refused:
            return multiple()
        self.keep(made.id, piece)
        return made.id

    @rule(piece=pieces)
    def edits(self, piece: int) -> None:
        found, words = self.find(piece), self.written()
        before, issue, name = found.state, found.issue_id, _name(found)
        by = self.right(issue, name, found.opened_at, piece)
        try:
            with transaction():
                drafting.save(found, words, expected=found.revision, now=self.now)
        except (Refused, Conflict):
            # A draft is refused to nobody.
            assert before is not ContributionState.DRAFT
            assert not (before is ContributionState.SUBMITTED and by)
            return
        self.keep(piece, words)
        assert before is not ContributionState.SUBMITTED or by

    @rule(piece=pieces)
    def submits(self, piece: int) -> None:
        found = self.find(piece)
        before, issue, name = found.state, found.issue_id, _name(found)
        by = self.right(issue, name, found.opened_at, piece if found.submitted_at else None)
        try:
            with transaction():
                outcome = drafting.submit(found, expected=found.revision, declared=True, now=self.now)
        except Refused:
            assert before is not ContributionState.DRAFT
            return
        if before is ContributionState.DRAFT:
            self.same(outcome.arrival is not Arrival.LATE, by, outcome.contribution)
            if by:
                self.handed_in(piece, issue, name, by)

    @rule(piece=pieces)
    def withdraws(self, piece: int) -> None:
        try:
            with transaction():
                withdrawing.withdraw(self.find(piece), now=self.now)
        except Refused:
            pass

    # --- editors -------------------------------------------------------------------------------------------------

    @rule()
    def opens_the_call(self) -> None:
        try:
            with transaction():
                opening.open_the_call(db.session.get_one(Issue, self.december), actor=None, now=self.now)
        except Refused:
            assert not self.takes(self.december) or self.now >= self.deadlines[self.december] + MINUTE

    @rule(name=PEOPLE, days=st.integers(1, 4), whole=st.booleans(), asked=st.booleans())
    def gives_more_time(self, name: str, days: int, whole: bool, asked: bool) -> None:
        issue, person = db.session.get_one(Issue, self.december), make.person(name)
        until = extending.suggested_end(issue, self.now, days=days, at=time(17) if whole else time(12))
        try:
            if asked and not whole:
                with transaction():
                    extending.ask(issue, contributor=person, reason="Away.", now=self.now)
            with transaction():
                to: dict[str, Any] = {"agency": make.agency_of(name)} if whole else {"contributor": person}
                extending.give(issue, until, actor=None, now=self.now, **to)
        except Refused:
            return
        (self.agency_time if whole else self.own_time)[issue.id, name] = until.instant

    @rule(name=PEOPLE)
    def takes_more_time_back(self, name: str) -> None:
        mine = extending.own_extension(db.session.get_one(Issue, self.december), contributor=make.person(name))
        try:
            if mine is not None:
                with transaction():
                    extending.revoke(mine, actor=None, now=self.now)
                self.own_time.pop((self.december, name), None)
        except Refused:
            pass

    @rule(days=st.integers(-12, 12))
    def moves_the_deadline(self, days: int) -> None:
        issue = db.session.get_one(Issue, self.december)
        assert issue.deadline is not None
        new = make.deadline(issue.deadline.day + timedelta(days=days))
        try:
            with transaction():
                told = call_deadline.what_people_were_told(issue, new)
                creating.change_deadline(issue, new, confirmation=told, actor=None, now=self.now)
        except (Refused, Invalid):
            assert not self.takes(self.december)
            return
        self.deadlines[self.december] = new.instant

    @rule(piece=pieces, other=st.booleans())
    def accepts(self, piece: int, other: bool) -> None:
        found = self.find(piece)
        try:
            with transaction():
                target = db.session.get_one(Issue, self.march) if other else None
                triage.place(found, issue=target, mail=QUIET, actor=None, now=self.now)
        except Refused:
            return
        # An editor who takes a late one knows it: it is the one right that needs no time.
        self.allowed.add(piece)

    @rule(piece=pieces, other=st.booleans())
    def carries(self, piece: int, other: bool) -> None:
        try:
            with transaction():
                target = db.session.get_one(Issue, self.march if other else self.december)
                triage.carry(self.find(piece), target, mail=QUIET, actor=None, now=self.now)
        except Refused:
            return
        self.allowed.add(piece)

    @rule(piece=pieces)
    def declines(self, piece: int) -> None:
        try:
            with transaction():
                triage.decline(self.find(piece), "It is full.", mail=QUIET, actor=None, now=self.now)
        except Refused:
            pass

    @precondition(lambda self: not self.out and self.now > START + timedelta(days=10))
    @rule(target=pieces, name=PEOPLE)
    def the_issue_goes_out_and_somebody_sends_still(self, name: str) -> Any:
        with transaction() as session:
            issue = session.get_one(Issue, self.december)
            rendition = Rendition(
                issue_id=issue.id, content_version=1, subject="x", headers={}, html="", text="", web="", audience={},
                content_hash=bytes(32), created_at=self.now,
            )  # fmt: skip
            session.add(rendition)
            session.flush()
            issue.rendition_id, issue.state = rendition.id, IssueState.SENDING
            issue.started_at = issue.published_at = self.now
            session.flush()
            protocols.tell(Happening.PUBLISHED, issue, self.now)
        self.out = True
        # What came too late for this issue waits in the next one, and is in time for that.
        self.allowed |= {row.id for row in db.session.query(Contribution).filter_by(issue_id=self.march)}
        return self.sends_the_form((name, self.now), march=False)

    @rule()
    def the_tick_comes_twice(self) -> None:
        sent = []
        for _twice in range(2):
            with transaction():
                sent.append(chasing.chase(db.session.get_one(Issue, self.december), self.now))
        assert sent[1] == 0
        assert self.takes(self.december) or sent[0] == 0

    # --- what always holds ---------------------------------------------------------------------------------------

    @invariant()
    def no_text_is_lost(self) -> None:
        kept: dict[int, set[str]] = defaultdict(set)
        for row in db.session.query(ContributionRevision):
            kept[row.contribution_id].add(str(row.data.get("heading", "")))
        for piece, texts in self.texts.items():
            assert set(texts) <= kept[piece], piece
            assert self.find(piece).data["heading"] == texts[-1]

    @invariant()
    def nothing_late_counts_without_a_right(self) -> None:
        counted = (ContributionState.SUBMITTED, ContributionState.ACCEPTED)
        rows = db.session.query(Contribution).filter(Contribution.state.in_(counted))
        assert {row.id for row in rows} <= self.allowed

    @invariant()
    def nothing_stands_in_two_issues(self) -> None:
        live = db.session.query(Block).filter(Block.contribution_id.is_not(None), Block.deleted_at.is_(None))
        assert max(Counter(block.contribution_id for block in live).values(), default=1) == 1
        for block in live:
            assert self.find(block.contribution_id or 0).issue_id == block.issue_id

    @invariant()
    def nobody_is_asked_twice_a_day(self) -> None:
        chosen = db.session.query(Notice).filter(Notice.template.in_(ASKING), Notice.state != NoticeState.DROPPED)
        mails = Counter((each.address, dates.local(each.created_at, make.ZONE).date()) for each in chosen)
        assert max(mails.values(), default=1) == 1

    # --- small help ----------------------------------------------------------------------------------------------

    def written(self) -> Piece:
        self.number += 1
        return Piece("section", {"heading": f"Piece {self.number}", "body": f"<p>Words {self.number}.</p>"})

    def keep(self, piece: int, words: Piece) -> None:
        self.texts[piece].append(str(words.data["heading"]))

    def find(self, piece: int) -> Contribution:
        return db.session.get_one(Contribution, piece)

    def same(self, counts: bool, by: str, found: Contribution) -> None:
        """What came of it is what the model says, in the outcome and in the row."""
        assert counts is bool(by), f"by {by or 'no right'} at {self.now}"
        assert found.late is not counts
        assert (found.state is ContributionState.SUBMITTED) is counts


def _instant(issue: Issue) -> datetime:
    assert issue.deadline is not None
    return issue.deadline.instant


def _name(found: Contribution) -> str:
    person = db.session.get_one(Contributor, found.contributor_id)
    assert db.session.get(Agency, person.agency_id) is not None
    return person.name.split()[0]


@pytest.fixture
def world(app: Flask, tmp_path: Path) -> Iterator[World]:
    yield World(app, tmp_path / "newsletter.db")


def test_calls_behave_like_their_model(world: World) -> None:
    bounds = settings(
        max_examples=MONTHS or 20, stateful_step_count=30, deadline=None, derandomize=not MONTHS, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip

    def month() -> Month:
        return Month(world)

    if MONTHS:
        print(f"NEWSLETTER_TEST_SEED={SEED}")
        seed(SEED)(month)
    run_state_machine_as_test(month, settings=bounds)
