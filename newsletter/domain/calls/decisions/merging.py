"""Two pieces of news about the same become one: each sender hears of it, and neither text is lost."""

from datetime import datetime

from sqlalchemy import select

from ....db import db
from ....errors import Refused
from ....i18n import gettext as _
from ....models import Account, Contribution
from ....states import ContributionState
from . import deciding, outcomes
from .outcomes import Decision, Mail


def merge(
    contribution: Contribution,
    into: Contribution,
    *,
    mail: Mail = Mail(),
    seen: str | None = None,
    actor: Account | None,
    now: datetime,
) -> None:
    """`contribution` goes into `into`, of the same issue, which waits or was accepted. Both senders are told.

    What somebody wants of its words is copied by hand: which of them are worth keeping is an editor's to say.
    Raises NotAllowed, Invalid for words that are too long, Refused in a sentence.
    """
    deciding.begin(contribution, actor, seen)
    db.session.refresh(into, with_for_update=True)
    if into.id == contribution.id:
        raise Refused(_("Choose another contribution to put it together with."))
    if into.issue_id != contribution.issue_id:
        raise Refused(_("“{title}” is for another issue.").format(title=into.title))
    if not deciding.is_open(into) and into.state is not ContributionState.ACCEPTED:
        raise Refused(_("“{title}” is {state}.").format(title=into.title, state=deciding.state_words(into)))
    words = outcomes.words_of(Decision.MERGED, contribution, mail, actor=actor, other=into.title)
    deciding.undo(contribution, actor=actor, now=now)
    contribution.merged_into_id = into.id
    deciding.decide(contribution, ContributionState.MERGED, words if mail.send else "", actor, now)
    if mail.send:
        outcomes.tell(Decision.MERGED, contribution, words, now=now)
        if _other_sender(contribution, into):
            # A mail of its own: that of a decision on `into` is neither changed nor called back by it.
            outcomes.tell_of_other(into, contribution, actor=actor, now=now)
    deciding.record("contribution.merged", contribution, actor, now, into=into.reference, told=mail.send)


def candidates(contribution: Contribution) -> list[Contribution]:
    """What it could be merged into."""
    found = db.session.scalars(
        select(Contribution)
        .where(
            Contribution.issue_id == contribution.issue_id,
            Contribution.id != contribution.id,
            Contribution.state.in_(
                [ContributionState.SUBMITTED, ContributionState.CHANGES_REQUESTED, ContributionState.ACCEPTED]
            ),
        )
        .order_by(Contribution.id)
    )
    return list(found)


def root_of(contribution: Contribution) -> Contribution:
    """What it became part of, at last; itself where it was not merged."""
    found, passed = contribution, {contribution.id}
    while found.merged_into_id is not None and found.merged_into_id not in passed:
        passed.add(found.merged_into_id)
        found = db.session.get_one(Contribution, found.merged_into_id)
    return found


def parts_of(contribution: Contribution) -> list[Contribution]:
    """Those that were merged into it, oldest first."""
    chosen = select(Contribution).where(Contribution.merged_into_id == contribution.id).order_by(Contribution.id)
    return list(db.session.scalars(chosen))


def _other_sender(one: Contribution, other: Contribution) -> bool:
    return one.contact_address.casefold() != other.contact_address.casefold()
