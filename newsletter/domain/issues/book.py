"""The book of a list: people, links and acronyms that its sections use again and again.

An entry fills the fields of a section. When it ends (somebody left, a page moved), the book says where it still
stands: in drafts, and in sections that come back every time.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import or_, select

from ... import addresses
from ...db import db
from ...errors import Invalid, NotFound, Problem
from ...i18n import gettext as _
from ...models import Account, Block, BookEntry, Issue, MailingList
from ...rendering import characters
from ...rendering.fields import every_text
from ...states import EDITABLE_STATES, BookKind, IssueState
from ..staff import activity
from .starting import standing_sections

_log = logging.getLogger(__name__)
_LONGEST_NAME, _LONGEST_REASON, _FEWEST_DIGITS = 160, 300, 7
_DIGITS = re.compile(r"\D+")

#: What an entry of each kind holds beside its name, and how long it may be.
FIELDS: Mapping[BookKind, Mapping[str, int]] = {
    BookKind.PERSON: {"role": 120, "organisation": 120, "email": 254, "phone": 40},
    BookKind.LINK: {"url": 2000, "type": 40, "size": 40, "audience": 120},
    BookKind.ACRONYM: {"meaning": 160},
}
#: The kinds of section that an entry fills: whole, or as one more in their list.
FILLS: Mapping[str, BookKind] = {
    "contact": BookKind.PERSON,
    "people_news": BookKind.PERSON,
    "resources": BookKind.LINK,
}


@dataclass(frozen=True)
class Use:
    """Where an entry still stands. `standing`: in a past issue, in a section that comes back."""

    issue: Issue
    block: Block
    field: str
    standing: bool


@dataclass(frozen=True)
class EndedUse:
    """A section that uses an entry which has ended by the time it is read. `field` is the path in its data."""

    block: Block
    field: str
    entry: BookEntry


def entries(mailing_list: MailingList | None, kind: BookKind | None = None, *, ended: bool = False) -> list[BookEntry]:
    """The entries of a list with those of all lists (only the latter for None), by name; with the `ended` where
    asked for."""
    chosen = select(BookEntry).where(
        BookEntry.list_id.is_(None)
        if mailing_list is None
        else or_(BookEntry.list_id == mailing_list.id, BookEntry.list_id.is_(None))
    )
    if kind is not None:
        chosen = chosen.where(BookEntry.kind == kind)
    if not ended:
        chosen = chosen.where(BookEntry.ended_at.is_(None))
    return sorted(db.session.scalars(chosen), key=lambda entry: (entry.name.casefold(), entry.id))


def acronyms(mailing_list: MailingList) -> dict[str, str]:
    """What the letters stand for that the list's readers meet: {"DSL": "designated safeguarding lead"}."""
    known = entries(mailing_list, BookKind.ACRONYM)
    # The list's own meaning wins over that of all lists.
    ordered = sorted(known, key=lambda entry: entry.list_id is not None)
    return {entry.name: str(entry.data.get("meaning", "")) for entry in ordered}


def find_entry(number: int) -> BookEntry:
    """The entry of this number. Raises NotFound."""
    found = db.session.get(BookEntry, number)
    if found is None:
        raise NotFound(_("There is no such entry in the book."))
    return found


def add(
    mailing_list: MailingList | None,
    kind: BookKind,
    name: str,
    data: Mapping[str, str],
    *,
    actor: Account | None,
    now: datetime,
) -> BookEntry:
    """A new entry, of a list or (None) of all lists. Raises Invalid, with every problem."""
    name, cleaned = _clean(kind, name, data)
    if any(entry.name.casefold() == name.casefold() and entry.data == cleaned for entry in entries(mailing_list, kind)):
        raise Invalid([Problem("name", _("This is in the book already."))])
    entry = BookEntry(
        list_id=mailing_list.id if mailing_list else None, kind=kind, name=name, data=cleaned, created_at=now,
        created_by_id=actor.id if actor else None,
    )  # fmt: skip
    db.session.add(entry)
    db.session.flush()
    _record("book.added", entry, mailing_list, actor, now)
    return entry


