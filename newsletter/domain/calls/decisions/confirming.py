"""Editors edit what they accepted; its sender sees the difference, says that it is right, or suggests other words.

A suggestion never overwrites: it comes to the editors as a comment beside the section. Who is asked has 48 hours, and
hears that their silence counts as a yes.
"""

from datetime import datetime, timedelta
from enum import Enum

from ....db import db
from ....errors import Conflict, Invalid, NotFound, Problem, Refused
from ....i18n import gettext as _
from ....models import Account, Block, Comment, Contribution
from ....states import ContributionState
from ... import notices
from ...issues.block_rows import name_of
from ...issues.people import tell, who_may
from ...staff.permissions import Permission
from ...staff.wording import text
from ..deadline.reading import CLOSED, is_proved
from ..handing_in.contributing import CONTRIBUTOR
from . import deciding, outcomes
from .placing import section_of

LASTS = timedelta(hours=48)
_LONGEST = 2_000


class Standing(Enum):
    """Where the question stands whether the edited section is right."""

    NOT_ASKED = "not asked"
    WAITING = "waiting"
    RIGHT = "right"
    SUGGESTED = "suggested"
    #: Nobody answered in time, so it goes as it stands.
    SILENT = "silent"
    #: It was said to be right, and was edited since.
    CHANGED_SINCE = "changed since"


def suggested_question(contribution: Contribution, actor: Account | None) -> str:
    """The words of the mail that asks, as we would write them."""
    sentence = _("We have edited “{title}” a little. Is it right as it stands now?").format(title=contribution.title)
    if not is_proved(contribution):
        sentence = _("We have edited the news that came to us from your address. Is it right as it stands now?")
    name = actor.name if actor else contribution.issue.mailing_list.name
    return "\n\n".join((outcomes.hello(contribution), sentence, name))


def ask(contribution: Contribution, words: str = "", *, actor: Account | None, now: datetime) -> None:
    """Ask its sender whether the section is right as it stands; they have 48 hours. The mail goes at once.

    Asked again for the same words, it is asked once. Raises NotAllowed, Invalid, Refused.
    """
    deciding.begin(contribution, actor, None, need_open=False)
    words = text(words, field="words", longest=outcomes.LONGEST) or suggested_question(contribution, actor)
    section = _section(contribution)
    if not outcomes.welcome(contribution.contact_address):
        raise Refused(_("There is no address to ask at."))
    waits = contribution.confirm_by is not None and contribution.confirm_by > now and contribution.confirmed_at is None
    if waits and contribution.confirm_version == section.version and not contribution.suggested:
        return
    contribution.confirm_by, contribution.confirm_version = now + LASTS, section.version
    contribution.confirmed_at, contribution.suggested = None, ""
    db.session.flush()
    values = {"contribution": contribution.id, "words": words}
    notices.send_notice(
        "contribution_confirm", contribution.contact_address, now=now, values=values, issue=contribution.issue
    )
    deciding.record("contribution.confirmation_asked", contribution, actor, now, version=section.version)


def confirm(contribution: Contribution, version: int, *, now: datetime) -> None:
    """Its sender says that the section is right. A second time changes nothing.

    `version` is that of the section they read. Raises Conflict where it was edited since, Refused, NotFound.
    """
    deciding.begin(contribution, None, None, need_open=False)
    section = _section(contribution)
    if section.version != version:
        raise Conflict(_("It was edited again while you were reading. Read it as it stands now."))
    if contribution.confirmed_at is not None and contribution.confirm_version == version:
        return
    contribution.confirmed_at, contribution.confirm_version, contribution.suggested = now, version, ""
    db.session.flush()
    deciding.record("contribution.confirmed", contribution, None, now, actor_name=CONTRIBUTOR, version=version)


def suggest(contribution: Contribution, words: str, *, now: datetime) -> None:
    """Its sender would like other words: the editors find them beside the section, and hear of it at once.

    The same words twice are one suggestion. Raises Invalid at "words", Refused.
    """
    words = text(words, field="words", longest=_LONGEST)
    if not words:
        raise Invalid([Problem("words", _("Say what you would change"))])
    deciding.begin(contribution, None, None, need_open=False)
    section = _section(contribution)
    if contribution.suggested == words:
        return
    issue = contribution.issue
    contribution.suggested, contribution.confirmed_at = words, None
    # Not by name: a comment stays when its writer is forgotten.
    who = _("{agency}, who sent it in").format(agency=contribution.agency) if contribution.agency else _("Its sender")
    db.session.add(Comment(issue_id=issue.id, block_id=section.id, author_name=who[:100], body=words, at=now))
    db.session.flush()
    people = who_may(Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list)
    about = {"about": name_of(section), "contribution": contribution.id}
    tell("sender_suggests", people, issue, now=now, by=who, comment=words, **about)
    deciding.record("contribution.change_suggested", contribution, None, now, actor_name=CONTRIBUTOR)


def standing(contribution: Contribution, section: Block | None, now: datetime) -> Standing:
    """Where the question stands."""
    if contribution.suggested:
        return Standing.SUGGESTED
    if contribution.confirmed_at is not None:
        same = section is not None and section.version == contribution.confirm_version
        return Standing.RIGHT if same else Standing.CHANGED_SINCE
    if contribution.confirm_by is None:
        return Standing.NOT_ASKED
    return Standing.WAITING if now < contribution.confirm_by else Standing.SILENT


def is_accepted(contribution: Contribution) -> bool:
    """Whether an editor put it into an issue."""
    return contribution.state is ContributionState.ACCEPTED


def may_answer(contribution: Contribution) -> bool:
    """Whether its sender may still say something about the section."""
    return is_accepted(contribution) and contribution.issue.state not in CLOSED


def _section(contribution: Contribution) -> Block:
    if contribution.state is not ContributionState.ACCEPTED:
        raise Refused(_("It is {state}.").format(state=deciding.state_words(contribution)))
    found = section_of(contribution)
    if found is None:
        raise NotFound(_("It does not stand in the issue."))
    return found
