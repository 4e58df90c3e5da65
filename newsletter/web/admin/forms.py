"""The forms of these pages. What is wrong with an answer is said by the verb that gets it."""

from wtforms import (
    BooleanField,
    EmailField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)

from ...domain.staff.installation import FirstAnswers, OrganisationDetails
from ...domain.staff.invitations import ROLE_WORDS
from ...domain.staff.mailing_lists import ListDetails
from ...domain.subscribers.evidence import BASIS_DUTIES
from ...i18n import gettext as _
from ...states import Cadence, LawfulBasis, Role, SendingMode
from ..form_bases import PlainForm

_ROLES = [
    SelectChoice(role.value, _(ROLE_WORDS[role])) for role in (Role.EDITOR, Role.APPROVER, Role.VIEWER, Role.ADMIN)
]
ROLE_HINTS = {
    "viewer": _("Reads issues and numbers. Sees no addresses."),
    "editor": _("Writes, schedules and sends approved issues; decides on contributions; looks after subscribers."),
    "approver": _("As an editor, and approves issues."),
    "admin": _("Everything, with staff, lists and settings."),
}
CADENCE_HINTS = {
    "quarterly": _("Each issue calls for contributions, with a deadline, and names the next one’s."),
    "none": _("As things happen: write, check, send."),
}
BASIS_HINTS = {basis.value: words for basis, words in BASIS_DUTIES.items()}
_BASES = [
    SelectChoice(LawfulBasis.CONSENT.value, _("They agreed (consent)")),
    SelectChoice(LawfulBasis.PUBLIC_TASK.value, _("A public body’s task needs it (public task)")),
    SelectChoice(
        LawfulBasis.LEGITIMATE_INTERESTS.value, _("It was weighed against their interests (legitimate interests)")
    ),
]
MODE_HINTS = {
    "nothing": _("No mail leaves, not even to you."),
    "team": _("Only people on the staff page get mail. Good for trying things out."),
    "everyone": _("Subscribers get what they asked for."),
}
_CADENCES = [
    SelectChoice(Cadence.QUARTERLY.value, _("Four times a year")),
    SelectChoice(Cadence.NONE.value, _("No fixed rhythm")),
]
_MODES = [
    SelectChoice(SendingMode.NOTHING.value, _("Nobody")),
    SelectChoice(SendingMode.TEAM.value, _("The team only")),
    SelectChoice(SendingMode.EVERYONE.value, _("Everyone who subscribed")),
]


class JoinForm(PlainForm):
    """Name and password of somebody who was invited."""

    name = StringField(_("Your name"), render_kw={"autocomplete": "name"})
    password = PasswordField(_("Choose a password"), render_kw={"autocomplete": "new-password"})


class InviteForm(PlainForm):
    """Who, as what, on which list."""

    email = EmailField(_("Email address"))
    role = RadioField(_("Role"), choices=_ROLES, default=Role.EDITOR.value)
    scope = SelectField(_("On"), default="")


class RoleForm(PlainForm):
    """What somebody may do on one list, or on all."""

    role = RadioField(_("Role"), choices=[*_ROLES, SelectChoice("", _("None"))], default="")


class OrganisationForm(PlainForm):
    """The publisher."""

    name = StringField(_("Name of your organisation or partnership"), render_kw={"autocomplete": "organization"})
    address = TextAreaField(_("Postal address"), render_kw={"rows": 3, "autocomplete": "street-address"})
    email = EmailField(_("Email address for questions"))
    phone = TelField(_("Phone (optional)"), render_kw={"autocomplete": "tel"})

    def details(self) -> OrganisationDetails:
        """What was typed."""
        return OrganisationDetails(
            self.name.data or "", self.address.data or "", self.email.data or "", self.phone.data or ""
        )


