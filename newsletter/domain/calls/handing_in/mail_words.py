"""From a letter to a piece of news: its words, or those of the Word files in it, and what was left behind."""

import re
from dataclasses import dataclass, field
from html import escape

from ....errors import Invalid
from ....i18n import gettext as _
from ....i18n import ngettext
from ....mail.letters import LARGEST, Attachment, Letter, without_quoted
from ....rendering import characters, rich
from ...issues.documents.formats import Format, format_of
from ...issues.documents.leaving_out import Behind, Left
from ...issues.documents.word import read_word
from ...issues.documents.word_package import refused
from ..texts.items import LONGEST_TITLE
from ..texts.news import to_xhtml
from ..texts.sent_pictures import MOST, Came
from .mail_pictures import MailPictures

_MOST_NAMES = 10
#: Nobody misses these.
_QUIETLY = (Left.LOOKS, Left.AUTHOR)


@dataclass(frozen=True)
class Note:
    """A sentence for the letter's sender; `bare` says the same without a word of theirs."""

    sentence: str
    bare: str

    @classmethod
    def of(cls, sentence: str) -> "Note":
        """One that names nothing."""
        return cls(sentence, sentence)

    @classmethod
    def about(cls, sentence: str, name: str, **more: str) -> "Note":
        """One with the name of a file at {file}."""
        return cls(sentence.format(file=name, **more), sentence.format(file=_("your file"), **more))


@dataclass(frozen=True)
class MailWords:
    """What a letter says: `title`, `xhtml` (stored rich text) and all its words as they came, in `original`.

    `left_out` says what was; with an empty `xhtml` it says why.
    """

    title: str
    xhtml: str = field(default="", repr=False)
    original: str = field(default="", repr=False)
    left_out: tuple[Note, ...] = ()
    pictures: tuple[Came, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences for staff, and for a sender whose address is proved."""
        return tuple(each.sentence for each in self.left_out)

    @property
    def bare_notes(self) -> tuple[str, ...]:
        """The sentences without the names of files: a forger chooses those, and our mail would carry them."""
        return tuple(each.bare for each in self.left_out)


def words_of_letter(letter: Letter) -> MailWords:
    """Read it. Opens Word files and pictures, so it is not for inside a transaction."""
    notes: list[Note] = []
    text = characters.kept(letter.text)
    own, cut = without_quoted(text)
    body = to_xhtml(own) if own else rich.sanitise(letter.html)
    whole = text or rich.to_text(body)
    if cut:
        notes.append(Note.of(_("We cut off the email that you answered, below your words.")))
    pictures = MailPictures()
    files = [(each, _read_word(each, notes, pictures)) for each in letter.attachments if each.is_word]
    read = [(each.name, xhtml) for each, xhtml in files if xhtml]
    if read:
        if own or rich.words(body):
            sentence = _("We took your news from the Word file. The editors see the words of your email too.")
            notes.append(Note.of(sentence))
        body = read[0][1] if len(read) == 1 else "".join(f"<h3>{escape(name)}</h3>{xhtml}" for name, xhtml in read)
        whole = "\n\n".join([whole, *(f"[{name}]\n\n{rich.to_text(xhtml)}" for name, xhtml in read)]).strip()
    for each in letter.attachments:
        if each.is_picture:
            pictures.take(each.name, each.body)
    if rich.words(body):
        notes += _about_pictures(pictures)
    notes += _left_out(letter)
    if not rich.words(body):
        body = ""
        notes.append(Note.of(_encrypted() if letter.encrypted else _("We found no words in your email.")))
    return MailWords(_title(letter, body), body, whole, tuple(notes), tuple(pictures.came))


def _read_word(file: Attachment, notes: list[Note], pictures: MailPictures) -> str:
    """The file's words as stored rich text; "" with a note that says why. What it shows goes to the `pictures`."""
    behind = Behind()
    try:
        if len(file.body) >= LARGEST or format_of(file.body, file.name) is not Format.WORD:
            raise refused(_("It is no Word document (.docx)."))
        word = read_word(file.body, behind, with_pictures=True)
        xhtml = rich.sanitise(word.html)
    except Invalid as error:
        notes.append(Note.about(_("We could not read {file}. {why}"), file.name, why=error.problems[0].sentence))
        return ""
    for each in word.pictures:
        pictures.take(file.name, each.content, each.words)
    if not rich.words(xhtml):
        notes.append(Note.about(_("There are no words in {file}."), file.name))
        return ""
    left = [each.sentence for each in behind.all() if each.what not in _QUIETLY]
    if left:
        notes.append(Note.about(_("From {file} we left out: {what}."), file.name, what=", ".join(left)))
    return xhtml


def _left_out(letter: Letter) -> list[Note]:
    """Sentences about the files that are no Word files, by sorts."""
    notes: list[Note] = []
    if any(each.is_packed for each in letter.attachments):
        sentence = _(
            "Your mail program packed your files into winmail.dat, which only Outlook opens. Send them again "
            "as plain text or HTML, or use our page."
        )
        notes.append(Note.of(sentence))
    kinds = ("is_word", "is_packed", "is_picture")
    files = [each.name for each in letter.attachments if not any(getattr(each, kind) for kind in kinds)]
    if files and not letter.encrypted:
        sentence = ngettext(
            "We left out %(number)s file%(names)s. We read Word files (.docx) and the words of the email.",
            "We left out %(number)s files%(names)s. We read Word files (.docx) and the words of the email.",
            len(files),
        )
        notes.append(_with_names(sentence, files))
    return notes


def _about_pictures(pictures: MailPictures) -> list[Note]:
    """What was taken in, and what was not."""
    notes: list[Note] = []
    number = len(pictures.came)
    if number:
        sentence = ngettext(
            "We took in %(number)s picture. The editors say in words what it shows, for people who cannot see it.",
            "We took in %(number)s pictures. The editors say in words what they show, for people who cannot see them.",
            number,
        )
        notes.append(Note.of(sentence % {"number": number}))
    if pictures.left:
        sentence = ngettext(
            "We left out %(number)s picture%(names)s.", "We left out %(number)s pictures%(names)s.", len(pictures.left)
        )
        why = _("Very small ones stay behind, more than %(most)s, and what mail programs do not show.")
        sentence += f" {why}".replace("%(most)s", str(MOST))
        notes.append(_with_names(sentence, pictures.left))
    return notes


def _with_names(sentence: str, names: list[str]) -> Note:
    named = ", ".join(names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")
    return Note(
        sentence % {"number": len(names), "names": f" ({named})"}, sentence % {"number": len(names), "names": ""}
    )


def _encrypted() -> str:
    return _("Your email is encrypted for a key that we do not have. Send it without encryption, or use our page.")


def _title(letter: Letter, xhtml: str) -> str:
    """The subject, or the first words there are."""
    title = characters.one_line(letter.subject) or characters.one_line(rich.words(xhtml)[:200])
    title = re.sub(r"\s+", " ", title).strip() or _("News by email")
    return characters.shortened(title, LONGEST_TITLE)
