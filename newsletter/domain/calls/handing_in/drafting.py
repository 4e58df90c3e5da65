"""Writing over days: a signed-in contributor's draft is saved as often as they like, and read by nobody else.

`expected` is the revision that the writer had before them. Who saves over a newer text hears so (Conflict) and both
texts are kept: the newer one in the table, theirs on their page. Saving what is there already does nothing.
"""

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ....db import db
from ....errors import Conflict, Invalid, NotFound, Problem, Refused
from ....i18n import gettext as _
from ....models import Contribution, Contributor, Issue
from ....rendering.fields import FieldType
from ....states import ContributionState
from ...issues.transitions import lock
from ...staff import activity
from ..deadline.counting import settle
from ..deadline.reading import CLOSED
from ..deadline.rights import Arrival, Right, right
from ..partners import senders
from ..partners.senders import Sender
from ..texts import items, revisions
from ..texts.items import Piece
from . import contributing
from .contributing import CONTRIBUTOR, Outcome

_log = logging.getLogger(__name__)

#: States in which its writer may still change the words.
CHANGEABLE = frozenset({ContributionState.DRAFT, ContributionState.SUBMITTED, ContributionState.CHANGES_REQUESTED})
_MOST_DRAFTS = 30


def start(issue: Issue, contributor: Contributor, kind: str, *, opened_at: datetime, now: datetime) -> Contribution:
    """A new, empty draft of this kind. The same page sent twice begins one.

    It may be begun after the deadline: it is saved, and asks for more time when it is sent. Raises NotFound for a kind
    that nobody sends in or an issue without a call, Refused for one that takes nothing more, or too many drafts.
    """
    piece = items.cleaned(Piece(items.item(kind).kind, {}))
    lock(issue)
    if issue.deadline is None or not issue.has_call:
        raise NotFound(_("There is no call for news at this address."))
    if issue.state in CLOSED:
        raise Refused(_("{issue} takes nothing more.").format(issue=issue.title))
    mine = _drafts(issue, contributor)
    before = next((one for one in mine if one.opened_at == opened_at), None)
    if before is not None:
        return before
    return _new(issue, contributor, piece, senders.of(contributor), mine, opened_at=opened_at, now=now)


def keep_both(contribution: Contribution, piece: Piece, *, now: datetime) -> Contribution:
    """What was written in a second window becomes a draft of its own, beside what another window has saved.

    It has its writer's hour of the first one, so no right to hand it in is lost. The same words twice are one draft.
    Raises Invalid for the wrong shape, Refused where the issue takes nothing more, or for too many drafts.
    """
    piece = items.cleaned(piece)
    begin(contribution)
    issue, contributor = contribution.issue, contribution.contributor
    if contributor is None or issue.state in CLOSED:
        raise Refused(_("{issue} takes nothing more.").format(issue=issue.title))
    mine = _drafts(issue, contributor)
    same = (one for one in mine if one is not contribution and (one.kind, one.data) == (piece.kind, dict(piece.data)))
    before = next(same, None)
    if before is not None:
        return before
    sender = senders.of_contribution(contribution)
    return _new(issue, contributor, piece, sender, mine, opened_at=contribution.opened_at, now=now)


def _new(
    issue: Issue, contributor: Contributor, piece: Piece, sender: Sender, mine: list[Contribution],
    *, opened_at: datetime, now: datetime,
) -> Contribution:  # fmt: skip
    if len(mine) >= _MOST_DRAFTS:
        raise Refused(_("You have many drafts for this issue. Send or withdraw one of them first."))
    contribution = Contribution(
        reference=contributing.new_reference(),
        issue=issue,
        state=ContributionState.DRAFT,
        contributor=contributor,
        agency_id=contributor.agency_id,
        opened_at=opened_at,
        created_at=now,
        proved_at=now,
        revision=1,
    )
    senders.write(contribution, sender)
    revisions.write(contribution, piece, now)
    _record("contribution.started", contribution, now)
    return contribution


def find(contributor: Contributor, contribution: Contribution) -> Contribution:
    """The contribution, if it is this contributor's. Raises NotFound: nobody learns what others write."""
    if contribution.contributor_id != contributor.id:
        raise NotFound(_("There is nothing at this address."))
    return contribution


def may_change(contribution: Contribution, now: datetime) -> Right | None:
    """The right by which its writer may change the words now; None where they may not.

    What was never sent, or came late, may be changed whenever: it counts for nothing yet.
    """
    if contribution.state not in CHANGEABLE:
        return None
    given = right(contribution.issue, now, contribution.opened_at, contribution=contribution)
    return given if given.counts or contribution.state is not ContributionState.SUBMITTED else None


