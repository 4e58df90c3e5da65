"""The two short forms of signing in."""

from wtforms import EmailField, StringField

from ...i18n import gettext as _
from ..form_bases import PlainForm


class AddressForm(PlainForm):
    """Whom to write to."""

    email = EmailField(_("Email address"), description=_("The one that you send news from at work."))


class CodeForm(PlainForm):
    """The six digits of a mail."""

    code = StringField(_("Code"), description=_("Six digits, for example 204 816."))
