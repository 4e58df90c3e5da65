"""Ruth puts sections elsewhere: with what belongs to them, or by number."""

from datetime import datetime

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.domain.issues import editing, ordering
from newsletter.errors import Conflict, Invalid, Refused
from newsletter.models import Issue, IssueVersion
from tests.domain.issue_makers import Desk, desk, draft


def findings(d: Desk, now: datetime) -> Issue:
    """masthead, One, One a, One b, Two, Two a, …, footer: those with a letter go on with the one above."""
    issue = draft(d, now)
    with transaction():
        for number, (heading, continues) in enumerate(
            [("One", False), ("One a", True), ("One b", True), ("Two", False), ("Two a", True)], 1
        ):
            editing.add_block(
                issue, "section", {"heading": heading}, position=number, common={"continues": continues},
                actor=d.ruth, now=now,
            )  # fmt: skip
    return issue


def headings(issue: Issue) -> list[str]:
    return [block.data["heading"] for block in issue.blocks if block.kind == "section"]


def put(issue: Issue, d: Desk, heading: str, place: int, now: datetime) -> None:
    block = next(each for each in issue.blocks if each.data.get("heading") == heading)
    with transaction():
        ordering.place_group(block, place, actor=d.ruth, now=now)


def test_what_goes_on_with_a_section_goes_along(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = findings(d, now)
    put(issue, d, "One", 5, now)  # dropped below "Two a", as the outline shows it without "One"
    assert headings(issue) == ["Two", "Two a", "One", "One a", "One b"]
    put(issue, d, "One", 0, now)  # above the masthead nothing can stand
    assert headings(issue) == ["One", "One a", "One b", "Two", "Two a"]
    assert issue.blocks[0].kind == "masthead"
    put(issue, d, "Two a", 2, now)  # a part is moved alone
    assert headings(issue) == ["One", "Two a", "One a", "One b", "Two"]
    assert [block.position for block in issue.blocks] == list(range(len(issue.blocks)))


def test_a_section_dropped_among_its_own_parts_stays_and_leaves_no_trace(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = findings(d, now)
    before = issue.content_version
    kept = len(versions(issue))
    put(issue, d, "One", 2, now)
    assert headings(issue) == ["One", "One a", "One b", "Two", "Two a"]
    assert (issue.content_version, len(versions(issue))) == (before, kept)
    with pytest.raises(Refused), transaction():
        ordering.place_group(issue.blocks[0], 3, actor=d.ruth, now=now)


def versions(issue: Issue) -> list[IssueVersion]:
    return list(db.session.query(IssueVersion).filter_by(issue_id=issue.id))


def test_sections_get_the_numbers_that_are_typed(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = findings(d, now)
    seen = [block.id for block in issue.blocks]
    with transaction():
        assert ordering.set_order(issue, seen, {seen[5]: 2, seen[1]: 4, seen[2]: 3}, actor=d.ruth, now=now) == 2
    assert headings(issue) == ["Two a", "One a", "One", "One b", "Two"]
    with pytest.raises(Conflict, match="nothing was moved"), transaction():
        ordering.set_order(issue, seen, {seen[5]: 3}, actor=d.ewan, now=now)
    assert headings(issue) == ["Two a", "One a", "One", "One b", "Two"]


def test_numbers_that_nothing_can_have_are_refused_together_in_words(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = findings(d, now)
    seen = [block.id for block in issue.blocks]
    places = {seen[0]: 3, seen[1]: 0, seen[2]: 5, seen[3]: 5, seen[4]: 99}
    with pytest.raises(Invalid) as refused, transaction():
        ordering.set_order(issue, seen, places, actor=d.ruth, now=now)
    last = len(seen) - 1
    assert [problem.sentence for problem in refused.value.problems][1:] == [
        f"Give “One” a number from 2 to {last}.",
        "“One b” and “One a” cannot both be 5.",
        f"Give “Two” a number from 2 to {last}.",
    ]
    with transaction():
        assert ordering.set_order(issue, seen, {}, actor=d.ruth, now=now) == 0
    assert headings(issue) == ["One", "One a", "One b", "Two", "Two a"]
