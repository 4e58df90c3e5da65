"""Where the built styles and scripts are: by their source's name, with a content hash in the address.

The bundles are made at install time from newsletter/frontend (see its hatch_build.py) and never change under
one address, so they are cached for a year.
"""

import gzip
import json
import re
from functools import cache
from pathlib import Path

from flask import Flask, Response, abort, request, url_for

DIST = Path(__file__).parent / "static" / "dist"
A_YEAR = 365 * 24 * 3600
_PART = re.compile(r"part-[A-Z0-9]+\.js")


class Manifest:
    """dist/manifest.json: {"site.css": "site-K7….css", …}; read again when a build has replaced it."""

    def __init__(self, dist: Path = DIST) -> None:
        self._path = dist / "manifest.json"
        self._read_at = 0
        self._names: dict[str, str] = {}

    @property
    def names(self) -> dict[str, str]:
        """Built names by source name; empty where the front end has not been built."""
        try:
            changed_at = self._path.stat().st_mtime_ns
            if changed_at != self._read_at:
                self._names = json.loads(self._path.read_text(encoding="utf-8"))
                self._read_at = changed_at
        except FileNotFoundError:
            self._names, self._read_at = {}, 0
        return self._names

    def name(self, source: str) -> str | None:
        """The built name of a source ("site.css"), or None where nothing has been built.

        Raises KeyError for a name that is no source of ours.
        """
        return self.names[source] if self.names else None


manifest = Manifest()


def asset(source: str) -> str | None:
    """The address of a built style or script, or None in an installation without them."""
    name = manifest.name(source)
    return url_for("assets", name=name) if name else None


_TYPES = {".css": "text/css", ".js": "text/javascript"}


@cache
def _content(name: str) -> tuple[bytes, bytes]:
    """A bundle as it is and compressed; kept, since what is under one name never changes."""
    plain = (DIST / name).read_bytes()
    return plain, gzip.compress(plain, mtime=0)


def _served(name: str) -> bool:
    """Whether it is a bundle, or a part that bundles share; nothing else in the folder is anybody's business."""
    known = name in manifest.names.values()
    return known or bool(_PART.fullmatch(name) and (DIST / name).is_file())


def install_assets(app: Flask) -> None:
    """Serve the bundles at /assets/<name>, compressed where the browser takes it, cached for good."""

    @app.get("/assets/<name>", endpoint="assets")
    def serve(name: str) -> Response:
        if not _served(name):
            abort(404)
        plain, compressed = _content(name)
        small = request.accept_encodings.quality("gzip") > 0
        response = Response(compressed if small else plain, mimetype=_TYPES[Path(name).suffix])
        if small:
            response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
        response.cache_control.public = True
        response.cache_control.immutable = True
        response.cache_control.max_age = A_YEAR
        return response
