"""Requests as the views see them."""

from typing import Any

from flask import Flask, Request
from werkzeug.routing import IntegerConverter, Map

from ..db import LARGEST_ID


class RowNumber(IntegerConverter):
    """A number in an address, as far as a row can have it: what is larger leads nowhere, and asks no database."""

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:  # noqa: A002 - werkzeug's name
        super().__init__(map, *args, **{"max": LARGEST_ID, **kwargs})


class OurRequest(Request):
    """A HEAD is a GET whose body is thrown away (RFC 9110, 9.3.2), and views see it as that.

    Otherwise each view that shows a page on GET and acts on the rest would act on HEAD, which passes every check
    that guards a POST. The server still sees HEAD, and sends no body.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.method == "HEAD":
            self.method = "GET"


def install_requests(app: Flask) -> None:
    """Have the application make requests of our own class, and read the numbers in addresses."""
    app.request_class = OurRequest
    app.url_map.converters["int"] = RowNumber
