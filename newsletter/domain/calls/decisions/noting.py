"""What editors say to each other about a contribution before it is a section. Its sender never reads it."""

from datetime import datetime

from sqlalchemy import select

from ....db import db
from ....errors import Invalid, Problem
from ....i18n import gettext as _
from ....models import Account, Activity, Contribution
from ...staff.permissions import Permission, require
from ...staff.wording import text
from . import deciding

LONGEST = 500
_ACTION = "contribution.noted"


def note(contribution: Contribution, words: str, *, actor: Account, now: datetime) -> None:
    """Keep a note of an editor's, in the record of activity. Raises NotAllowed, Invalid at "note"."""
    require(actor, Permission.TRIAGE_CONTRIBUTIONS, contribution.issue.mailing_list)
    words = text(words, field="note", longest=LONGEST)
    if not words:
        raise Invalid([Problem("note", _("Write what you want to say"))])
    last = notes_on(contribution)[-1:]
    if last and (last[0].actor_id, last[0].detail.get("note")) == (actor.id, words):
        return
    deciding.record(_ACTION, contribution, actor, now, note=words)
    db.session.flush()


def notes_on(contribution: Contribution) -> list[Activity]:
    """The notes, oldest first; the words stand in `detail["note"]`."""
    chosen = select(Activity).where(
        Activity.action == _ACTION,
        Activity.subject_type == "contribution",
        Activity.subject_id == str(contribution.id),
    )
    return list(db.session.scalars(chosen.order_by(Activity.id)))
