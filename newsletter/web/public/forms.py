"""The forms of the public pages: plain WTForms, without a session."""

from typing import Any

from wtforms import EmailField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, ValidationError

from ... import addresses
from ...domain.subscribers import sectors
from ...domain.subscribers.leaving import WhyLeft
from ...domain.subscribers.words import LONGEST_NAME, LONGEST_ORGANISATION, one_line
from ...errors import Invalid
from ...i18n import gettext as _
from ...models import MailingList
from ..form_bases import PlainForm

#: The box that people do not see and machines fill in.
TRAP = "website"


class AddressForm(PlainForm):
    """An address that somebody typed, cleaned into `address`."""

    email = EmailField(_("Email address"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = ""

    def validate_email(self, field: EmailField) -> None:
        """Read the address into `address`, or say what is wrong with it."""
        try:
            self.address = addresses.clean(field.data or "")
        except Invalid as error:
            raise ValidationError(error.problems[0].sentence) from None


class PersonForm(PlainForm):
    """Who somebody is, as far as they like to say."""

    name = StringField(
        _("Your name (optional)"),
        filters=[one_line],
        validators=[Length(max=LONGEST_NAME, message=_("Enter a name of 100 characters or fewer"))],
        render_kw={"autocomplete": "name"},
    )
    organisation = StringField(
        _("Where you work (optional)"),
        filters=[one_line],
        validators=[Length(max=LONGEST_ORGANISATION, message=_("Enter a name of 150 characters or fewer"))],
        render_kw={"autocomplete": "organization"},
    )
    # What is not among the choices is taken as nothing said: they may have changed while the page was open.
    sector = SelectField(
        _("Sector (optional)"), validate_choice=False, filters=[lambda slug: sectors.known(slug or "")]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [SelectChoice(slug, name) for slug, name in sectors.choices(self.sector.data or "")]
        self.sector.choices = [SelectChoice("", _("Choose one")), *choices]


class SubscribeForm(AddressForm, PersonForm):
    """Address, lists, and who it is, if they like. Boxes for lists start unticked, but
    for one that a link asked for."""

    lists = SelectMultipleField(_("What would you like?"), description=_("You can change this later."))

    def __init__(self, *args: Any, offered: list[MailingList], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lists.choices = [SelectChoice(one.slug, one.name) for one in offered]

    def validate_lists(self, field: SelectMultipleField) -> None:
        """At least one list: there is nothing else to subscribe to."""
        if not field.data:
            raise ValidationError(_("Choose at least one newsletter"))


class PreferencesForm(PlainForm):
    """Which lists, and a pause. `offered` are those one may join, and those one has."""

    lists = SelectMultipleField(_("What you get"))
    pause = RadioField(_("When you get it"))

    def __init__(self, *args: Any, offered: list[MailingList], pauses: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lists.choices = [SelectChoice(one.slug, one.name) for one in offered]
        self.pause.choices = [SelectChoice(value, words) for value, words in pauses]


class WhyForm(PlainForm):
    """Why somebody left, if they care to say."""

    why = RadioField(
        _("Why did you leave? (optional)"),
        choices=[
            SelectChoice(WhyLeft.TOO_MANY.value, _("Too many emails")),
            SelectChoice(WhyLeft.NOT_RELEVANT.value, _("It is not about my work")),
            SelectChoice(WhyLeft.CHANGED_JOB.value, _("I have changed jobs")),
            SelectChoice(WhyLeft.NEVER_ASKED.value, _("I did not ask for it")),
            SelectChoice(WhyLeft.OTHER.value, _("Something else")),
        ],
    )
