"""The newsletters of this installation: made, named, given a sender and the words people agree to."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select

from ... import addresses
from ...config import current_settings
from ...db import db
from ...errors import Invalid, NotFound, Problem
from ...models import Account, ConsentWording, MailingList, Organisation
from ...states import Cadence, LawfulBasis
from . import wording
from .activity import record

_LONGEST_WORDING = 1_000


#: How many words a list may grant to one contribution: fewer say nothing, more are no item of a newsletter.
_FEWEST_WORDS, _MOST_WORDS = 50, 5_000


@dataclass(frozen=True)
class ListDetails:
    """A list as typed, and, once `checked`, as kept."""

    slug: str
    name: str
    sender_name: str
    sender_address: str
    contact_address: str
    cadence: Cadence = Cadence.NONE
    strapline: str = ""
    frequency: str = ""
    why: str = ""
    accent: str = "#0e5a63"
    timezone: str = ""
    four_eyes: bool = False
    requires_help_line: bool = False
    needs_approval: bool = True
    public: bool = True
    uses_agencies: bool = False
    contribution_words: int = 400
    lawful_basis: LawfulBasis = LawfulBasis.CONSENT


#: What the foot of a mail says where nobody has worded it, by why the list may be sent at all.
_WHY = {
    LawfulBasis.CONSENT: "You get this newsletter because you asked for “{name}”.",
    LawfulBasis.PUBLIC_TASK: "You get “{name}” because the work of public bodies needs it. You may object at any time:"
    " “Unsubscribe” ends it.",
    LawfulBasis.LEGITIMATE_INTERESTS: "You get “{name}” because we think that your work needs it. You may object at any"
    " time: “Unsubscribe” ends it.",
}


def find_list(slug: str) -> MailingList:
    """The list of this slug. Raises NotFound, in words that name it."""
    found = db.session.scalar(select(MailingList).where(MailingList.slug == slug))
    if found is None:
        raise NotFound(f"There is no list {slug!r}.")
    return found


def all_lists() -> list[MailingList]:
    """Every list, oldest first."""
    return list(db.session.scalars(select(MailingList).order_by(MailingList.id)))


def create_list(
    details: ListDetails, *, actor: Account | None, now: datetime, organisation: str | None = None
) -> MailingList:
    """A new list with the first version of its consent wording. Raises Invalid with every problem."""
    publisher = db.session.get(Organisation, 1)
    return add(checked(details), organisation or (publisher.name if publisher else details.name), actor=actor, now=now)


def add(details: ListDetails, organisation: str, *, actor: Account | None, now: datetime) -> MailingList:
    """As `create_list`, of details that were checked."""
    if db.session.scalar(select(MailingList.id).where(MailingList.slug == details.slug)) is not None:
        raise Invalid([Problem("slug", f"There is a list with the short name {details.slug} already")])
    mailing_list = MailingList(**vars(details), created_at=now)
    db.session.add(mailing_list)
    db.session.flush()
    _add_wording(mailing_list, first_wording(organisation, details.name), 1, now)
    record("list.created", actor=actor, now=now, mailing_list=mailing_list)
    return mailing_list


def first_wording(organisation: str, name: str) -> str:
    """What people agree to, until somebody words it better."""
    return f"{organisation} uses your address to send you “{name}”, and for nothing else. You can leave at any time."


def change_list(mailing_list: MailingList, details: ListDetails, *, actor: Account | None, now: datetime) -> None:
    """Put new details in place; the slug stays, because addresses hold it. Raises Invalid with every problem."""
    clean = checked(replace(details, slug=mailing_list.slug))
    changed = [name for name, value in vars(clean).items() if getattr(mailing_list, name) != value]
    for name in changed:
        setattr(mailing_list, name, getattr(clean, name))
    if changed:
        record("list.changed", actor=actor, now=now, mailing_list=mailing_list, fields=changed)


def details_of(mailing_list: MailingList) -> ListDetails:
    """The list as it is, for a form or to change one thing of it."""
    return ListDetails(**{name: getattr(mailing_list, name) for name in ListDetails.__dataclass_fields__})


def checked(details: ListDetails, *, renamed: dict[str, str] | None = None) -> ListDetails:
    """The details, cleaned. Raises Invalid with every problem, at the fields' names or what `renamed` calls them."""
    names = renamed or {}
    problems = wording.Problems()

    def line(field: str, longest: int, missing: str = "") -> str:
        typed: str = getattr(details, field)
        return problems.of(
            lambda: wording.line(typed, field=names.get(field, field), longest=longest, missing=missing), ""
        )

    def address(field: str) -> str:
        typed: str = getattr(details, field)
        return problems.of(lambda: addresses.clean(typed, field=names.get(field, field)), "")

    name = line("name", 120, "Enter the newsletter’s name")
    clean = replace(
        details,
        slug=problems.of(lambda: wording.slug(details.slug), ""),
        name=name,
        sender_name=line("sender_name", 60, "" if names else "Enter the name that mails come from"),
        sender_address=address("sender_address"),
        contact_address=address("contact_address"),
        strapline=line("strapline", 200),
        frequency=line("frequency", 120),
        why=_why(line("why", 300), name, details.lawful_basis),
        accent=problems.of(lambda: _accent(details.accent), ""),
        timezone=problems.of(lambda: _timezone(details.timezone), ""),
    )
    problems.of(lambda: _four_eyes_need_approval(details), None)
    problems.of(lambda: _words_between(details), None)
    problems.raise_any()
    return clean


