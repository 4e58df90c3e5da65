"""The names of our pictures: random, and they say how large the picture is.

A mail needs a picture's size before anybody has fetched it, and a rendering asks no database. So the size stands in
the name, such as "hq2v…7a-1200x560.jpg". Pictures of an older kind have a name without it: their size is unknown.
"""

import base64
import re
import secrets

_RANDOM_BYTES = 16
_SIZE = re.compile(r"-([1-9]\d{0,3})x([1-9]\d{0,3})\.(?:png|jpg)")


def new_name(width: int, height: int, suffix: str) -> str:
    """A name that nobody can guess, 40 characters at most. `suffix` is "png" or "jpg"."""
    unguessable = base64.b32encode(secrets.token_bytes(_RANDOM_BYTES)).decode().rstrip("=").lower()
    return f"{unguessable}-{width}x{height}.{suffix}"


def size_of(name: str) -> tuple[int, int] | None:
    """Width and height in pixels, where the name says them."""
    found = _SIZE.search(name)
    return (int(found[1]), int(found[2])) if found and found.end() == len(name) else None
