"""Each request has an id: in its log lines, in those of the jobs that it rings for, and in its answer.

A proxy before us may give it (`X-Request-ID`), where the settings say that there is one; else we do. Nobody else can
put words into our logs.
"""

import logging
import time

from flask import Flask, Response, g, request

from .. import logs
from ..config import Settings

_HEADER = "X-Request-ID"
_log = logging.getLogger(__name__)


def install_tracing(app: Flask) -> None:
    """Name every request before anything else looks at it, and tell of it once it is answered."""
    settings: Settings = app.config["NEWSLETTER"]

    @app.before_request
    def _name_it() -> None:
        proposed = request.headers.get(_HEADER) if settings.trusted_proxies else None
        g.request_id, g.began = logs.request_id(proposed), time.perf_counter()
        logs.begin(request_id=g.request_id)

    @app.after_request
    def _tell(response: Response) -> Response:
        if "request_id" in g:
            response.headers[_HEADER] = g.request_id
            # The page by its name: an address may be somebody's key.
            milliseconds = (time.perf_counter() - g.began) * 1000
            page = request.endpoint or "no page"
            _log.info("%s %s: %d in %.0f ms", request.method, page, response.status_code, milliseconds)
        return response

    @app.teardown_request
    def _end(_error: BaseException | None) -> None:
        logs.begin()