def save(contribution: Contribution, piece: Piece, *, expected: int, now: datetime) -> bool:
    """Keep these words as the newest revision; whether anything was new.

    A draft is saved however unfinished it is. What was sent in already must stay fit to be read. Raises Invalid, for
    wrong shapes and then, Conflict when another page saved meanwhile, Refused in a sentence.
    """
    piece = items.cleaned(piece)
    begin(contribution)
    if (piece.kind, dict(piece.data)) == (contribution.kind, contribution.data):
        return False
    _require_current(contribution, expected)
    require_changeable(contribution, now)
    if contribution.state is ContributionState.SUBMITTED and (problems := items.problems_of(piece, contribution.issue)):
        raise Invalid(problems)
    contribution.revision += 1
    revisions.write(contribution, piece, now)
    if contribution.state is not ContributionState.DRAFT or contribution.late:
        _record("contribution.edited", contribution, now, revision=contribution.revision)
    return True


def save_sender(contribution: Contribution, sender: Sender, *, now: datetime) -> None:
    """Keep whom to ask. The address stays that of who is signed in. Raises Invalid, Refused."""
    sender = senders.checked(sender)
    begin(contribution)
    require_changeable(contribution, now)
    senders.write(contribution, Sender(sender.name, contribution.contact_address, sender.agency, sender.phone))
    contributor = contribution.contributor
    if contributor is not None:
        # Nobody is asked twice: what was missing is remembered for the next one.
        contributor.name = contributor.name or sender.name
        contributor.phone = contributor.phone or sender.phone
    db.session.flush()


def change_kind(contribution: Contribution, kind: str, *, expected: int, now: datetime) -> None:
    """Make a draft one of another kind. Its heading and its first text move along; the rest stays in its revisions.

    Raises NotFound, Conflict, Refused.
    """
    if kind == contribution.kind:
        return
    old = revisions.piece_of(contribution)
    save(contribution, Piece(kind, _moved(old, kind)), expected=expected, now=now)


def submit(contribution: Contribution, *, expected: int, declared: bool, now: datetime) -> Outcome:
    """Hand a draft in, or again after changes were asked for: by the right there is, else it is kept as late.

    Whoever began before the deadline has its grace. A second click is the first one's outcome. Raises Invalid with
    every problem ("declared" among them), Conflict, Refused.
    """
    begin(contribution)
    if contribution.state is ContributionState.SUBMITTED:
        return Outcome(contribution, contributing.arrival_of(contribution), again=True)
    require_changeable(contribution, now)
    _require_current(contribution, expected)
    problems = items.problems_of(items.cleaned(revisions.piece_of(contribution)), contribution.issue)
    if not declared:
        problems.append(Problem("declared", _("Tick the box to say that this may be published")))
    if problems:
        raise Invalid(problems)
    senders.checked(senders.of_contribution(contribution))
    given = right(contribution.issue, now, contribution.opened_at, contribution=contribution)
    contribution.declared_at = now
    was_late = contribution.late
    if contribution.state is ContributionState.CHANGES_REQUESTED and not given.counts:
        # It stays what the editors asked for; that it came late, they see.
        contribution.late = True
    else:
        settle(contribution, given, now)
    revisions.keep(contribution, now)
    if given.counts or not was_late:
        contributing.tell_received(contribution, given, now)
    return Outcome(contribution, given.arrival, again=was_late and given.arrival is Arrival.LATE)


def _moved(old: Piece, kind: str) -> dict[str, Any]:
    """The heading and the first text of a piece, in the fields of another kind."""
    data: dict[str, Any] = {}
    asked = items.item(kind).fields
    title = next((each.name for each in asked if each.name in ("heading", "title")), None)
    if title:
        data[title] = old.data.get("heading") or old.data.get("title") or ""
    text = next((each.name for each in asked if each.type is FieldType.RICH), None)
    found = next((old.data[each.name] for each in items.item(old.kind).fields if each.type is FieldType.RICH), "")
    if text:
        data[text] = found
    return data


def begin(contribution: Contribution) -> None:
    """Hold its issue and its row, and read it anew."""
    lock(contribution.issue)
    db.session.refresh(contribution, with_for_update=True)


def _require_current(contribution: Contribution, expected: int) -> None:
    if contribution.revision != expected:
        raise Conflict(_("This text was changed in another window."))


def require_changeable(contribution: Contribution, now: datetime) -> None:
    """Raise Refused, in a sentence, unless its writer may change it now."""
    if contribution.state not in CHANGEABLE:
        raise Refused(_("The editors have decided on it, so it cannot be changed here any more."))
    if may_change(contribution, now) is None:
        raise Refused(_("The time to change it is over. Write to the editors."))


def _drafts(issue: Issue, contributor: Contributor) -> list[Contribution]:
    return list(
        db.session.scalars(
            select(Contribution).where(
                Contribution.issue_id == issue.id,
                Contribution.contributor_id == contributor.id,
                Contribution.state == ContributionState.DRAFT,
            )
        )
    )


def _record(action: str, contribution: Contribution, now: datetime, **detail: Any) -> None:
    activity.record(
        action, actor=None, actor_name=CONTRIBUTOR, now=now, issue=contribution.issue,
        subject=("contribution", contribution.id), reference=contribution.reference, **detail,
    )  # fmt: skip
    _log.info("%s %s of issue %s", action, contribution.reference, contribution.issue_id)
