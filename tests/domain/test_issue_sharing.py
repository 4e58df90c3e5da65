"""A draft is shown to somebody without an account, for some days, until it is taken back."""

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask

from newsletter.db import transaction
from newsletter.domain.issues import scheduling, sharing
from newsletter.errors import Invalid, NotAllowed, NotFound, Refused, TokenExpired
from newsletter.models import Account, DraftShare, Issue
from newsletter.states import Role
from tests.domain.issue_makers import Desk, desk, draft
from tests.people import staff

DAY = timedelta(days=1)


def _share(
    issue: Issue, d: Desk, now: datetime, for_whom: str = "Helen", days: int = 3, may_comment: bool = True,
    actor: Account | None = None,
) -> DraftShare:  # fmt: skip
    with transaction():
        return sharing.share(
            issue, for_whom=for_whom, days=days, may_comment=may_comment, actor=actor or d.ruth, now=now
        )


def test_a_link_works_for_its_days_and_not_a_second_longer(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    share = _share(issue, d, now)
    assert sharing.shared_issue(share.public_id, now + 3 * DAY - timedelta(seconds=1)) == (share, issue)
    with pytest.raises(TokenExpired, match="has ended"):
        sharing.shared_issue(share.public_id, now + 3 * DAY)
    with pytest.raises(NotFound):
        sharing.shared_issue(uuid.uuid4(), now)


def test_a_link_is_taken_back_at_once_and_stays_on_the_list(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    share, other = _share(issue, d, now), _share(issue, d, now, for_whom="Cara", may_comment=False)
    for _again in (1, 2):
        with transaction():
            sharing.revoke(share, actor=d.ewan, now=now + DAY)
    with pytest.raises(TokenExpired):
        sharing.shared_issue(share.public_id, now + DAY)
    assert sharing.shared_issue(other.public_id, now + DAY) == (other, issue)
    assert (sharing.shares_of(issue), share.revoked_at) == ([other, share], now + DAY)


@pytest.mark.parametrize(("for_whom", "days", "fields"), [
    ("", 3, ["for_whom"]), ("x" * 151, 3, ["for_whom"]), ("Helen", 0, ["days"]), (" ", 31, ["for_whom", "days"]),
])  # fmt: skip
def test_what_a_link_needs(app: Flask, now: datetime, for_whom: str, days: int, fields: list[str]) -> None:
    d = desk(now)
    issue = draft(d, now)
    with pytest.raises(Invalid) as refusal:
        _share(issue, d, now, for_whom=for_whom, days=days)
    assert [problem.field for problem in refusal.value.problems] == fields


def test_who_may_share_and_what(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue, viewer = draft(d, now), staff(now, "Vera Nkosi", Role.VIEWER)
    with pytest.raises(NotAllowed):
        _share(issue, d, now, actor=viewer)
    share = _share(issue, d, now)
    with pytest.raises(NotAllowed), transaction():
        sharing.revoke(share, actor=viewer, now=now)
    with pytest.raises(NotFound):
        sharing.find_share(issue, share.id + 1)
    for _number in range(sharing.MOST_OPEN - 1):
        _share(issue, d, now)
    with pytest.raises(Refused, match="Take one back"):
        _share(issue, d, now)
    with transaction():
        scheduling.cancel_issue(issue, reason="Not this time", actor=d.ruth, now=now)
    with pytest.raises(TokenExpired, match="cancelled"):
        sharing.shared_issue(share.public_id, now)
    with pytest.raises(Refused, match="no draft"):
        _share(issue, d, now)
