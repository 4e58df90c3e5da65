"""Where a contribution stands, in its writer's words: what it is, what happens next, and where to go for it."""

from dataclasses import dataclass

from flask import current_app, url_for

from ... import clock
from ...domain.calls.deadline import reading
from ...domain.calls.deadline.rights import extension_of
from ...domain.calls.decisions import outcomes
from ...domain.calls.handing_in import drafting
from ...i18n import gettext as _
from ...models import Contribution
from ...states import ContributionState, IssueState
from .room import blueprint, kept_token

_STATE = ContributionState
_TOLD = (_STATE.CHANGES_REQUESTED, _STATE.ACCEPTED, _STATE.DECLINED, _STATE.MERGED)


@dataclass(frozen=True)
class Standing:
    """`tag` and its colour, what happens `next`, and a link to what there is to do or to see."""

    tag: str
    colour: str
    next: str
    link: str = ""
    link_words: str = ""


def known_state(contribution: Contribution) -> ContributionState:
    """The state as its writer knows it: a decision is told when its mail leaves, and may be another until then."""
    mail = outcomes.waiting(contribution) if contribution.state in _TOLD else None
    return contribution.state if mail is None or mail.next_attempt_at <= clock.now() else _STATE.SUBMITTED


@blueprint.app_template_global()
def standing(contribution: Contribution) -> Standing:
    """How it stands now."""
    match known_state(contribution):
        case _STATE.DRAFT:
            return _late(contribution) if contribution.late else _draft(contribution)
        case _STATE.SUBMITTED:
            return _sent(contribution)
        case _STATE.CHANGES_REQUESTED:
            return _changes(contribution)
        case _STATE.ACCEPTED:
            return _accepted(contribution)
        case _STATE.DECLINED:
            return Standing(_("Not used"), "grey", _("The editors decided not to use it, and told you why."))
        case _STATE.MERGED:
            return Standing(
                _("Part of another"), "blue", _("The editors put it together with another text on the same subject.")
            )
    return Standing(_("Withdrawn"), "grey", _("You took it back. Nobody will use it."))


def _draft(contribution: Contribution) -> Standing:
    now = clock.now()
    given = drafting.may_change(contribution, now)
    if given is None or not given.counts or given.until is None:
        words = _("Only you can read it. The deadline has passed: send it all the same, or ask for more time.")
    elif given.until.is_open(now):
        words = _("Only you can read it. Send it by {deadline}.").format(deadline=given.until.words)
    else:
        words = _("Only you can read it. The deadline has passed: you began in time, so it counts if you send it now.")
    return Standing(_("Draft"), "yellow", words, _own("mine_one", contribution), _("Go on writing"))


def _late(contribution: Contribution) -> Standing:
    words = _("It came after the deadline, and is kept. The editors can see it, and decide whether there is time.")
    if _takes(contribution):
        return Standing(
            _("You have more time"), "yellow", _("There is time for it again. Send it."),
            _own("check", contribution), _("Send it"),
        )  # fmt: skip
    return Standing(_("Came late"), "orange", words)


def _sent(contribution: Contribution) -> Standing:
    if not reading.is_proved(contribution):
        return Standing(_("One step left"), "yellow", _("Show that the address is yours: then the editors read it."))
    words = _("The editors read it and tell you whether it goes into {issue}.").format(issue=contribution.issue.title)
    given = drafting.may_change(contribution, clock.now())
    # In the quarter of an hour after the deadline there is nothing to promise any more.
    if given is not None and given.until is not None and given.until.is_open(clock.now()):
        words += " " + _("You can edit it until {until}.").format(until=given.until.words)
    elif (extension := extension_of(contribution)) and extension.deadline:
        words += " " + _("You had more time until {until}.").format(until=extension.deadline.words)
    return Standing(_("Sent"), "blue", words)


def _changes(contribution: Contribution) -> Standing:
    given = drafting.may_change(contribution, clock.now())
    until = given.until.words if given and given.until else ""
    words = _("Please change it and send it again by {until}.") if until else _("Please change it and send it again.")
    return Standing(
        _("Changes asked for"), "orange", words.format(until=until), _own("check", contribution), _("Change it")
    )


def _accepted(contribution: Contribution) -> Standing:
    issue = contribution.issue
    if issue.state is IssueState.SENT:
        link = url_for("archive.issue", slug=issue.slug) if issue.mailing_list.public else ""
        return Standing(_("Published"), "green", _("{issue} is out.").format(issue=issue.title), link, _("Read it"))
    if contribution.withdrawal_asked_at is not None:
        return Standing(_("You asked to take it out"), "orange", _("The editors settle it before the issue goes out."))
    link = _section(contribution)
    if link and contribution.confirm_by is not None and contribution.confirmed_at is None:
        words = _("The editors changed the text. Please say whether it is right.")
        return Standing(_("Accepted"), "green", words, link, _("See the edited text"))
    words = _("It goes into {issue}. You hear from us when that is out.").format(issue=issue.title)
    return Standing(_("Accepted"), "green", words, link, _("See the edited text"))


def _section(contribution: Contribution) -> str:
    """The page of the edited section, which another room of ours has."""
    known = "contribute.section" in current_app.view_functions
    return url_for("contribute.section", token=kept_token(contribution)) if known else ""


def _takes(contribution: Contribution) -> bool:
    given = drafting.may_change(contribution, clock.now())
    return given is not None and given.counts


def _own(page: str, contribution: Contribution) -> str:
    return url_for(f"contribute.{page}", public_id=contribution.public_id)
