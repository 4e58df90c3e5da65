"""Every check there is, in one table: where it belongs, whether it stops an issue, and how what it finds is mended.

docs/checks.md has the same table, and a test holds the two together; another holds that each check has a text that
makes it speak and one that leaves it silent.
"""

from collections.abc import Mapping

from ....i18n import gettext as _
from .rules import FAMILY_WORDS, Family, Rule, Weight

__all__ = ["FAMILY_WORDS", "RULES", "Family", "Rule", "Weight"]

_PERSON = _("Take it out. If it is no person’s, write why it may be published.")
_GIVE_CONTACT = _("Take it out, or give it in a Contact section. If it may stand here, write why.")

_TABLE = (
    # People's own data
    (
        "nhs_number",
        Family.PEOPLE,
        Weight.REASON,
        _("an NHS number: ten digits whose last one checks the others"),
        _PERSON,
    ),
    ("ni_number", Family.PEOPLE, Weight.REASON, _("a National Insurance number"), _PERSON),
    ("upn", Family.PEOPLE, Weight.REASON, _("a pupil’s number (UPN), its first letter checked"), _PERSON),
    ("birth_date", Family.PEOPLE, Weight.REASON, _("a date of birth, or a name with a day years ago"), _PERSON),
    (
        "phone_number",
        Family.PEOPLE,
        Weight.REASON,
        _("a phone number that is neither ours nor a service’s"),
        _GIVE_CONTACT,
    ),
    ("personal_email", Family.PEOPLE, Weight.REASON, _("somebody’s private email address"), _GIVE_CONTACT),
    ("postal_address", Family.PEOPLE, Weight.REASON, _("a house number, a street and a postcode"), _PERSON),
    (
        "outside_email",
        Family.PEOPLE,
        Weight.ASKS,
        _("another organisation’s email address in running text"),
        _GIVE_CONTACT,
    ),
    # Ways to answer
    (
        "empty_contact",
        Family.CONTACTS,
        Weight.STOPS,
        _("“email:” or “phone:” with nothing behind it"),
        _("Write the address or number behind it, or reword the sentence."),
    ),
    (
        "help_line",
        Family.CONTACTS,
        Weight.STOPS,
        _("no section about whom to ring, where the list wants one"),
        _("Add a section that says whom to ring when somebody is in danger, with the number."),
    ),
    (
        "book_ended",
        Family.CONTACTS,
        Weight.ASKS,
        _("a person or link that the book says has ended by the day the issue goes out"),
        _("Name who does it now, or take the entry of the book up again."),
    ),
    # Links
    (
        "vague_link",
        Family.LINKS,
        Weight.STOPS,
        _("a link called “here” or “read more”"),
        _("Link the words that say what is behind it."),
    ),
    (
        "bare_link",
        Family.LINKS,
        Weight.STOPS,
        _("a link that shows its bare address"),
        _("Write what is behind it, and link these words."),
    ),
    (
        "lost_link",
        Family.LINKS,
        Weight.REASON,
        _("“View …” or “click here” without a link"),
        _("Add the link again, or reword the sentence."),
    ),
    (
        "hidden_link",
        Family.LINKS,
        Weight.STOPS,
        _("a link that a mail filter or tracker rewrote, and that may name its reader"),
        _("Open the link, and copy the address of the page it leads to."),
    ),
    (
        "dead_link",
        Family.LINKS,
        Weight.ASKS,
        _("a link whose page did not answer, or says that there is nothing"),
        _("Open the link. If it fails for you too, find the page’s new address."),
    ),
    (
        "inside_link",
        Family.LINKS,
        Weight.ASKS,
        _("a link that only people inside the organisation can open"),
        _("Use an address that anybody can open, or send the document another way."),
    ),
    ("short_link", Family.LINKS, Weight.ASKS, _("a shortened link"), _("Use the address that it stands for.")),
    (
        "tracking_link",
        Family.LINKS,
        Weight.ASKS,
        _("a link with tags that follow its readers about"),
        _("Take the tags off: the link works without them."),
    ),
    # Dates
    (
        "past_date",
        Family.DATES,
        Weight.EITHER,
        _("a date that is past when the issue goes out; it stops where readers are asked to act by it"),
        _("Move the date, or say what has happened since."),
    ),
    (
        "wrong_weekday",
        Family.DATES,
        Weight.STOPS,
        _("a weekday that is not that of its date"),
        _("Mend the day or the date."),
    ),
    ("no_such_date", Family.DATES, Weight.STOPS, _("a date that no calendar has"), _("Mend the date.")),
    (
        "ambiguous_range",
        Family.DATES,
        Weight.ASKS,
        _("months that run over New Year with one year behind them"),
        _("Give both years."),
    ),
    (
        "next_deadline",
        Family.DATES,
        Weight.STOPS,
        _("no deadline of the next issue, where the list has a rhythm"),
        _("Set it under “Next deadline” on the issue’s page: this issue prints it."),
    ),
    # Sections, headings and pictures
    (
        "section",
        Family.SECTIONS,
        Weight.STOPS,
        _("a section that lacks something, or holds too much"),
        _("Open the section: the field says what it needs."),
    ),
    (
        "missing_alt",
        Family.SECTIONS,
        Weight.STOPS,
        _("a picture without a description"),
        _("Say in a few words what it shows, or mark it as decoration."),
    ),
    (
        "missing_picture",
        Family.SECTIONS,
        Weight.STOPS,
        _("a picture that is not there any more"),
        _("Choose it again."),
    ),
    (
        "heading_order",
        Family.SECTIONS,
        Weight.STOPS,
        _("a heading that stands under none of the level above"),
        _("Put it after a section with a heading, or give it one."),
    ),
    (
        "same_anchor",
        Family.SECTIONS,
        Weight.STOPS,
        _("two sections of one name, or two marks that links cannot tell apart"),
        _("Give one of the two another heading."),
    ),
    (
        "large_mail",
        Family.SECTIONS,
        Weight.EITHER,
        _("a mail of more than 90 KB; more than 100 KB stops it"),
        _("Let some sections stand on the web only."),
    ),
    (
        "heavy_pictures",
        Family.SECTIONS,
        Weight.ASKS,
        _("pictures of more than 1 MB together"),
        _("Take one out, or show it on the web only."),
    ),
    (
        "accent",
        Family.SECTIONS,
        Weight.STOPS,
        _("a colour of the list that cannot be read on the page"),
        _("Choose another colour in the newsletter’s settings."),
    ),
    (
        "accent_changed",
        Family.SECTIONS,
        Weight.ASKS,
        _("a colour of the list that is too pale, so that the mail shows a darker one"),
        _("Choose a darker colour in the newsletter’s settings, or leave it: the mail can be read."),
    ),
    (
        "mail",
        Family.SECTIONS,
        Weight.STOPS,
        _("anything else that keeps the mail from being made"),
        _("Look at what is named, in the issue or in the newsletter’s settings."),
    ),
    # Words
    (
        "unfinished",
        Family.WORDS,
        Weight.STOPS,
        _("what a writer left to fill in: TK, xxx, lorem ipsum, […]"),
        _("Write what belongs there, or take it out."),
    ),
    ("repeated_word", Family.WORDS, Weight.ASKS, _("a word that stands twice in a row"), _("Take one of them out.")),
    (
        "awkward_words",
        Family.WORDS,
        Weight.ASKS,
        _("two verbs where one belongs, such as “we’d would”"),
        _("Take one of them out."),
    ),
    (
        "long_sentence",
        Family.WORDS,
        Weight.ASKS,
        _("a sentence of more than 35 words"),
        _("Make two of it: people read long sentences twice, or not at all."),
    ),
    (
        "acronym",
        Family.WORDS,
        Weight.ASKS,
        _("letters that are not spelled out where they first stand"),
        _("Write the words out first, with the letters in brackets."),
    ),
    (
        "list_punctuation",
        Family.WORDS,
        Weight.ASKS,
        _("points of one list that end in different ways"),
        _("End all of them in one way."),
    ),
    # Subject and preview text
    (
        "long_subject",
        Family.INBOX,
        Weight.ASKS,
        _("a subject of more than 70 characters"),
        _("Put what matters first, or shorten it."),
    ),
    ("loud_subject", Family.INBOX, Weight.ASKS, _("a subject in capitals"), _("Write it as any other sentence.")),
    (
        "same_preheader",
        Family.INBOX,
        Weight.ASKS,
        _("a preview text that repeats the subject"),
        _("Say what else is in the issue."),
    ),
    (
        "preheader_length",
        Family.INBOX,
        Weight.ASKS,
        _("a preview text of fewer than 30 or more than 130 characters"),
        _("Make it fill the line in the inbox, and no more."),
    ),
)

RULES: Mapping[str, Rule] = {row[0]: Rule(*row) for row in _TABLE}
