"""What staff say of agencies and of the people who send in their news."""

from wtforms import BooleanField, EmailField, FileField, RadioField, SelectField, StringField, TextAreaField

from newsletter.i18n import gettext as _
from newsletter.web.form_bases import PlainForm


class AgencyForm(PlainForm):
    """A partner."""

    name = StringField(_("Name of the agency"), render_kw={"autocomplete": "off"})
    scope = RadioField(_("It sends news to"), default="")


class PersonForm(PlainForm):
    """Somebody who sends in news, as far as staff may change them."""

    name = StringField(_("Name"), render_kw={"autocomplete": "off"})
    agency = SelectField(_("Agency"), default="")
    lead = BooleanField(_("Lead: they may invite and end people of their agency"))


class InvitePersonForm(PersonForm):
    """Somebody new."""

    email = EmailField(_("Email address"), render_kw={"autocomplete": "off"})


class AcceptForm(PlainForm):
    """Where somebody who asked belongs."""

    agency = SelectField(_("They send news for"), default="")


class RefuseForm(PlainForm):
    """Why somebody is not taken in."""

    reason = TextAreaField(_("Why not"), description=_("They read these words."), render_kw={"rows": 4})


class ImportForm(PlainForm):
    """A list of agencies and people, pasted or as a file."""

    text = TextAreaField(
        _("Paste the list"),
        description=_("A line each: agency, name, email address, and “lead” for who looks after the others."),
        render_kw={"rows": 10},
    )
    file = FileField(_("Or a file (CSV)"))
    scope = RadioField(_("New agencies send news to"), default="")
    invite = BooleanField(_("Send each new person an invitation by email"), default=True)
