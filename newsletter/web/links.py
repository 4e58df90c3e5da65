"""Whole addresses, for mails, feeds and what is copied. They come from `PUBLIC_URL` alone, never from a request.

A Host header is what the sender of a request wants it to be: a link made of it leads where they want.
"""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app

from ..config import current_settings

_StartResponse = Callable[..., Any]
_Wsgi = Callable[[dict[str, Any], _StartResponse], Iterable[bytes]]


def public_link(endpoint: str, **values: Any) -> str:
    """The whole address of a page: `public_link("archive.issue", slug="january-2027")`. Needs no request."""
    parts = urlsplit(current_settings().public_url)
    adapter = current_app.url_map.bind(parts.netloc, script_name=parts.path or "/", url_scheme=parts.scheme)
    return adapter.build(endpoint, values, force_external=True)


class UnderPath:
    """Serves the application under the path of `PUBLIC_URL`, whether the proxy before us cuts it off or not."""

    def __init__(self, wsgi: _Wsgi, prefix: str) -> None:
        self._wsgi = wsgi
        self._prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: _StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(f"{self._prefix}/"):
            environ["PATH_INFO"] = path[len(self._prefix) :] or "/"
        environ["SCRIPT_NAME"] = self._prefix
        return self._wsgi(environ, start_response)


def install_links(app: Flask) -> None:
    """Give templates `public_link`, and put the application under its path."""
    app.jinja_env.globals["public_link"] = public_link
    prefix = urlsplit(app.config["NEWSLETTER"].public_url).path.rstrip("/")
    if prefix:
        app.wsgi_app = UnderPath(app.wsgi_app, prefix)  # type: ignore[method-assign]  # Flask's way to wrap it
