"""What staff say of a file of people: which list, which column is what, where they agreed."""

from collections.abc import Mapping
from typing import Any, Self

from wtforms import FileField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from newsletter.domain.subscribers.import_reading import Layout
from newsletter.i18n import gettext as _
from newsletter.models import MailingList
from newsletter.states import LawfulBasis
from newsletter.web.form_bases import PlainForm

#: What a column may be, in the order of the choice.
COLUMN_WORDS = {
    "": _("Not used"),
    "email": _("Email address"),
    "name": _("Name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "organisation": _("Organisation"),
    "sector": _("Sector"),
    "status": _("Subscribed or not"),
}


class UploadForm(PlainForm):
    """A file, and the list."""

    list = SelectField(_("They are to get"), validate_choice=False)
    file = FileField(_("The file"))


def size_words(megabytes: int) -> str:
    """What may be brought, and how large it may be."""
    said = _("CSV from a spreadsheet, or an export of Mailchimp (ZIP) or GovDelivery as it comes. {most} MB at most.")
    return said.format(most=f"{megabytes:,}")


class DescribeForm(PlainForm):
    """Where the people agreed, and whether they are asked."""

    source = StringField(
        _("Where and when did they agree?"),
        description=_("For example, sign-up sheets of the conference, 3 October 2026. It is kept with each person."),
        render_kw={"autocomplete": "off", "maxlength": "200"},
    )
    how = RadioField(
        _("What happens"),
        choices=[
            SelectChoice(
                "ask",
                _("Ask each of them to confirm: they get one email, and nothing more unless they press the button"),
            ),
            SelectChoice("agreed", _("They have agreed already: they get the next issue")),
        ],
        default="ask",
    )
    note = TextAreaField(
        _("How can that be shown?"),
        description=_("If they have agreed already: what they were told, and where the evidence is."),
        render_kw={"rows": 3},
    )

    def for_list(self, mailing_list: MailingList) -> Self:
        """In the words of the right by which the list is sent: where that is no consent, nobody need have agreed."""
        if mailing_list.lawful_basis is not LawfulBasis.CONSENT:
            self.source.label.text = _("Where do the addresses come from, and since when?")
            self.source.description = _(
                "For example, the staff directory of the trust, 3 October 2026. They can see it."
            )
            self.how.choices[1] = SelectChoice("agreed", _NO_CONSENT[mailing_list.lawful_basis])
            self.note.label.text = _("Why may it be sent to them?")
            self.note.description = _("If nobody is asked: which task and law, or where your weighing is kept.")
        return self


_NO_CONSENT = {
    LawfulBasis.PUBLIC_TASK: _("A public body’s task needs it: they get the next issue, and may object"),
    LawfulBasis.LEGITIMATE_INTERESTS: _(
        "It was weighed against their interests: they get the next issue, and may object"
    ),
}


def column_fields(index: int, layout: Layout, form: Mapping[str, str]) -> list[dict[str, Any]]:
    """A choice for each column of a file: its name, what stands in it, and what it is taken for."""
    meant = {at: what for what, at in layout.columns.items()}
    wide = max(len(cells) for cells in [layout.head, *layout.shown])
    fields = []
    for at in range(wide):
        name = f"c{index}.{at}"
        chosen = form.get(name, meant.get(at, ""))
        cells = [cells[at].strip() for cells in layout.shown if at < len(cells) and cells[at].strip()]
        title = layout.head[at].strip() if layout.header and at < len(layout.head) else ""
        fields.append(
            {
                "name": name,
                "title": title[:60] or _("Column {number}").format(number=at + 1),
                "shown": [cell[:60] for cell in cells[:2]],
                "choices": [
                    {"value": value, "text": words, "selected": value == chosen}
                    for value, words in COLUMN_WORDS.items()
                ],
            }
        )
    return fields


def chosen_columns(layouts: list[Layout], form: Mapping[str, str]) -> list[dict[str, int]]:
    """What was chosen for each file; the first column that is said to be something, where two are."""
    found = []
    for index, layout in enumerate(layouts):
        columns: dict[str, int] = {}
        for at in range(max(len(cells) for cells in [layout.head, *layout.shown])):
            what = form.get(f"c{index}.{at}", "")
            if what in COLUMN_WORDS and what:
                columns.setdefault(what, at)
        found.append(columns)
    return found
