"""The form of an audience: one question for each thing that can be asked, all of which may be left alone."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from newsletter import dates
from newsletter.domain.subscribers import sectors
from newsletter.i18n import gettext as _
from newsletter.models import Audience, MailingList
from newsletter.web.form_bases import GuardedForm
from newsletter.web.reading_dates import Unreadable, read_day

_OFF = {"autocomplete": "off"}
#: What stands in a box of sectors for people who have named none.
_NONE_SAID = "none"
_DAYS = ("joined_since", "joined_before", "sent_not_since")


class AudienceForm(GuardedForm):
    """The names of the fields are those of the conditions: field_is."""

    name = StringField(_("What you call them"), description=_("For example, “Health, new this year”"), render_kw=_OFF)
    sector_one_of = SelectMultipleField(_("Sector"))
    organisation_has = StringField(
        _("Organisation"), description=_("A word or more of its name, such as “hospital”"), render_kw=_OFF
    )
    domain_one_of = TextAreaField(
        _("Only addresses at"),
        description=_("What stands after the @, one a line. What is below a domain counts as well."),
        render_kw={"rows": 2, "autocomplete": "off", "spellcheck": "false"},
    )
    domain_none_of = TextAreaField(
        _("No addresses at"), render_kw={"rows": 2, "autocomplete": "off", "spellcheck": "false"}
    )
    list_on = SelectField(_("Who also get"))
    list_off = SelectField(_("Who do not get"))
    joined_since = StringField(
        _("Joined on this day or later"), description=_("For example, 15 January 2027"), render_kw=_OFF
    )
    joined_before = StringField(_("Joined before this day"), render_kw=_OFF)
    sent_not_since = StringField(
        _("Sent nothing of this list since"),
        description=_("Looks as far back as single deliveries are kept: the last few issues."),
        render_kw=_OFF,
    )

    def offer(self, others: Sequence[MailingList]) -> None:
        """Fill the choices: the sectors, and the lists beside the one that the audience is part of."""
        self.sector_one_of.choices = [
            *(SelectChoice(slug, name) for slug, name in sectors.names().items()),
            SelectChoice(_NONE_SAID, _("Those who have not said")),
        ]
        for field in (self.list_on, self.list_off):
            field.choices = [SelectChoice("", _("Any list")), *(SelectChoice(str(one.id), one.name) for one in others)]
            field.data = field.data or ""
        if not others:
            del self.list_on, self.list_off

    def fill(self, audience: Audience) -> None:
        """Show what is saved."""
        self.name.data = audience.name
        for one in audience.conditions:
            field, value = f"{one['field']}_{one['is']}", one["value"]
            if field == "sector_one_of":
                value = [slug or _NONE_SAID for slug in value]
            elif field.startswith("domain"):
                value = "\n".join(value)
            elif field in _DAYS:
                value = dates.day(date.fromisoformat(value))
            if field in self:
                self[field].data = str(value) if isinstance(value, int) else value

    def conditions(self) -> list[dict[str, Any]]:
        """What was answered, as conditions. A day that cannot be read is said at its field."""
        found: list[dict[str, Any]] = []
        for field in self:
            what, _underscore, how = field.name.partition("_")
            value = self._value(field)
            if how and value and field.name not in ("csrf_token",):
                found.append({"field": what, "is": how, "value": value})
        return found

    def _value(self, field: Any) -> Any:
        typed = field.data
        if not typed:
            return None
        if field.name == "sector_one_of":
            return ["" if one == _NONE_SAID else one for one in typed]
        if field.name.startswith("domain"):
            return typed.replace(",", " ").replace(";", " ").split()
        if field.name.startswith("list"):
            return int(typed)
        if field.name in _DAYS and typed.strip():
            try:
                return read_day(typed).isoformat()
            except Unreadable as error:
                field.errors = [*field.errors, str(error)]
                return None
        return typed.strip()
