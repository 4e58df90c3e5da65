"""What of a document is not brought in, and how a person is told."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ....i18n import gettext as _
from ....i18n import ngettext
from ....rendering import characters

_MOST_WORDS = 60
_LONGEST = 2000


class Left(StrEnum):
    """The sorts of things that stay behind."""

    LOOKS = "looks"
    COMMENTS = "comments"
    DELETIONS = "deletions"
    HIDDEN = "hidden"
    STRUCK = "struck"
    MARGINS = "margins"
    PICTURES = "pictures"
    DRAWINGS = "drawings"
    FILES = "files"
    LINKS = "links"
    AUTHOR = "author"


@dataclass(frozen=True)
class LeftOut:
    """One sort of thing that stayed behind, how many there were, and their words where they had any."""

    what: Left
    number: int
    words: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """A few words for a list, such as "3 comments"."""
        return _counted(self.what, self.number)


class Behind:
    """Collects what stays behind while a document is read."""

    def __init__(self) -> None:
        self._found: dict[Left, tuple[int, list[str]]] = {}

    def add(self, what: Left, words: str = "", number: int = 1) -> None:
        """Note one more thing (or `number`), and its words."""
        before, said = self._found.setdefault(what, (0, []))
        line = characters.one_line(words)[:_LONGEST]
        if line and len(said) < _MOST_WORDS:
            said.append(line)
        self._found[what] = (before + number, said)

    def all(self) -> tuple[LeftOut, ...]:
        """What was noted, in the order in which it is told."""
        return tuple(
            LeftOut(what, self._found[what][0], tuple(self._found[what][1])) for what in Left if what in self._found
        )


def summary(left: Iterable[LeftOut]) -> str:
    """All of it in one line: "Colours and fonts, 3 comments, 1 tracked deletion"; "" where nothing was."""
    line = ", ".join(each.sentence for each in left)
    return line[:1].upper() + line[1:]


def _counted(what: Left, number: int) -> str:
    match what:
        case Left.LOOKS:
            return _("colours and fonts")
        case Left.AUTHOR:
            return _("the names of its authors")
        case Left.MARGINS:
            return _("page headers and footers")
    words = _of_text(what, number) or _of_things(what, number)
    return words % {"num": number}


def _of_text(what: Left, number: int) -> str:
    match what:
        case Left.COMMENTS:
            return ngettext("%(num)s comment", "%(num)s comments", number)
        case Left.DELETIONS:
            return ngettext("%(num)s tracked deletion", "%(num)s tracked deletions", number)
        case Left.HIDDEN:
            return ngettext("%(num)s piece of hidden text", "%(num)s pieces of hidden text", number)
        case Left.STRUCK:
            return ngettext("the line through %(num)s text", "the lines through %(num)s texts", number)
    return ""


def _of_things(what: Left, number: int) -> str:
    match what:
        case Left.PICTURES:
            return ngettext("%(num)s picture", "%(num)s pictures", number)
        case Left.DRAWINGS:
            return ngettext("%(num)s chart or drawing", "%(num)s charts or drawings", number)
        case Left.FILES:
            return ngettext("%(num)s embedded file", "%(num)s embedded files", number)
    return ngettext("%(num)s link that leads to no web page", "%(num)s links that lead to no web page", number)
