"""What a sender is told of a decision: words that an editor reads and may change, in a mail that waits a little.

A decision that is changed while its mail waits calls the mail back, so that only the last one goes. The words say
nothing that a form beside them can change (which issue, until when): the mail's template adds that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from ....db import db
from ....errors import Invalid, Problem
from ....i18n import gettext as _
from ....models import Account, Contribution, Notice
from ....states import ContributionState, NoticeState, SuppressionReason
from ... import notices
from ...staff.wording import text
from ...subscribers import suppressing
from ..deadline.reading import is_proved

#: How long a mail waits for a second thought.
WAITS = timedelta(minutes=10)
LONGEST = 5_000
_UNWELCOME = frozenset({SuppressionReason.NOT_ME, SuppressionReason.COMPLAINT})
_WAITING = frozenset({NoticeState.QUEUED, NoticeState.DEFERRED, NoticeState.HELD})


class Decision(StrEnum):
    """What happened to a contribution. Each has a mail of its own, `template`."""

    ACCEPTED = "accepted"
    CHANGES = "changes_requested"
    DECLINED = "declined"
    MOVED = "moved"
    MERGED = "merged"
    #: Told to the sender of the one that another was merged into.
    MERGED_INTO = "merged_into"
    REOPENED = "reopened"
    TAKEN_OUT = "taken_out"
    STAYS = "stays"

    @property
    def template(self) -> str:
        return f"contribution_{self.value}"


#: Each decision in a sentence or two. What is decided against somebody's wish wants a why besides.
_SENTENCES: Mapping[Decision, str] = {
    Decision.ACCEPTED: _("Thank you for “{title}”. It goes in. We may shorten it a little."),
    Decision.CHANGES: _("Thank you for “{title}”. Before it goes in, we ask you to change something."),
    Decision.DECLINED: _("Thank you for “{title}”. We have decided not to use it in this issue."),
    Decision.MOVED: _("Thank you for “{title}”. We have kept it for a later issue."),
    Decision.MERGED: _("Thank you for “{title}”. We have put it together with “{other}”, which is about the same."),
    Decision.MERGED_INTO: _("We have put “{other}”, which is about the same, together with your “{title}”."),
    Decision.REOPENED: _("We are looking at “{title}” once more. Our last mail about it does not count any longer."),
    Decision.TAKEN_OUT: _("As you asked, “{title}” does not go in."),
    Decision.STAYS: _("We have read what you asked about “{title}”."),
}
_WANT_A_WHY = frozenset({Decision.CHANGES, Decision.DECLINED, Decision.MOVED, Decision.STAYS})
_ASK_WHY: Mapping[Decision, str] = {
    Decision.CHANGES: _("Say what should change. The sender reads these words."),
    Decision.DECLINED: _("Say why. The sender reads these words."),
    Decision.MOVED: _("Say why it waits. The sender reads these words."),
    Decision.STAYS: _("Say what you have done. The sender reads these words."),
}


@dataclass(frozen=True)
class Mail:
    """What goes to the sender: the `words` as an editor wrote or left them, or, without, the suggestion with a `why`.

    `send` False means that nobody is told.
    """

    words: str = ""
    why: str = ""
    send: bool = True


def suggested(
    decision: Decision, contribution: Contribution, *, actor: Account | None, why: str = "", other: str = ""
) -> str:
    """The words of a decision's mail as we would write them: a greeting, what was decided, `why`, a name.

    `other` is the title of the contribution that is merged.
    """
    sentence = _(_SENTENCES[decision]).format(title=contribution.title, other=other)
    if not is_proved(contribution):
        # Whoever gets this may have sent nothing: they read no word that somebody else typed.
        sentence = _("This is about news that came to us from your address.")
    greeting = hello(contribution)
    name = actor.name if actor else _("The editors of {publication}").format(
        publication=contribution.issue.mailing_list.name
    )  # fmt: skip
    return "\n\n".join(part for part in (greeting, sentence, why, name) if part)


def hello(contribution: Contribution) -> str:
    """How a mail to its sender begins; without a name where somebody else may have typed it."""
    named = contribution.contact_name and is_proved(contribution)
    return _("Hello {name},").format(name=contribution.contact_name) if named else _("Hello,")


def words_of(
    decision: Decision,
    contribution: Contribution,
    mail: Mail,
    *,
    actor: Account | None,
    field: str = "words",
    other: str = "",
) -> str:
    """The mail's words, cleaned. Raises Invalid at `field`: too long, or without a why where the sender is owed one."""
    kept = text(mail.words, field=field, longest=LONGEST)
    why = text(mail.why, field=field, longest=LONGEST)
    bare = suggested(decision, contribution, actor=actor, other=other)
    unsaid = not why and kept.split() in ([], bare.split())
    if mail.send and decision in _WANT_A_WHY and unsaid:
        raise Invalid([Problem(field, _(_ASK_WHY[decision]))])
    return kept or suggested(decision, contribution, actor=actor, why=why, other=other)


def tell(decision: Decision, contribution: Contribution, words: str, *, now: datetime, **values: Any) -> Notice | None:
    """Queue the mail of a decision, to leave in a while; the one before it is called back if it still waits.

    None, and no mail, where there is nobody to write to: erased, or said that they want none of ours.
    """
    call_back(contribution)
    notice = _queue(decision, contribution, words, now, **values)
    contribution.outcome_notice_id = notice.id if notice else None
    db.session.flush()
    return notice


def tell_of_other(contribution: Contribution, merged: Contribution, *, actor: Account | None, now: datetime) -> None:
    """Tell its sender that another one was put together with theirs. The mail of the decision on theirs stays."""
    words = suggested(Decision.MERGED_INTO, contribution, actor=actor, other=merged.title)
    _queue(Decision.MERGED_INTO, contribution, words, now, merged=merged.id)


def _queue(decision: Decision, contribution: Contribution, words: str, now: datetime, **values: Any) -> Notice | None:
    address = contribution.contact_address
    if not welcome(address):
        return None
    return notices.send_notice(
        decision.template,
        address,
        now=now,
        values={"contribution": contribution.id, "words": words, **values},
        issue=contribution.issue,
        leaves_at=now + WAITS,
    )


def welcome(address: str) -> bool:
    """Whether mail of ours may go there at all: not to nobody, nor to who said that they want none."""
    return bool(address) and not any(one.reason in _UNWELCOME for one in suppressing.suppressions_of(address))


def call_back(contribution: Contribution) -> bool:
    """Call back the mail of the last decision. Returns whether its sender has heard nothing of it."""
    notice_id, contribution.outcome_notice_id = contribution.outcome_notice_id, None
    db.session.flush()
    reason = _("The decision was changed before this left.")
    if contribution.state is ContributionState.MERGED:
        of_other = select(Notice).where(
            Notice.template == Decision.MERGED_INTO.template, Notice.issue_id == contribution.issue_id
        )
        for notice in db.session.scalars(of_other).all():
            if notice.values.get("merged") == contribution.id:
                notices.call_back(notice.id, reason=reason)
    return notices.call_back(notice_id, reason=reason)


def waiting(contribution: Contribution) -> Notice | None:
    """The mail of the last decision while it can still be called back."""
    notice = last(contribution)
    return notice if notice and notice.state in _WAITING and notice.claimed_by is None else None


def last(contribution: Contribution) -> Notice | None:
    """The mail of the last decision, if there was one."""
    return db.session.get(Notice, contribution.outcome_notice_id) if contribution.outcome_notice_id else None
