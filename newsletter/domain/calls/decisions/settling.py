"""A sender asks to have something taken out after it was accepted: an editor settles it, and the issue waits."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from ....db import db
from ....errors import Refused
from ....i18n import gettext as _
from ....models import Account, Contribution, Issue, MailingList
from ....states import ContributionState
from ..deadline.reading import CLOSED
from . import deciding, outcomes
from .outcomes import Decision, Mail

_ASKED = (Contribution.state == ContributionState.ACCEPTED, Contribution.withdrawal_asked_at.is_not(None))


def asked_back(issue: Issue) -> list[Contribution]:
    """What their senders asked to take out and nobody has settled, oldest first."""
    chosen = select(Contribution).where(Contribution.issue_id == issue.id, *_ASKED)
    return list(db.session.scalars(chosen.order_by(Contribution.withdrawal_asked_at)))


def asked_back_of(lists: Iterable[MailingList]) -> list[Contribution]:
    """`asked_back` of every issue of these lists that is still in hand."""
    ids = [each.id for each in lists]
    chosen = select(Contribution).join(Issue).where(Issue.list_id.in_(ids), Issue.state.not_in(CLOSED), *_ASKED)
    return list(db.session.scalars(chosen.order_by(Contribution.withdrawal_asked_at)))


def take_out(contribution: Contribution, *, mail: Mail = Mail(), actor: Account | None, now: datetime) -> None:
    """Take all of it out: its section goes into the bin, and it is withdrawn. Raises NotAllowed, Refused."""
    _begin(contribution, actor)
    words = outcomes.words_of(Decision.TAKEN_OUT, contribution, mail, actor=actor)
    deciding.undo(contribution, actor=actor, now=now)
    contribution.withdrawn_at, contribution.withdrawal_asked_at = now, None
    deciding.decide(contribution, ContributionState.WITHDRAWN, words if mail.send else "", actor, now)
    if mail.send:
        outcomes.tell(Decision.TAKEN_OUT, contribution, words, now=now)
    deciding.record("contribution.withdrawal_granted", contribution, actor, now, told=mail.send)


def keep(contribution: Contribution, *, mail: Mail, actor: Account | None, now: datetime) -> None:
    """It stays, changed perhaps: the sender hears what was done. Raises NotAllowed, Invalid without that, Refused."""
    _begin(contribution, actor)
    words = outcomes.words_of(Decision.STAYS, contribution, Mail(mail.words, mail.why), actor=actor)
    contribution.withdrawal_asked_at = None
    db.session.flush()
    outcomes.tell(Decision.STAYS, contribution, words, now=now)
    deciding.record("contribution.withdrawal_settled", contribution, actor, now)


def _begin(contribution: Contribution, actor: Account | None) -> None:
    deciding.begin(contribution, actor, None, need_open=False)
    if contribution.state is not ContributionState.ACCEPTED or contribution.withdrawal_asked_at is None:
        raise Refused(_("It is settled already. Somebody was quicker."))