def change(entry: BookEntry, name: str, data: Mapping[str, str], *, actor: Account | None, now: datetime) -> None:
    """Write the entry anew. Sections that were filled from it keep their words. Raises Invalid."""
    entry.name, entry.data = _clean(entry.kind, name, data)
    db.session.flush()
    _record("book.changed", entry, _list_of(entry), actor, now)


def end(entry: BookEntry, on: datetime, reason: str, *, actor: Account | None, now: datetime) -> None:
    """The entry ends at `on` (which may be ahead), and why. Raises Invalid without a reason."""
    reason = characters.one_line(reason)
    if not reason:
        raise Invalid([Problem("reason", _("Say why, such as “left the team” or “the page has moved”."))])
    if len(reason) > _LONGEST_REASON:
        raise Invalid([Problem("reason", _("Use {most} characters or fewer.").format(most=_LONGEST_REASON))])
    entry.ended_at, entry.end_reason = on, reason
    db.session.flush()
    _record("book.ended", entry, _list_of(entry), actor, now)


def take_up_again(entry: BookEntry, *, actor: Account | None, now: datetime) -> None:
    """Undo an ending."""
    entry.ended_at, entry.end_reason = None, ""
    db.session.flush()
    _record("book.taken_up_again", entry, _list_of(entry), actor, now)


def filled(kind: str, data: Mapping[str, Any], entry: BookEntry) -> dict[str, Any]:
    """The data of a section with the entry put in: a contact is written over, a list gets one more.

    Raises Invalid where the entry is of a kind that the section has no fields for.
    """
    if FILLS.get(kind) is not entry.kind:
        raise Invalid([Problem("book", _("This entry does not fit into this section."))])
    known = {name: value for name, value in entry.data.items() if value}
    if kind == "contact":
        return {**data, **dict.fromkeys(FIELDS[BookKind.PERSON], ""), "name": entry.name, **known}
    new = (
        {"title": entry.name, **known} if kind == "resources" else {"name": entry.name, "role": known.get("role", "")}
    )  # fmt: skip
    rows = [row for row in data.get("items", []) if any(row.values())]
    return {**data, "items": [*rows, new]}


def uses(entry: BookEntry) -> list[Use]:
    """The drafts, and the standing sections of each list's last issue, that still use the entry; matched by its
    address, its phone number, its web address, or its letters."""
    found: list[Use] = []
    lists = [entry.list_id] if entry.list_id else list(db.session.scalars(select(MailingList.id)))
    for list_id in lists:
        drafts = db.session.scalars(
            select(Issue)
            .where(Issue.list_id == list_id, Issue.state.in_([*EDITABLE_STATES, IssueState.SCHEDULED]))
            .order_by(Issue.id)
        )
        found += [use for issue in drafts for use in _uses_in(entry, issue, issue.blocks, standing=False)]
        last = db.session.scalar(
            select(Issue)
            .where(Issue.list_id == list_id, Issue.state == IssueState.SENT)
            .order_by(Issue.started_at.desc(), Issue.id.desc())
            .limit(1)
        )
        if last is not None:
            found += _uses_in(entry, last, standing_sections(last), standing=True)
    return found


def ended_uses(issue: Issue, at: datetime) -> list[EndedUse]:
    """The sections of the issue that use an entry which has ended by `at`: when it is to be read."""
    ended = [
        entry
        for entry in entries(issue.mailing_list, ended=True)
        if entry.ended_at is not None and entry.ended_at <= at and entry.kind is not BookKind.ACRONYM
    ]
    return [
        EndedUse(use.block, use.field, entry)
        for entry in ended
        for use in _uses_in(entry, issue, issue.blocks, standing=False)
    ]


