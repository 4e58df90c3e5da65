"""Pictures that come with a piece of news: kept beside its words, and each a section of its own below them.

One whose sender has not said what it shows is kept all the same: an editor says so before the issue can go out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ....db import db
from ....errors import Invalid, Problem
from ....i18n import gettext as _
from ....models import Contribution
from ....rendering import characters
from ....rendering.blocks import kind as kind_of
from ....rendering.pictures import Picture
from ...issues.pictures import store_picture

#: With one piece. More make a mail heavy, and each takes up to a second to read.
MOST = 6
LONGEST_ALT = 300


@dataclass(frozen=True)
class Came:
    """A picture that was made fit for mail (outside the transaction), and what it shows; "" where nobody said."""

    picture: Picture
    alt: str = ""


def attach(contribution: Contribution, came: Sequence[Came], now: datetime) -> None:
    """Keep them with it. The same picture twice is one. Raises Invalid at "picture" for more than MOST."""
    kept = {each["media"]: each for each in contribution.pictures}
    for one in came:
        name = store_picture(one.picture, actor=None, now=now).name
        before = kept.get(name, {"media": name, "alt": ""})
        kept[name] = {**before, "alt": checked_alt(one.alt) or before["alt"]}
    if len(kept) > MOST:
        raise Invalid([Problem("picture", _("Send {most} pictures or fewer with one text.").format(most=MOST))])
    contribution.pictures = list(kept.values())
    db.session.flush()


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


def sections(contribution: Contribution) -> list[dict[str, Any]]:
    """The data of the picture sections that it becomes besides its text."""
    return [kind_of("image").clean({"media": each["media"], "alt": each["alt"]}) for each in contribution.pictures]
