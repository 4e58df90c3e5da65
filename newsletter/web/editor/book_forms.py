"""The forms of the book: one for each kind of entry, and one to end it."""

from collections.abc import Mapping

from wtforms import SelectField, StringField

from newsletter.domain.issues.book import FIELDS
from newsletter.i18n import gettext as _
from newsletter.models import BookEntry
from newsletter.states import BookKind
from newsletter.web.form_bases import GuardedForm

#: What the book calls its parts.
HEADINGS: Mapping[BookKind, str] = {
    BookKind.PERSON: _("People"),
    BookKind.LINK: _("Links"),
    BookKind.ACRONYM: _("Acronyms"),
}
_OFF = {"autocomplete": "off"}


class EntryForm(GuardedForm):
    """What the forms of entries share; the names of the other fields are those of `book.FIELDS`."""

    kind: BookKind
    list = SelectField(_("List"), validate_choice=True)
    name = StringField(_("Name"), render_kw=_OFF)

    def values(self) -> dict[str, str]:
        """The fields beside the name, as they were typed."""
        return {name: self[name].data or "" for name in FIELDS[self.kind]}

    def fill(self, entry: BookEntry) -> None:
        self.name.data = entry.name
        for name in FIELDS[self.kind]:
            self[name].data = str(entry.data.get(name, ""))


class PersonForm(EntryForm):
    """Somebody to turn to."""

    kind = BookKind.PERSON
    role = StringField(_("Role"), render_kw=_OFF)
    organisation = StringField(_("Organisation"), render_kw=_OFF)
    email = StringField(_("Email address"), render_kw=_OFF)
    phone = StringField(_("Phone number"), render_kw=_OFF)


class LinkForm(EntryForm):
    """A page that is pointed to again and again."""

    kind = BookKind.LINK
    name = StringField(_("What the page is called"), render_kw=_OFF)
    url = StringField(_("Address"), description=_("It begins with https://."), render_kw=_OFF)
    type = StringField(_("What it is"), description=_("PDF, web page, video."), render_kw=_OFF)
    size = StringField(_("How long"), description=_("18 pages, 5 minutes."), render_kw=_OFF)
    audience = StringField(_("For whom"), render_kw=_OFF)


class AcronymForm(EntryForm):
    """Letters, and what they stand for."""

    kind = BookKind.ACRONYM
    name = StringField(_("Letters"), description=_("For example, DSL"), render_kw=_OFF)
    meaning = StringField(
        _("What they stand for"), description=_("For example, designated safeguarding lead"), render_kw=_OFF
    )


FORMS: Mapping[BookKind, type[EntryForm]] = {each.kind: each for each in (PersonForm, LinkForm, AcronymForm)}


class EndForm(GuardedForm):
    """From when, and why."""

    day = StringField(
        _("From which day"), description=_("For example, 29 January 2027. It may be ahead."), render_kw=_OFF
    )
    reason = StringField(_("Why"), description=_("Such as “left the team” or “the page has moved”."), render_kw=_OFF)