def _uses_in(entry: BookEntry, issue: Issue, blocks: Sequence[Block], *, standing: bool) -> Iterator[Use]:
    for block in blocks:
        path = next((path for path, words in every_text(block.data) if _stands_in(entry, words)), None)
        if path is not None:
            yield Use(issue, block, path, standing)


def _stands_in(entry: BookEntry, words: str) -> bool:
    data = entry.data
    if entry.kind is BookKind.ACRONYM:
        return re.search(rf"\b{re.escape(entry.name)}\b", words) is not None
    if entry.kind is BookKind.LINK:
        # What goes on after it is another page.
        return re.search(re.escape(_bare(str(data["url"]))) + r"/?(?![\w/?=-])", _bare(words)) is not None
    email, digits = str(data.get("email", "")), _DIGITS.sub("", str(data.get("phone", "")))
    if email and re.search(rf"(?<![\w.+-]){re.escape(addresses.key(email))}(?![\w-])", words.casefold()):
        return True
    return len(digits) >= _FEWEST_DIGITS and re.search(_phone(digits), words) is not None


def _phone(digits: str) -> str:
    """A pattern for a number however it is spaced, also with +44 for its first 0."""
    between = r"[\s().\u00a0-]*"
    rest = between.join(digits[1:] if digits.startswith("0") else digits)
    first = rf"(?:0|\+44{between}(?:0{between})?)" if digits.startswith("0") else ""
    return rf"(?<!\d){first}{between}{rest}(?!\d)"


def _bare(url: str) -> str:
    """An address without what two spellings of it differ in."""
    return re.sub(r"https?://(?:www\.)?", "", url).replace("&amp;", "&").rstrip("/").casefold()


def _clean(kind: BookKind, name: str, data: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The name and the fields, one line each. Raises Invalid with every problem."""
    problems: list[Problem] = []
    name = characters.one_line(name)
    if not name:
        problems.append(Problem("name", _NAME_MISSING[kind]))
    values = {field: characters.one_line(data.get(field, "")) for field in FIELDS[kind]}
    for field, longest in {"name": _LONGEST_NAME, **FIELDS[kind]}.items():
        if len({"name": name, **values}[field]) > longest:
            problems.append(Problem(field, _("Use {most} characters or fewer.").format(most=longest)))
    problems += _problems_of(kind, values)
    if problems:
        raise Invalid(problems)
    return name, {field: value for field, value in values.items() if value}


_NAME_MISSING = {
    BookKind.PERSON: _("Enter the person’s name."),
    BookKind.LINK: _("Enter what the page is called."),
    BookKind.ACRONYM: _("Enter the letters, such as DSL."),
}


def _problems_of(kind: BookKind, values: dict[str, str]) -> list[Problem]:
    if kind is BookKind.ACRONYM:
        return [] if values["meaning"] else [Problem("meaning", _("Say what the letters stand for."))]
    if kind is BookKind.LINK:
        return _problems_of_url(values["url"])
    if not values["email"] and not values["phone"]:
        return [Problem("email", _("Enter an email address or phone number."))]
    if values["email"]:
        try:
            values["email"] = addresses.clean(values["email"])
        except Invalid as invalid:
            return invalid.problems
    return []


def _problems_of_url(url: str) -> list[Problem]:
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and "." in (parts.hostname or "") and " " not in url
    except ValueError:
        good = False
    return [] if good else [Problem("url", _("Enter the address, beginning with https://."))]


def _list_of(entry: BookEntry) -> MailingList | None:
    return db.session.get(MailingList, entry.list_id) if entry.list_id else None


def _record(
    action: str, entry: BookEntry, mailing_list: MailingList | None, actor: Account | None, now: datetime
) -> None:
    # No name: an entry may be about a person.
    activity.record(
        action, actor=actor, now=now, mailing_list=mailing_list, subject=("book", entry.id), kind=entry.kind.value
    )
    _log.info("%s %s", action, entry.id)
