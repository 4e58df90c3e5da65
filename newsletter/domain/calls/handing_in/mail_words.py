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

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences for staff, and for a sender whose address is proved."""
        return tuple(each.sentence for each in self.left_out)

    @property
    def bare_notes(self) -> tuple[str, ...]:
        """The sentences without the names of files: a forger chooses those, and our mail would carry them."""
        return tuple(each.bare for each in self.left_out)


def words_of_letter(letter: Letter) -> MailWords:
    """Read it. Opens Word files, so it is not for inside a transaction."""
    notes: list[Note] = []
    text = characters.kept(letter.text)
    own, cut = without_quoted(text)
    body = to_xhtml(own) if own else rich.sanitise(letter.html)
    whole = text or rich.to_text(body)
    if cut:
        notes.append(Note.of(_("We cut off the email that you answered, below your words.")))
    files = [(each, _read_word(each, notes)) for each in letter.attachments if each.is_word]
    read = [(each.name, xhtml) for each, xhtml in files if xhtml]
    if read:
        if own or rich.words(body):
            sentence = _("We took your news from the Word file. The editors see the words of your email too.")
            notes.append(Note.of(sentence))
        body = read[0][1] if len(read) == 1 else "".join(f"<h3>{escape(name)}</h3>{xhtml}" for name, xhtml in read)
        whole = "\n\n".join([whole, *(f"[{name}]\n\n{rich.to_text(xhtml)}" for name, xhtml in read)]).strip()
    notes += _left_out(letter)
    if not rich.words(body):
        body = ""
        notes.append(Note.of(_encrypted() if letter.encrypted else _("We found no words in your email.")))
    return MailWords(_title(letter, body), body, whole, tuple(notes))


def _read_word(file: Attachment, notes: list[Note]) -> str:
    """The file's words as stored rich text; "" with a note that says why."""
    behind = Behind()
    try:
        if len(file.body) >= LARGEST or format_of(file.body, file.name) is not Format.WORD:
            raise refused(_("It is no Word document (.docx)."))
        xhtml = rich.sanitise(read_word(file.body, behind).html)
    except Invalid as error:
        notes.append(Note.about(_("We could not read {file}. {why}"), file.name, why=error.problems[0].sentence))
        return ""
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
    others = [each for each in letter.attachments if not (each.is_word or each.is_packed)]
    pictures = [each.name for each in others if each.is_picture]
    files = [each.name for each in others if not each.is_picture]
    if pictures:
        sentence = ngettext(
            "We left out %(number)s picture%(names)s. Add pictures on our page, where you can describe them.",
            "We left out %(number)s pictures%(names)s. Add pictures on our page, where you can describe them.",
            len(pictures),
        )
        notes.append(_with_names(sentence, pictures))
    if files and not letter.encrypted:
        sentence = ngettext(
            "We left out %(number)s file%(names)s. We read Word files (.docx) and the words of the email.",
            "We left out %(number)s files%(names)s. We read Word files (.docx) and the words of the email.",
            len(files),
        )
        notes.append(_with_names(sentence, files))
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
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + "…"
