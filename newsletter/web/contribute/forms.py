"""Whom to ask about what is sent in, and one promise. The fields of what is sent are those of its section."""

from wtforms import BooleanField, EmailField, StringField, TelField, TextAreaField, ValidationError

from ...domain.calls.partners.senders import Sender
from ...i18n import gettext as _
from ..form_bases import PlainForm

#: The box that people do not see and machines fill in.
TRAP = "website"
#: The hidden field that proves when the form was opened.
OPENED = "opened"


class ContactForm(PlainForm):
    """Who it is from, of somebody whose address is known."""

    agency = StringField(
        _("Your agency or team"),
        description=_("It is printed with your news."),
        render_kw={"autocomplete": "organization"},
    )
    contact_name = StringField(_("Your name"), render_kw={"autocomplete": "name"})
    contact_phone = TelField(_("Your phone number (optional)"), render_kw={"autocomplete": "tel"})

    def sender(self, address: str) -> Sender:
        """What was typed, and the address."""
        return Sender(
            name=self.contact_name.data or "",
            address=address,
            agency=self.agency.data or "",
            phone=self.contact_phone.data or "",
        )


def _promised(_form: PlainForm, field: BooleanField) -> None:
    """Nothing is published that its sender did not say may be."""
    if not field.data:
        raise ValidationError(_("Tick the box to say that this may be published"))


def _promise() -> BooleanField:
    return BooleanField(
        _("You may publish this. Everybody named in it has agreed, and it holds no personal data of a child."),
        validators=[_promised],
    )


class DeclarationForm(PlainForm):
    """The promise alone, at the end of the answers."""

    declared = _promise()


class SenderForm(ContactForm):
    """Whom to ask, with the address, and the promise: for whoever writes without signing in."""

    contact_address = EmailField(
        _("Your email address"), description=_("We send you a copy, and whether it goes in. It is not printed.")
    )
    declared = _promise()


class ReasonForm(PlainForm):
    """Why something is to be taken out again."""

    words = TextAreaField(_("Why?"), description=_("The editors read these words."))
