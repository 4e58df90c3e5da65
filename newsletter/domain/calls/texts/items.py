"""What kinds of item people send in, and which section each becomes: the table from which their forms are made.

The fields are those of the section itself, so what is accepted fits; here stands only which of them a contributor is
asked, and on which page. What the section needs that editors know better is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ....errors import Invalid, NotFound, Problem
from ....i18n import gettext as _
from ....models import Contribution, Issue
from ....rendering import characters, checks
from ....rendering.blocks import kind as kind_of
from ....rendering.content import BlockContent
from ....rendering.context import Context
from ....rendering.fields import Field, FieldType, is_empty
from ...issues.content import frame
from . import item_words
from .news import to_xhtml

LONGEST_TITLE = 160
#: What asks for better words and stops nobody from sending it in: editors mend it, or ask.
_ADVICE = frozenset({"vague_link", "bare_link"})
_SOURCE = "source_agency"


@dataclass(frozen=True)
class Page:
    """One question page: its name in addresses, what it asks, and the fields on it."""

    name: str
    title: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One kind of item. `kind` is that of the section it becomes, and names it everywhere.

    `left_out` are fields of the section that editors fill in. What is on no page is asked on the last. `labels` are
    what fields are called here, where what editors call them makes no sense to a contributor.
    """

    kind: str
    name: str
    purpose: str
    pages: tuple[Page, ...]
    left_out: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """All that is asked, in the section's own order."""
        labels = dict(self.labels)
        return tuple(
            replace(each, label=labels.get(each.name, each.label))
            for each in kind_of(self.kind).fields
            if each.public and each.name not in self.left_out
        )

    def fields_on(self, page: Page) -> tuple[Field, ...]:
        """What `page` asks, in its own order."""
        asked = {each.name: each for each in self.fields}
        placed = {name for each in self.pages for name in each.fields}
        more = tuple(name for name in asked if name not in placed) if page == self.pages[-1] else ()
        return tuple(asked[name] for name in (*page.fields, *more) if name in asked)

    def page(self, name: str) -> Page:
        """The page of that name. Raises NotFound."""
        found = next((each for each in self.pages if each.name == name), None)
        if found is None:
            raise NotFound(_("There is nothing at this address."))
        return found


_TABLE = (
    Item(
        "section", _("News"), _("Something has changed, or is new: a heading and some text."),
        (Page("words", _("Your news"), ("heading", "body")),), (_SOURCE,),
    ),
    Item(
        "event", _("Training or an event"), _("When it is, where, what it costs and how to book."),
        (
            Page("words", _("What it is, and when"), ("title", "start", "end", "place")),
            Page("booking", _("Cost and booking"), ("cost", "url", "link_text")),
        ),
    ),
    Item(
        "policy_update", _("A policy that changes"), _("What changes, from when, and where to read it."),
        (
            Page("words", _("What changes"), ("heading", "what", "live_date")),
            Page("reading", _("Where to read it"), ("chapters", "link", "register")),
        ),
    ),
    Item(
        "ask_views", _("A call for views"), _("A question to readers, and until when they can answer."),
        (
            Page("words", _("What you ask"), ("heading", "question", "closes")),
            Page("answers", _("How people answer"), ("url", "button", "next")),
        ),
    ),
    Item(
        "people_news", _("People who join or leave"), _("Who joins, leaves or moves, and a word of thanks."),
        (Page("words", _("The people"), ("heading", "items")),),
    ),
    Item(
        "key_dates", _("Dates"), _("Days that people should know of."),
        (Page("words", _("The dates"), ("manual",)),), ("heading",), (("manual", _("Dates")),),
    ),
    Item(
        "findings", _("Findings"), _("What a review or an inspection found, each point with its own heading."),
        (Page("words", _("What was found"), ("heading", "intro", "items")),),
    ),
    Item(
        "contact", _("Somebody to ask"), _("A person or a service, and how to reach them."),
        (Page("words", _("Whom to ask"), ("heading", "lead", "name", "role", "organisation", "email", "phone")),),
    ),
    Item(
        "image_text", _("A picture with a few words"), _("A poster, a cover or a portrait, described in words."),
        (
            Page("words", _("The words"), ("heading", "text")),
            Page("picture", _("The picture"), ("media", "alt", "decorative")),
        ),
    ),
)  # fmt: skip

