"""An act on many subscribers in words, and the form that asks for what belongs to it."""

from collections.abc import Sequence

from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from newsletter.domain.subscribers.bulk_kinds import Kind, Outcome
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import BulkAction, MailingList
from newsletter.states import BulkState
from newsletter.web.form_bases import PlainForm
from newsletter.web.reading_dates import Unreadable, read_day

#: The acts in the order of the choice.
KIND_WORDS = {
    Kind.ADD: _("Add to a list"),
    Kind.REMOVE: _("Take off a list"),
    Kind.PAUSE: _("Pause a list"),
    Kind.SUPPRESS: _("Write to them no more"),
    Kind.FORGET: _("Forget them"),
}
_FOLLOWS = {
    Kind.ADD: _("They get the next issue. Whoever left the list, or must not be written to, is not added."),
    Kind.REMOVE: _("They get no more issues of it from now on. You can take this back for a week."),
    Kind.PAUSE: _("They stay subscribed and get nothing of it until then. You can take this back for a week."),
    Kind.SUPPRESS: _(
        "They leave every list, and no import or form brings them back. You can take this back for a week."
    ),
    Kind.FORGET: _("Their address, name and organisation go from everywhere, for good. This cannot be taken back."),
}


class TogetherForm(PlainForm):
    """All that any of the acts asks for; a page shows the fields of its own."""

    list = SelectField(_("List"), validate_choice=False)
    source = StringField(
        _("Where and when did they agree?"),
        description=_("For example, sign-up sheets of the conference, 3 October 2026. It is kept with each person."),
        render_kw={"autocomplete": "off", "maxlength": "200"},
    )
    until = StringField(
        _("Send them nothing until"),
        description=_("For example, 15 January 2027. They can change it by the link in any of our emails."),
        render_kw={"autocomplete": "off"},
    )
    note = StringField(
        _("Why?"),
        description=_("For example, they wrote to us on 3 October. It stands beside each address."),
        render_kw={"autocomplete": "off", "maxlength": "300"},
    )
    until_day = ""

    def offer(self, lists: Sequence[MailingList], chosen: MailingList | None) -> None:
        """Offer these lists; the one that was looked at is chosen."""
        self.list.choices = [SelectChoice(each.slug, each.name) for each in lists]
        if chosen is not None and not self.list.data:
            self.list.data = chosen.slug

    def validate_until(self, field: StringField) -> None:
        """Read the day into ISO form."""
        try:
            self.until_day = read_day(field.data).isoformat() if field.data else ""
        except Unreadable as error:
            raise ValidationError(str(error)) from None

    def asked(self) -> dict[str, str]:
        """What was typed, as the act takes it."""
        return {"source": self.source.data or "", "until": self.until_day, "note": self.note.data or ""}


def question(kind: Kind, number: int) -> str:
    """The heading of the page that asks."""
    words = {
        Kind.ADD: ngettext("Add %(n)s person to a list?", "Add %(n)s people to a list?", number),
        Kind.REMOVE: ngettext("Take %(n)s person off a list?", "Take %(n)s people off a list?", number),
        Kind.PAUSE: ngettext("Pause a list for %(n)s person?", "Pause a list for %(n)s people?", number),
        Kind.SUPPRESS: ngettext("Write to %(n)s person no more?", "Write to %(n)s people no more?", number),
        Kind.FORGET: ngettext("Forget %(n)s person?", "Forget %(n)s people?", number),
    }[kind]
    return words % {"n": f"{number:,}"}


def what_follows(kind: Kind) -> str:
    """What the act means, in a sentence or two."""
    return _FOLLOWS[kind]


def done_words(action: BulkAction) -> str:
    """The heading of the page of one act: what is or was done to how many."""
    done = action.counts.get(Outcome.DONE, 0)
    name = {"list": action.mailing_list.name if action.mailing_list else ""}
    match action.state:
        case BulkState.RUNNING:
            return _("Under way: %(what)s") % {"what": KIND_WORDS[Kind(action.kind)].lower()}
        case BulkState.UNDOING:
            return _("Taking it back")
        case BulkState.UNDONE:
            return _("Taken back")
    words = {
        Kind.ADD: ngettext("%(n)s person added to %(list)s", "%(n)s people added to %(list)s", done),
        Kind.REMOVE: ngettext("%(n)s person taken off %(list)s", "%(n)s people taken off %(list)s", done),
        Kind.PAUSE: ngettext("%(list)s paused for %(n)s person", "%(list)s paused for %(n)s people", done),
        Kind.SUPPRESS: ngettext("%(n)s person is written to no more", "%(n)s people are written to no more", done),
        Kind.FORGET: ngettext("%(n)s person forgotten", "%(n)s people forgotten", done),
    }[Kind(action.kind)]
    return words % {"n": f"{done:,}", **name}


def outcome_words(action: BulkAction) -> list[tuple[int, str]]:
    """Each outcome with its number, as far as there were any."""
    kind = Kind(action.kind)
    unchanged = {
        Kind.ADD: _("were on the list already"),
        Kind.REMOVE: _("were not on the list"),
        Kind.PAUSE: _("were not on the list, or paused like that already"),
        Kind.SUPPRESS: _("were written to no more already"),
    }.get(kind, "")
    lines = [
        (action.counts.get(Outcome.UNCHANGED, 0), unchanged),
        (action.counts.get(Outcome.REFUSED, 0), _("left the list, or must not be written to: they were not added")),
        (action.undo.get(Outcome.UNDONE, 0), _("are as they were before")),
        (action.undo.get(Outcome.KEPT, 0), _("were changed since and stay as they are")),
    ]
    over = action.state in (BulkState.DONE, BulkState.UNDONE)
    gone = action.number - sum(action.counts.values()) if over else 0
    return [(number, words) for number, words in [*lines, (gone, _("were erased meanwhile"))] if number > 0]
