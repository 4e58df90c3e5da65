"""Which calls are open, and what came in for them. Reads only.

Whose eyes are for what: a draft is its writer's alone until it is sent, so the staff see a number and no words; what
was sent by somebody who has not proved their address stands apart; one that was sent too late is seen.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from .... import addresses
from ....db import db
from ....errors import NotFound
from ....models import Activity, AddressProof, Contribution, Contributor, Issue, MailingList
from ....states import ContributionState, IssueState
from ...issues.finding import find_issue

#: An issue in one of these takes nothing more: its words are on their way, or will never be.
CLOSED = frozenset({IssueState.SENDING, IssueState.PAUSED, IssueState.SENT, IssueState.CANCELLED})


def open_calls(now: datetime) -> list[Issue]:
    """The issues of public lists that take news now, the nearest deadline first."""
    chosen = (
        select(Issue)
        .join(MailingList, MailingList.id == Issue.list_id)
        .where(MailingList.public, Issue.has_call, Issue.state.not_in(CLOSED))
        .order_by(Issue.deadline_at, Issue.id)
    )
    return [issue for issue in db.session.scalars(chosen) if issue.accepts_contributions(now, now)]


def open_call(mailing_list: MailingList, now: datetime) -> Issue | None:
    """The list's issue whose deadline comes next, if it takes news now."""
    return next((issue for issue in open_calls(now) if issue.list_id == mailing_list.id), None)


def find_call(slug: str, *, even_cancelled: bool = False) -> Issue:
    """The issue whose call stands at this address, open or closed. Where its `slug` differs, it has moved.

    Raises NotFound: for an issue without a call, of a list that is not public, or that was cancelled (unless
    `even_cancelled`: somebody may be writing to it).
    """
    issue = None if slug.isdecimal() else _found(slug)
    hidden = issue is not None and issue.state is IssueState.CANCELLED and not even_cancelled
    if issue is None or hidden or not issue.has_call or not issue.mailing_list.public:
        raise NotFound("There is no call for news at this address.")
    return issue


def _found(slug: str) -> Issue | None:
    try:
        return find_issue(slug)
    except NotFound:
        return None


def find_contribution(public_id: uuid.UUID) -> Contribution:
    """The contribution of this id. Raises NotFound."""
    found = db.session.scalar(select(Contribution).where(Contribution.public_id == public_id))
    if found is None:
        raise NotFound("There is no such contribution.")
    return found


def is_private(contribution: Contribution) -> bool:
    """Whether it is nobody's but its writer's: a draft that was never sent, or was withdrawn as one."""
    if contribution.state is ContributionState.DRAFT:
        return not contribution.late
    # A row of the table that is no draft has an hour in `submitted_at`; for these it is that of the withdrawing.
    return contribution.withdrawn_at is not None and contribution.submitted_at == contribution.withdrawn_at


def is_proved(contribution: Contribution) -> bool:
    """Whether its sender's address is proved, or nobody asked for that (it came before anybody did)."""
    return contribution.proved_at is not None or contribution.prove_by is None


def proof_of(contribution: Contribution) -> AddressProof | None:
    """The newest link and code that went to its sender to prove their address, if any did."""
    chosen = select(AddressProof).where(AddressProof.contribution_id == contribution.id)
    return db.session.scalar(chosen.order_by(AddressProof.id.desc()).limit(1))


def contributions_to(issue: Issue) -> list[Contribution]:
    """All that came in for the issue and the staff may read, oldest first."""
    chosen = select(Contribution).where(Contribution.issue_id == issue.id, _not_private())
    return list(db.session.scalars(chosen.order_by(Contribution.id)))


def contributions_of(lists: Iterable[MailingList], *, limit: int = 200) -> list[Contribution]:
    """What came in for these lists and the staff may read, newest first."""
    ids = [one.id for one in lists]
    chosen = select(Contribution).join(Issue).where(Issue.list_id.in_(ids), _not_private())
    return list(db.session.scalars(chosen.order_by(Contribution.id.desc()).limit(limit)))


def own(contributor: Contributor, *, limit: int = 200) -> list[Contribution]:
    """All that somebody wrote, sent or not, newest first."""
    chosen = select(Contribution).where(Contribution.contributor_id == contributor.id)
    return list(db.session.scalars(chosen.order_by(Contribution.id.desc()).limit(limit)))


def unclaimed(contributor: Contributor, *, limit: int = 20) -> list[Contribution]:
    """What was sent under somebody's address, and nobody has said yet that it was them; newest first."""
    chosen = select(Contribution).where(
        Contribution.contributor_id.is_(None),
        Contribution.proved_at.is_(None),
        Contribution.prove_by.is_not(None),
        Contribution.state.in_((ContributionState.SUBMITTED, ContributionState.DRAFT)),
        func.lower(Contribution.contact_address) == contributor.address.lower(),
    )
    found = db.session.scalars(chosen.order_by(Contribution.id.desc()).limit(limit))
    return [one for one in found if addresses.key(one.contact_address) == contributor.address_key]


def undecided(issue: Issue) -> list[Contribution]:
    """What was sent in, in time, by somebody whose address is proved, and waits for a decision; oldest first."""
    return [one for one in contributions_to(issue) if one.state is ContributionState.SUBMITTED and is_proved(one)]


def unproved(issue: Issue) -> list[Contribution]:
    """What was sent in and waits for its sender to prove their address; oldest first."""
    waiting = (ContributionState.SUBMITTED, ContributionState.DRAFT)
    return [one for one in contributions_to(issue) if one.state in waiting and not is_proved(one)]


def late(issue: Issue) -> list[Contribution]:
    """What came after the deadline and is kept; nobody has decided on it."""
    return [one for one in contributions_to(issue) if one.state is ContributionState.DRAFT]


def drafts(issue: Issue) -> int:
    """How many people are still writing: all that the staff learn of drafts."""
    chosen = select(Contribution.contributor_id, func.lower(Contribution.contact_address)).where(
        Contribution.issue_id == issue.id, Contribution.state == ContributionState.DRAFT, Contribution.late.is_(False)
    )
    return len({of or address for of, address in db.session.execute(chosen.distinct())})


def counts(issue: Issue) -> dict[ContributionState, int]:
    """How many contributions to the issue stand where, drafts among them."""
    rows = db.session.execute(
        select(Contribution.state, func.count()).where(Contribution.issue_id == issue.id).group_by(Contribution.state)
    )
    return dict(rows.tuples().all())


def deadline_set_at(issue: Issue) -> datetime:
    """When the issue's deadline got its present value."""
    changed = db.session.scalar(
        select(func.max(Activity.at)).where(Activity.issue_id == issue.id, Activity.action == "issue.deadline_changed")
    )
    return changed or issue.created_at


def _not_private() -> ColumnElement[bool]:
    withdrawn_draft = and_(
        Contribution.withdrawn_at.is_not(None), Contribution.submitted_at == Contribution.withdrawn_at
    )
    return or_(Contribution.state != ContributionState.DRAFT, Contribution.late) & ~func.coalesce(
        withdrawn_draft,
        False,
    )
