"""How much waitress takes in before a page sees any of it: little from everybody, much where a list is brought in.

Waitress keeps the whole of a request, on the disk, before it asks the application: a limit for the largest file that
somebody may bring would let everybody fill that disk. So it is for whoever carries the cookie of somebody who is signed
in, at the one page that takes such files; whether they still are, the page asks.
"""

import copy
from http.cookies import CookieError, SimpleCookie
from typing import Any

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser

from ..config import Settings
from ..web.large_files import largest

#: Every other request: a Word document, a picture.
USUAL = 26 * 1024 * 1024
_PAGE = "/desk/subscribers/imports"
#: Room for the page itself to answer what is a little too large, in a sentence.
_MARGIN = 64 * 1024 * 1024


def channels(app: Flask) -> type[HTTPChannel]:
    """What waitress reads requests by, with that limit."""
    settings: Settings = app.config["NEWSLETTER"]
    interface: Any = app.session_interface

    def is_signed_in(cookies: str) -> bool:
        try:
            found = SimpleCookie(cookies).get(interface.cookie_name)
        except CookieError:
            return False
        return found is not None and "sid" in (interface.read(found.value) or {})

    class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
        """One request: once its head is read, it is known how much may follow."""

        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
            if self.path.endswith(_PAGE) and is_signed_in(self.headers.get("COOKIE", "")):
                self.adj: Any = copy.copy(self.adj)
                self.adj.max_request_body_size = largest(settings) + _MARGIN

    class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
        """One connection."""

        parser_class = Parser

    return Channel
