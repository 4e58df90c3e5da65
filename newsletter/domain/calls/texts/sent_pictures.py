"""Pictures that come with a piece of news: kept beside its words, and each a section of its own below them.

One whose sender has not said what it shows is kept all the same: an editor says so before the issue can go out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ....db import db
from ....errors import Invalid, Problem
from ....i18n import gettext as _
from ....models import Contribution, Media
from ....rendering import characters
from ....rendering.blocks import kind as kind_of
from ....rendering.pictures import Picture
from ...issues.pictures import is_held, names_in, store_picture

#: With one piece. More make a mail heavy, and each takes up to a second to read.
MOST = 6
LONGEST_ALT = 300


@dataclass(frozen=True)
class Came:
    """A picture that was made fit for mail (outside the transaction), and what it shows; "" where nobody said."""

    picture: Picture
    alt: str = ""


@dataclass(frozen=True)
class Held:
    """A picture that is here already, for whoever read a file and has not sent its words yet."""

    media: str
    alt: str = ""


def hold(came: Sequence[Came], now: datetime) -> list[Held]:
    """Keep them as if they had been thrown away, until `attach`: what is never sent goes by itself."""
    held: dict[str, Held] = {}
    for one in came:
        media = store_picture(one.picture, actor=None, now=now)
        if media.created_at == now or not is_held(media):
            media.deleted_at = now
        held.setdefault(media.name, Held(media.name, checked_alt(one.alt)))
    db.session.flush()
    return list(held.values())


def attach_what_fits(contribution: Contribution, came: Sequence[Came], now: datetime) -> int:
    """`attach`, of as many as there is room for; returns how many there was none for."""
    left = 0
    for one in came:
        if len(contribution.pictures) < MOST:
            attach(contribution, [one], now)
        else:
            left += 1
    return left


def attach(contribution: Contribution, came: Sequence[Came | Held], now: datetime) -> None:
    """Keep them with it. The same picture twice is one. Raises Invalid at "picture" for more than MOST."""
    kept = {each["media"]: each for each in contribution.pictures}
    for one in came:
        name = _taken_up(one) if isinstance(one, Held) else store_picture(one.picture, actor=None, now=now).name
        if not name:
            continue
        before = kept.get(name, {"media": name, "alt": ""})
        kept[name] = {**before, "alt": checked_alt(one.alt) or before["alt"]}
    if len(kept) > MOST:
        raise Invalid([Problem("picture", _("Send {most} pictures or fewer with one text.").format(most=MOST))])
    contribution.pictures = list(kept.values())
    db.session.flush()


def _taken_up(held: Held) -> str:
    """Its name, kept from now on; "" where it has gone: whoever sends a month later loses no word by it."""
    media = db.session.scalar(select(Media).where(Media.name == held.media))
    if media is None:
        return ""
    media.deleted_at = None
    return media.name


def describe(contribution: Contribution, alts: Mapping[str, str]) -> None:
    """Say what they show: words by a picture's name. Raises Invalid at "alt"."""
    contribution.pictures = [
        {**each, "alt": checked_alt(alts.get(each["media"], each["alt"]))} for each in contribution.pictures
    ]
    db.session.flush()


def remove(contribution: Contribution, name: str) -> None:
    """It does not come with it after all. One that is not there changes nothing."""
    contribution.pictures = [each for each in contribution.pictures if each["media"] != name]
    db.session.flush()


def checked_alt(typed: str) -> str:
    """What a picture shows, as one line. Raises Invalid at "alt"."""
    words = characters.one_line(typed)
    if len(words) > LONGEST_ALT:
        raise Invalid([Problem("alt", _("Use {most} characters or fewer.").format(most=LONGEST_ALT))])
    return words


@dataclass(frozen=True)
class Shown:
    """A picture of something that was sent in, for a page that shows it."""

    media: str
    alt: str
    decorative: bool = False


def own(contribution: Contribution) -> list[Shown]:
    """The picture that is one of its fields, for a kind of item that has one."""
    return of_data(contribution.kind, contribution.data)


def of_data(kind: str, data: Mapping[str, Any]) -> list[Shown]:
    """The pictures in a section's data."""
    alt, decorative = str(data.get("alt") or ""), bool(data.get("decorative"))
    return [Shown(name, alt, decorative) for name in names_in(kind, dict(data))]


def besides(contribution: Contribution) -> list[Shown]:
    """The pictures that came with its words."""
    return [Shown(each["media"], each["alt"]) for each in contribution.pictures]


def shown_with(contribution: Contribution) -> list[Shown]:
    """All its pictures: that of its fields, and those that came besides."""
    return [*own(contribution), *besides(contribution)]


def sections(contribution: Contribution) -> list[dict[str, Any]]:
    """The data of the picture sections that it becomes besides its text."""
    return [kind_of("image").clean({"media": each["media"], "alt": each["alt"]}) for each in contribution.pictures]
