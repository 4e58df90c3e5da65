"""What contributors say of themselves, and their lead of others."""

from wtforms import BooleanField, EmailField, StringField, TelField, TextAreaField

from ...i18n import gettext as _
from ..form_bases import PlainForm


class OwnForm(PlainForm):
    """Who one is."""

    name = StringField(_("Your name"), render_kw={"autocomplete": "name"})
    phone = TelField(
        _("Your phone number (optional)"),
        description=_("For the editors. It is not printed."),
        render_kw={"autocomplete": "tel"},
    )


class AskForm(PlainForm):
    """To be taken in."""

    name = StringField(_("Your name"), render_kw={"autocomplete": "name"})
    words = TextAreaField(
        _("I send news for"),
        description=_("The name of your agency or team, and what else the editors should know."),
        render_kw={"rows": 3},
    )


class InviteColleagueForm(PlainForm):
    """Somebody of one's own agency."""

    email = EmailField(_("Email address"), render_kw={"autocomplete": "off"})
    name = StringField(_("Name (optional)"), render_kw={"autocomplete": "off"})
    lead = BooleanField(_("They may invite and end people too"))
