"""What every answer says to the browser: what it may load, where it may be framed, what it may keep.

Sources: OWASP ASVS 5.0, 3.4; CSP Level 3; HTML living standard (sandbox).
"""

from flask import Flask, Response, request

from ..config import Settings

_A_YEAR = 365 * 24 * 3600

#: Ours only: no inline script or style, no third party, no frame around us, no form that leads away.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)

#: A mail, shown to staff: its own styles, our pictures, and nothing that runs. The page around it may read it
#: (allow-same-origin), so that a click on a section opens it; without allow-scripts that gives the mail nothing.
PREVIEW_POLICY = (
    "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)


def preview_response(html: str) -> Response:
    """A mail's HTML as an answer of its own, for a sandboxed frame. `html` is a whole document."""
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def private_page(html: str, status: int = 200) -> Response:
    """A page whose address or content is a key: kept nowhere, found by nobody, its address passed to nobody."""
    response = Response(html, status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def install_headers(app: Flask) -> None:
    """Add the headers to every answer; a view that set one of them keeps its own."""
    settings: Settings = app.config["NEWSLETTER"]

    @app.after_request
    def _headers(response: Response) -> Response:
        for name, value in _for_all(settings).items():
            response.headers.setdefault(name, value)
        if not response.cache_control and request.endpoint not in (None, "assets", "brand"):
            response.headers["Cache-Control"] = "no-store" if _personal() else "no-cache"
        return response


def _for_all(settings: Settings) -> dict[str, str]:
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    }
    if settings.https:
        headers["Strict-Transport-Security"] = f"max-age={_A_YEAR}"
    return headers


def _personal() -> bool:
    """Whether the page is for one person: staff's pages, and those on the way to them (one holds a secret)."""
    from .access import is_public

    return request.endpoint is None or request.blueprint == "account" or not is_public(request.endpoint)