class SetUpForm(OrganisationForm):
    """The first set-up: publisher, first list, first administrator, privacy notice."""

    list_name = StringField(_("Name of the newsletter"))
    cadence = RadioField(_("How often does it appear?"), choices=_CADENCES, default=Cadence.QUARTERLY.value)
    sender_address = EmailField(_("Address it is sent from"))
    privacy_notice = TextAreaField(_("Privacy notice"), render_kw={"rows": 10})
    your_name = StringField(_("Your name"), render_kw={"autocomplete": "name"})
    your_email = EmailField(_("Your email address"), render_kw={"autocomplete": "username"})
    password = PasswordField(_("Choose a password"), render_kw={"autocomplete": "new-password"})

    def answers(self) -> FirstAnswers:
        """What was typed, without the password."""
        return FirstAnswers(
            organisation=self.details(),
            list_name=self.list_name.data or "",
            cadence=Cadence(self.cadence.data),
            sender_address=self.sender_address.data or "",
            privacy_notice=self.privacy_notice.data or "",
            your_name=self.your_name.data or "",
            your_email=self.your_email.data or "",
        )


class PrivacyForm(PlainForm):
    """A new version of the privacy notice."""

    privacy_notice = TextAreaField(_("Privacy notice"), render_kw={"rows": 18})


class SendingModeForm(PlainForm):
    """Who may get mail from here."""

    mode = RadioField(_("Who may get mail from here?"), choices=_MODES)


def _number(typed: object) -> int:
    """The number that was typed; 0, which none of these forms takes, for anything else."""
    text = str(typed).strip().replace(",", "")
    return int(text) if text.isdecimal() and len(text) < 8 else 0


class ListForm(PlainForm):
    """A newsletter and what stands on it."""

    name = StringField(_("Name"))
    strapline = StringField(_("Line under the name (optional)"))
    frequency = StringField(_("How often, in words (optional)"))
    cadence = RadioField(_("Rhythm"), choices=_CADENCES, default=Cadence.NONE.value)
    sender_name = StringField(_("Name that mails come from"))
    sender_address = EmailField(_("Address that mails come from"))
    contact_address = EmailField(_("Address for questions and replies"))
    why = StringField(_("Why people get it (optional)"))
    lawful_basis = RadioField(_("Why may it be sent to people?"), choices=_BASES, default=LawfulBasis.CONSENT.value)
    accent = StringField(_("Colour"))
    timezone = StringField(_("Time zone"))
    needs_approval = BooleanField(_("Somebody approves each issue before it is scheduled"), default=True)
    four_eyes = BooleanField(_("Nobody approves what they wrote themselves"))
    requires_help_line = BooleanField(_("Each issue says whom to ring when somebody is in danger"))
    public = BooleanField(_("Offered on the sign-up page"), default=True)
    uses_agencies = BooleanField(_("Agencies send in its news"))
    contribution_words = StringField(_("Most words of one contribution"), default="400")

    def details(self, slug: str) -> ListDetails:
        """What was typed."""
        return ListDetails(
            slug=slug,
            name=self.name.data or "",
            strapline=self.strapline.data or "",
            frequency=self.frequency.data or "",
            cadence=Cadence(self.cadence.data),
            sender_name=self.sender_name.data or "",
            sender_address=self.sender_address.data or "",
            contact_address=self.contact_address.data or "",
            why=self.why.data or "",
            lawful_basis=LawfulBasis(self.lawful_basis.data),
            accent=self.accent.data or "",
            timezone=self.timezone.data or "",
            four_eyes=bool(self.four_eyes.data),
            requires_help_line=bool(self.requires_help_line.data),
            needs_approval=bool(self.needs_approval.data),
            public=bool(self.public.data),
            uses_agencies=bool(self.uses_agencies.data),
            contribution_words=_number(self.contribution_words.data),
        )


class NewListForm(ListForm):
    """A newsletter that does not exist yet: it also gets its short name."""

    slug = StringField(_("Short name for web addresses"))


class WordingForm(PlainForm):
    """A new version of the words that people agree to."""

    wording = TextAreaField(_("Words beside the box"), render_kw={"rows": 4})