#: Every kind of item by the kind of its section; the first is what most people send.
ITEMS: Mapping[str, Item] = MappingProxyType({each.kind: each for each in _TABLE})
NEWS = _TABLE[0]


def item(kind: str) -> Item:
    """The kind of item. Raises NotFound for a section that nobody sends in."""
    if kind not in ITEMS:
        raise NotFound(_("There is no such kind of item."))
    return ITEMS[kind]


@dataclass(frozen=True)
class Piece:
    """What somebody sends: `data` are the fields of a section of `kind`."""

    kind: str
    data: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What lists call it, whatever is filled in."""
        found = str(self.data.get("heading") or self.data.get("title") or "")
        if not found:
            content = BlockContent("", self.kind, dict(self.data))
            found = item(self.kind).name if is_empty(dict(self.data)) else kind_of(self.kind).summary(content)
        return characters.shortened(found, LONGEST_TITLE)

    @property
    def words(self) -> str:
        """All it says as plain text: paragraphs, "- " lists, and each fact behind its name."""
        return words_of(self.kind, self.data)

    @property
    def length(self) -> int:
        """How many words its texts have."""
        return item_words.count(item(self.kind).fields, self.data)


def cleaned(piece: Piece) -> Piece:
    """The piece with every field of its section. Raises Invalid for what has the wrong shape, NotFound."""
    section = kind_of(item(piece.kind).kind)
    data = section.clean({name: value for name, value in piece.data.items() if value is not None})
    return Piece(piece.kind, item_words.with_links(section.fields, data))


def problems_of(piece: Piece, issue: Issue, *, page: Page | None = None) -> list[Problem]:
    """What has to be mended before a cleaned piece can be handed in; on one page of its form, if one is named."""
    of = item(piece.kind)
    section = kind_of(piece.kind)
    asked = of.fields_on(page) if page else of.fields
    # Whether a date is past when the issue goes out is the editors' to say: they may move either.
    around = Context(replace(frame(issue), planned_send=None))
    found = [*checks.check(asked, piece.data), *section.check(dict(piece.data), around)]
    names = {each.name for each in asked}
    problems = [each for each in found if each.code not in _ADVICE and each.field.partition(".")[0] in names]
    if is_empty({name: piece.data.get(name) for name in names}) and not problems:
        problems.append(Problem(asked[0].name, _("Nothing is filled in yet.")))
    return list(dict.fromkeys([*problems, *_too_long(piece, issue, asked)]))


def checked(piece: Piece, issue: Issue) -> Piece:
    """The piece, cleaned, as it may be handed in. Raises Invalid with every problem, NotFound."""
    piece = cleaned(piece)
    if problems := problems_of(piece, issue):
        raise Invalid(problems)
    return piece


def _too_long(piece: Piece, issue: Issue, asked: tuple[Field, ...]) -> Iterator[Problem]:
    most, number = issue.mailing_list.contribution_words, piece.length
    longest = next((each.name for each in asked if each.type in (FieldType.RICH, FieldType.ITEMS)), "")
    if number > most and longest:
        words = _("Use {most:,} words or fewer: there are {number:,}. Your text is kept as it is.")
        yield Problem(longest, words.format(most=most, number=number))


def as_block(contribution: Contribution) -> tuple[str, dict[str, Any]]:
    """Kind and data of the section that the contribution becomes, with the agency it is from where that is printed."""
    if not contribution.data:
        made = {"heading": contribution.title, "body": to_xhtml(contribution.body)}
        kind = "section"
    else:
        kind, made = contribution.kind, contribution.data
    data = kind_of(kind).clean(made)
    if _SOURCE in data:
        data[_SOURCE] = data[_SOURCE] or contribution.agency
    return kind, data


def words_of(kind: str, data: Mapping[str, Any]) -> str:
    """The words of a section's data as plain text, its heading left out: that is the title."""
    named = ("heading", "title", _SOURCE)
    fields = tuple(each for each in kind_of(kind).fields if each.name not in named)
    return item_words.plain_text(fields, data)


def rows_of(piece: Piece) -> list[tuple[Field, str]]:
    """Each field that is asked, with what was answered in words (of a picture, none): for checking one's answers."""
    return [(each, _answer(each, piece.data)) for each in item(piece.kind).fields]


def _answer(field: Field, data: Mapping[str, Any]) -> str:
    if field.type is FieldType.FLAG:
        return _("Yes") if data.get(field.name) else ""
    return item_words.plain_text((replace(field, label=""),), data, labelled=False)
