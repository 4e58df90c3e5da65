"""Pictures of a file that somebody read into the form without signing in: they stand on the page until it is sent.

The page carries the name of each under our seal, so nobody sends a picture that they were not shown here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import request

from ...db import transaction
from ...domain.calls.texts import sent_pictures
from ...domain.calls.texts.sent_pictures import MOST, Came, Held, checked_alt
from ...errors import Invalid, Problem, TokenInvalid
from ...tokens import Purpose
from .room import signer

#: Fields that come once for each picture, in the same order: its sealed name, and what it shows.
NAME, ALT = "held", "held_alt"
#: The box that leaves one out; its value is the sealed name.
LEAVE = "held_left"


@dataclass(frozen=True)
class Shown:
    """One on the page."""

    token: str
    media: str
    alt: str
    left: bool = False
    error: str = ""


def posted() -> list[Shown]:
    """Those of the posted form, whether or not they are to be left out. What we never sealed is none."""
    alts, left = request.form.getlist(ALT), request.form.getlist(LEAVE)
    found: dict[str, Shown] = {}
    for number, token in enumerate(request.form.getlist(NAME)[:MOST]):
        try:
            media = signer().read_name(Purpose.HELD_PICTURE, token)
        except TokenInvalid:
            continue
        alt = alts[number] if number < len(alts) else ""
        found.setdefault(media, Shown(token, media, alt, token in left, _wrong(alt)))
    return list(found.values())


def wanted(shown: Sequence[Shown]) -> list[Held]:
    """Those that go with the text."""
    return [Held(each.media, checked_alt(each.alt)) for each in shown if not each.left]


def problems(shown: Sequence[Shown]) -> list[Problem]:
    """What is wrong with a description, each at its control."""
    return [Problem(control(number), each.error) for number, each in enumerate(shown, 1) if each.error]


def control(number: int) -> str:
    """The id of the control for what the picture shows; pictures are counted from 1."""
    return f"held-alt-{number}"


def with_those_of(shown: Sequence[Shown], came: Sequence[Came], now: datetime) -> tuple[list[Shown], int]:
    """Those on the page and those of a file that was read just now, and how many there was no room for."""
    there = {each.media for each in shown}
    with transaction():
        held = [each for each in sent_pictures.hold(came, now) if each.media not in there]
    room = max(0, MOST - len(shown))
    seal = signer().sign_name
    new = [Shown(seal(Purpose.HELD_PICTURE, each.media), each.media, each.alt) for each in held[:room]]
    return [*shown, *new], len(held) - len(new)


def _wrong(alt: str) -> str:
    try:
        checked_alt(alt)
    except Invalid as error:
        return error.problems[0].sentence
    return ""