def _why(typed: str, name: str, basis: LawfulBasis) -> str:
    """What was typed. Nothing, or what stands there of itself for another basis, becomes what this one says."""
    of_itself = {words.format(name=name) for words in _WHY.values()}
    return _WHY[basis].format(name=name) if not typed or typed in of_itself else typed


def _four_eyes_need_approval(details: ListDetails) -> None:
    if details.four_eyes and not details.needs_approval:
        raise Invalid([Problem("needs_approval", "Where nobody approves their own work, somebody has to approve it")])


def _words_between(details: ListDetails) -> None:
    if not _FEWEST_WORDS <= details.contribution_words <= _MOST_WORDS:
        sentence = f"Enter a number of words from {_FEWEST_WORDS} to {_MOST_WORDS:,}"
        raise Invalid([Problem("contribution_words", sentence)])


def current_wording(mailing_list: MailingList) -> ConsentWording | None:
    """The newest version of the words beside the list's box on the form."""
    return db.session.scalar(
        select(ConsentWording)
        .where(ConsentWording.list_id == mailing_list.id)
        .order_by(ConsentWording.version.desc())
        .limit(1)
    )


def publish_wording(mailing_list: MailingList, typed: str, *, actor: Account | None, now: datetime) -> ConsentWording:
    """A new version, unless the words are the same. Earlier ones stay: consents name them. Raises Invalid."""
    words = wording.text(
        typed, field="wording", longest=_LONGEST_WORDING, missing="Enter the words that people agree to"
    )
    current = current_wording(mailing_list)
    if current is not None and current.text == words:
        return current
    newest = db.session.scalar(
        select(func.max(ConsentWording.version)).where(ConsentWording.list_id == mailing_list.id)
    )
    added = _add_wording(mailing_list, words, 1 + (newest or 0), now)
    record("list.wording_published", actor=actor, now=now, mailing_list=mailing_list, version=added.version)
    return added


def _add_wording(mailing_list: MailingList, words: str, version: int, now: datetime) -> ConsentWording:
    added = ConsentWording(
        list_id=mailing_list.id,
        version=version,
        text=words,
        language=mailing_list.language or "en-GB",
        published_at=now,
    )
    db.session.add(added)
    db.session.flush()
    return added


def _accent(typed: str) -> str:
    value = typed.strip().lower()
    if not value.startswith("#"):
        value = f"#{value}"
    if len(value) != 7 or any(digit not in "0123456789abcdef" for digit in value[1:]):
        raise Invalid([Problem("accent", "A colour is written as # and six digits, such as #0e5a63")])
    return value


def _timezone(typed: str) -> str:
    value = typed.strip() or current_settings().timezone
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid([Problem("timezone", "Enter a time zone such as Europe/London")]) from None
    return value
