"""The form by which an editor decides on a contribution: one choice, and with each the mail that its sender gets."""

from collections.abc import Sequence

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice

from newsletter import dates
from newsletter.deadlines import Deadline
from newsletter.domain.calls.decisions import merging, outcomes, triage
from newsletter.domain.calls.decisions.outcomes import Decision
from newsletter.i18n import gettext as _
from newsletter.models import Account, Contribution, Issue
from newsletter.rendering.notices import subject_of
from newsletter.states import EDITABLE_STATES, ContributionState
from newsletter.web.form_bases import GuardedForm
from newsletter.web.reading_dates import Unreadable, choose, read_planned_day, read_time

_ROWS = {"rows": 8}


def _words() -> TextAreaField:
    return TextAreaField(_("The words of the mail"), render_kw=_ROWS)


class DecisionForm(GuardedForm):
    """What happens to it, and what its sender is told. `seen` is how it stood when the page was made."""

    seen = HiddenField()
    # Which of them it allows is its state's to say, and that may have changed since the page was made.
    decision = RadioField(_("What happens to it?"), choices=[], validate_choice=False)
    place_words = _words()
    changes_words = _words()
    reply_day = StringField(_("They can change it until"), description=_("For example, 15 January 2027"))
    reply_time = StringField(_("Time"), description=_("For example, noon or 5pm"))
    carry_issue = SelectField(_("Which issue?"), choices=[], validate_choice=False)
    leave = BooleanField(_("Leave its section in this issue too, as words of ours"))
    carry_words = _words()
    merge_into = SelectField(_("With which one?"), choices=[], validate_choice=False)
    merge_words = _words()
    decline_words = _words()
    quiet = BooleanField(_("Do not email them"))

    def validate_decision(self, field: RadioField) -> None:
        """One of them has to be chosen."""
        if field.data not in MAILS:
            raise ValidationError(_("Choose what happens to it"))

    def reply_by(self, zone: str) -> Deadline | None:
        """Until when changes can be made, or None with the reason at its field."""
        try:
            day = read_planned_day(self.reply_day.data or "")
        except Unreadable as error:
            self.reply_day.errors = [str(error)]
            return None
        try:
            chosen = choose(day, read_time(self.reply_time.data or ""), zone, dates.Fold.LATER)
        except Unreadable as error:
            self.reply_time.errors = [str(error)]
            return None
        return chosen.deadline if chosen else None


#: Each choice of the form: the decision that is told, and the field that its mail's words are in.
MAILS = {
    "place": Decision.ACCEPTED,
    "changes": Decision.CHANGES,
    "carry": Decision.MOVED,
    "merge": Decision.MERGED,
    "decline": Decision.DECLINED,
}


def choices(found: Contribution, targets: Sequence[Issue], others: Sequence[Contribution]) -> list[SelectChoice]:
    """What can be decided about it as it stands."""
    # Where there are several later issues, the one to keep it for is asked with the choice.
    takes = found.issue.state in EDITABLE_STATES
    offered = {
        "place": takes and found.state is not ContributionState.ACCEPTED,
        "changes": takes,
        "carry": bool(targets),
        "merge": takes and bool(others),
        "decline": True,
    }
    labels = {
        "place": _("Accept it for {issue}").format(issue=found.issue.title),
        "changes": _("Ask for changes"),
        "carry": _("Keep it for {issue}").format(issue=targets[0].title)
        if len(targets) == 1
        else _("Keep it for later"),
        "merge": _("Put it together with another"),
        "decline": _("Decline it"),
    }
    return [SelectChoice(name, labels[name]) for name, offers in offered.items() if offers]


def prepare(form: DecisionForm, found: Contribution, targets: Sequence[Issue]) -> list[Contribution]:
    """Give the form its choices. Returns what it could be merged with."""
    others = merging.candidates(found)
    form.decision.choices = choices(found, targets, others)
    form.carry_issue.choices = [SelectChoice(str(each.id), each.title) for each in targets]
    form.merge_into.choices = [
        SelectChoice(each.reference, f"{each.title} ({each.agency or each.contact_name})") for each in others
    ]
    return others


def fill(form: DecisionForm, found: Contribution, asked: str, *, actor: Account, reply_by: Deadline | None) -> None:
    """What a fresh form says: the suggested words of every mail, and a day that leaves time."""
    form.seen.data = triage.token(found)
    names = [each.value for each in form.decision.choices]
    form.decision.data = asked if asked in names else names[0]
    for name, decision in MAILS.items():
        other = form.merge_into.choices[0].label.rpartition(" (")[0] if form.merge_into.choices else ""
        form[f"{name}_words"].data = outcomes.suggested(decision, found, actor=actor, other=other)
    if reply_by is not None:
        form.reply_day.data = dates.day(reply_by.day)
        form.reply_time.data = dates.clock_time(reply_by.at)


def subjects(found: Contribution, targets: Sequence[Issue]) -> dict[str, str]:
    """The subject of each mail as it would go, by choice."""
    publication = found.issue.mailing_list.name
    later = targets[0] if targets else found.issue
    return {
        name: subject_of(
            decision.template,
            {
                "issue": f"{publication}, {(later if name == 'carry' else found.issue).title}",
                "reference": found.reference,
                "title": found.title,
            },
        )
        for name, decision in MAILS.items()
    }
