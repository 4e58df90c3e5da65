"""Pictures that stand in a Word document: each becomes a section of its own, below the section that it stood in.

While a document is read, a mark stands in the text where each picture was: a word that no document holds. A picture
goes the way of every upload (`rendering.pictures.remake`), and what it shows has yet to be said where Word does not.
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from ....db import db
from ....errors import Invalid
from ....models import Account, Media
from ....rendering import characters
from ....rendering.pictures import Picture, remake
from ..pictures import store_picture
from .leaving_out import Left, LeftOut
from .proposing import KeyDate, ProposedBlock

#: More than any newsletter has; each takes up to a second.
MOST_PICTURES = 20
_IMAGE = re.compile(r'<img\b[^>]*\bsrc="word-picture:(\d+)"[^>]*>')
_TAGS = re.compile(r"<[^>]*>")
_LONGEST_ALT = 300
#: What was taken out of the end of a section stays with it.
_AT_ITS_END = ("contact", "table")
#: What Word writes by itself when nobody has described a picture, and names of files.
_NO_WORDS = re.compile(
    r"(?:picture|image|graphic)\s*\d*|\S+\.\w{3,4}|.*(?:AI-generated|automatically generated).*", re.I
)


@dataclass(frozen=True)
class WordPicture:
    """A picture's file as it was in the document, and what the document says of it."""

    content: bytes
    alt: str = ""

    @property
    def words(self) -> str:
        """What it shows; "" where a program said something, and no person."""
        words = characters.one_line(self.alt)
        return "" if _NO_WORDS.fullmatch(words) else words[:_LONGEST_ALT]


class Marks:
    """The marks of one document, which no words of its own can be taken for."""

    def __init__(self) -> None:
        self._word = f"picture{secrets.token_hex(8)}x"
        self._mark = re.compile(rf"{self._word}(\d+)e")
        self._drop = re.compile(rf"<p>\s*{self._mark.pattern}\s*</p>|\s?{self._mark.pattern}")
        self._first: list[int] = []

    def put(self, html: str) -> str:
        """The HTML with a mark in the place of each picture; one above all words is remembered without."""

        def mark(found: re.Match[str]) -> str:
            if not _TAGS.sub("", html[: found.start()]).strip():
                self._first.append(int(found[1]))
                return ""
            return f" {self._word}{found[1]}e "

        return _IMAGE.sub(mark, html)

    def placed(self, blocks: tuple[ProposedBlock, ...], pictures: tuple[WordPicture, ...]) -> tuple[ProposedBlock, ...]:
        """The blocks without marks, and below each the pictures that stood in it."""
        return tuple(self._placed(blocks, pictures))

    def _placed(self, blocks: tuple[ProposedBlock, ...], pictures: tuple[WordPicture, ...]) -> Iterator[ProposedBlock]:
        shown = {number: _block(number, pictures[number]) for number in range(len(pictures))}
        yield from (shown.pop(number) for number in self._first if number in shown)
        waiting: list[ProposedBlock] = []
        for block in blocks:
            if not (block.continues and block.kind in _AT_ITS_END):
                yield from waiting
                waiting = []
            data = self._without(block.data)
            if any(_says(value) for value in data.values()):
                yield replace(block, data=data)
            numbers = map(int, self._mark.findall(json.dumps(block.data)))
            waiting += [shown.pop(number) for number in numbers if number in shown]
        yield from (*waiting, *shown.values())

    def without(self, words: str) -> str:
        """The words without marks, as one line."""
        return characters.one_line(self._drop.sub("", words))

    def without_dates(self, dates: tuple[KeyDate, ...]) -> tuple[KeyDate, ...]:
        """The dates, with no mark in what is said of them."""
        return tuple(replace(each, what=self.without(each.what)) for each in dates)

    def _without(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._drop.sub("", value)
        if isinstance(value, Mapping):
            return {name: self._without(inner) for name, inner in value.items()}
        return [self._without(inner) for inner in value] if isinstance(value, list) else value


def _says(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_says, value.values()))
    return any(map(_says, value)) if isinstance(value, list) else bool(_TAGS.sub("", str(value or "")).strip())


def _block(number: int, picture: WordPicture) -> ProposedBlock:
    return ProposedBlock("image", {"media": str(number), "alt": picture.words}, continues=True)


def remade(pictures: tuple[WordPicture, ...]) -> dict[int, Picture]:
    """The pictures that mail programs show, made fit for mail, by their numbers. Not for use inside `transaction()`."""
    made = {}
    for number, picture in enumerate(pictures[:MOST_PICTURES]):
        try:
            made[number] = remake(picture.content)
        except Invalid:
            continue  # a drawing of another program: it is told of with what stays behind
    return made


def stored(
    blocks: tuple[ProposedBlock, ...], left_out: tuple[LeftOut, ...], made: Mapping[int, Picture],
    *, actor: Account | None, now: datetime,
) -> tuple[tuple[ProposedBlock, ...], tuple[LeftOut, ...]]:  # fmt: skip
    """The blocks with the names of their pictures, and what stays behind with the pictures that could not be made.

    A picture that is new is kept as if it had been thrown away, until `take_up` says that its section is wanted.
    """
    ready, lost = [], []
    for block in blocks:
        if block.kind != "image":
            ready.append(block)
        elif (picture := made.get(int(block.data["media"]))) is None:
            lost.append(str(block.data["alt"]))
        else:
            media = store_picture(picture, actor=actor, now=now)
            if media.created_at == now:
                media.deleted_at = now
            ready.append(replace(block, data={**block.data, "media": media.name}))
    db.session.flush()
    return tuple(ready), _also(left_out, lost)


def take_up(blocks: tuple[ProposedBlock, ...]) -> None:
    """The sections are wanted: their pictures are there to stay."""
    names = [block.data["media"] for block in blocks if block.kind == "image"]
    if names:
        known = select(Media.id).where(Media.name.in_(names))
        db.session.execute(update(Media).where(Media.id.in_(known)).values(deleted_at=None))


def _also(left_out: tuple[LeftOut, ...], lost: list[str]) -> tuple[LeftOut, ...]:
    if not lost:
        return left_out
    before = next((each for each in left_out if each.what is Left.PICTURES), LeftOut(Left.PICTURES, 0))
    more = replace(before, number=before.number + len(lost), words=(*before.words, *filter(None, lost)))
    others = [each for each in left_out if each.what is not Left.PICTURES]
    order = list(Left)
    return tuple(sorted([*others, more], key=lambda each: order.index(each.what)))
