"""Somebody wrote while their time to be signed in ran out, and pressed a button: their words come back, to be saved.

They sign in in another tab and press the button again: the form posts what it posted, to where it was going.
"""

from flask import request
from werkzeug.wrappers import Response

from ..lightmarkup import from_posted, to_markup
from ..section_forms import PREFIX
from .room import key_page

#: Fields besides those of an item in which people write sentences.
_SENTENCES = ("words", "reason")
#: What pressing it again does: what only tidied the form before is left to the page that follows.
_PRESSED = "do"
_ENDINGS = ("go", "later", "both")


def has_words() -> bool:
    """Whether the posted form holds anything that somebody would have to write again."""
    return any(value.strip() for _name, value in _words())


def page_of_posted() -> Response:
    """What was posted, and the form that posts it again. A file has to be chosen again."""
    pressed = request.form.get(_PRESSED, "")
    posted = [(name, value) for name, value in request.form.items(multi=True) if name != _PRESSED]
    if _PRESSED in request.form:
        posted.append((_PRESSED, pressed if pressed in _ENDINGS else "later"))
    return key_page(
        "words_kept", 401, url=request.full_path.rstrip("?"), posted=posted,
        words=[words for name, value in _words() if (words := _readable(name, value))],
        files=any(file.filename for file in request.files.values()),
    )  # fmt: skip


def _words() -> list[tuple[str, str]]:
    found = request.form.items(multi=True)
    return [(name, value) for name, value in found if name.startswith(PREFIX) or name in _SENTENCES]


def _readable(name: str, value: str) -> str:
    return (to_markup(from_posted(value)) if name.startswith(PREFIX) else value).strip()
