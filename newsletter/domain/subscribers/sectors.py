"""What kind of body a subscriber works for. A short list of ours to begin with; an installation may word its own."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from ...db import db
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...models import Account, Sector
from ..staff import activity
from .words import one_line

LONGEST, MOST = 80, 20
_DEFAULTS = (
    ("health", _("Health")),
    ("police", _("Police")),
    ("education", _("Education")),
    ("council", _("Council")),
    ("voluntary", _("Voluntary organisation")),
    ("other", _("Something else")),
)


def every() -> list[Sector]:
    """All sectors in order, with those that have ended. The usual ones, not yet stored, until somebody changes them."""
    stored = list(db.session.scalars(select(Sector).order_by(Sector.position, Sector.slug)))
    return stored or [Sector(slug=slug, name=name, position=at) for at, (slug, name) in enumerate(_DEFAULTS, 1)]


def offered() -> list[Sector]:
    """Those that a form offers, in order."""
    return [one for one in every() if one.ended_at is None]


def choices(kept: str = "") -> list[tuple[str, str]]:
    """The slug and the name of each that a form offers, in order, and of the one that somebody has: they keep it."""
    chosen = select(Sector.slug, Sector.name, Sector.ended_at).order_by(Sector.position, Sector.slug)
    stored = [(slug, name, ended_at) for slug, name, ended_at in db.session.execute(chosen)]
    found = stored or [(slug, name, None) for slug, name in _DEFAULTS]
    return [(slug, name) for slug, name, ended_at in found if ended_at is None or slug == kept]


def names() -> dict[str, str]:
    """What each slug is called, with those that have ended: people keep what they said."""
    return {one.slug: one.name for one in every()}


def known(slug: str) -> str:
    """`slug` if there is such a sector, else "": nobody is stopped over a choice that has gone meanwhile."""
    return slug if slug and slug in names() else ""


def read(words: str) -> str:
    """The slug of the sector that `words` name, by name or slug in any case; "" for none of them."""
    wanted = one_line(words).casefold()
    return next((one.slug for one in every() if wanted in (one.slug, one.name.casefold())), "")


def change(
    renamed: Sequence[tuple[str, str]], kept: Sequence[str], added: str = "", *, actor: Account | None, now: datetime
) -> None:
    """Word the sectors anew. `renamed` are (slug, name) as typed, `kept` the slugs still offered, `added` a new name.

    One that is no longer offered has ended: whoever chose it keeps it, and it can be offered again. Raises Invalid.
    """
    stored = {one.slug: one for one in every()}
    for one in stored.values():
        db.session.add(one)
    problems: list[Problem] = []
    for slug, typed in renamed:
        if slug in stored:
            stored[slug].name = _name(typed, f"name_{slug}", problems) or stored[slug].name
            stored[slug].ended_at = None if slug in kept else stored[slug].ended_at or now
    if one_line(added):
        name = _name(added, "added", problems)
        stored |= _new(name, stored, problems)
    _look_for_twins(list(stored.values()), problems)
    if not any(one.ended_at is None for one in stored.values()):
        problems.append(Problem("added", _("Offer at least one sector")))
    if problems:
        raise Invalid(problems)
    db.session.flush()
    activity.record("sectors.changed", actor=actor, now=now, offered=[one.slug for one in offered()])


def _new(name: str, stored: dict[str, Sector], problems: list[Problem]) -> dict[str, Sector]:
    """The sector that was typed in, under a slug of its own."""
    if len(stored) >= MOST:
        problems.append(Problem("added", _("There are %(most)d already: reword one of them") % {"most": MOST}))
    base = "".join(one if one.isascii() and one.isalnum() else "-" for one in name.lower()).strip("-")[:34] or "sector"
    slug = next(each for each in (base, *(f"{base}-{n}" for n in range(2, MOST + 3))) if each not in stored)
    last = db.session.scalar(select(func.max(Sector.position))) or len(stored)
    made = Sector(slug=slug, name=name, position=last + 1)
    db.session.add(made)
    return {slug: made}


def _name(typed: str, field: str, problems: list[Problem]) -> str:
    name = one_line(typed)
    if not name:
        problems.append(Problem(field, _("Enter a name")))
    elif len(name) > LONGEST:
        problems.append(Problem(field, _("Enter a name of 80 characters or fewer")))
    return name[:LONGEST]


def _look_for_twins(stored: list[Sector], problems: list[Problem]) -> None:
    seen: set[str] = set()
    for one in stored:
        if one.name.casefold() in seen:
            problems.append(Problem(f"name_{one.slug}", _("“%(name)s” is there twice") % {"name": one.name}))
        seen.add(one.name.casefold())
