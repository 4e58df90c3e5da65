"""The form for sending in news. What may stand in it is said once, in `domain.calls.news`."""

from wtforms import BooleanField, EmailField, StringField, TelField, TextAreaField, ValidationError
from wtforms.validators import Length

from ...domain.calls.news import LONGEST_BODY, News
from ...i18n import gettext as _
from ..form_bases import PlainForm

#: The box that people do not see and machines fill in.
TRAP = "website"
#: The hidden field that proves when the form was opened.
OPENED = "opened"


class ContributionForm(PlainForm):
    """One piece of news, whom to ask about it, and one promise."""

    title = StringField(_("Heading"), description=_("Say what is new, as you would tell a colleague."))
    body = TextAreaField(
        _("Text"),
        description=_(
            "Start with what has changed, then what people should do. About 200 words are best. "
            "Leave an empty line between paragraphs; begin a line with - to make a list."
        ),
        # The counter below the box says it too; nothing is cut off.
        validators=[Length(max=LONGEST_BODY, message=_("Use {most:,} characters or fewer").format(most=LONGEST_BODY))],
        render_kw={"rows": 12},
    )
    agency = StringField(
        _("Your agency or team"),
        description=_("It is printed with your news."),
        render_kw={"autocomplete": "organization"},
    )
    contact_name = StringField(_("Your name"), render_kw={"autocomplete": "name"})
    contact_address = EmailField(
        _("Your email address"), description=_("We send you a copy, and whether it goes in. It is not printed.")
    )
    contact_phone = TelField(_("Your phone number (optional)"), render_kw={"autocomplete": "tel"})
    declared = BooleanField(_("You may publish this. Everybody named in it has agreed, and it names no child."))

    def validate_declared(self, field: BooleanField) -> None:
        """Nothing is published that its sender did not say may be."""
        if not field.data:
            raise ValidationError(_("Tick the box to say that this may be published"))

    def news(self) -> News:
        """What was typed."""
        return News(
            title=self.title.data or "",
            body=self.body.data or "",
            agency=self.agency.data or "",
            contact_name=self.contact_name.data or "",
            contact_address=self.contact_address.data or "",
            contact_phone=self.contact_phone.data or "",
        )
