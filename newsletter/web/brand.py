"""The list's accent colour as a style sheet of its own.

The address holds the colour and a digest of the sheet, so the sheet is a pure function of its address: nothing
is looked up, and it is cached for good. Contrast is WCAG 2.2's: (L1 + 0.05) / (L2 + 0.05) of relative luminance.
"""

import hashlib
import re
from colorsys import hls_to_rgb, rgb_to_hls
from functools import lru_cache

from flask import Flask, Response, abort, url_for

from newsletter.rendering.palette import contrast, mix

DEFAULT_ACCENT = "#0e5a63"
LEAST_CONTRAST = 4.5
TINT = 0.08
DEEPER = 0.72
_STEP = 0.01
_A_YEAR = 365 * 24 * 3600
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")


def _clean(accent: str) -> str:
    found = _HEX.fullmatch(accent.strip())
    if not found:
        raise ValueError(f"A colour is written as # and six digits, such as {DEFAULT_ACCENT}")
    return "#" + found.group(1).lower()


def _of_lightness(colour: str, lightness: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, _, saturation = rgb_to_hls(red, green, blue)
    return "#" + "".join(f"{round(part * 255):02x}" for part in hls_to_rgb(hue, lightness, saturation))


def _lightness(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return (max(parts) + min(parts)) / 2


def palette(accent: str) -> dict[str, str]:
    """`accent` ("#rrggbb") made readable, with its `deep` and its `tint`; each "#rrggbb".

    The accent is darkened in steps of lightness until it has 4.5:1 on white and on its own 8 % tint; deep is
    for hovering, tint for backgrounds. Raises ValueError, in a sentence, for what is no colour.
    """
    asked = colour = _clean(accent)
    lightness = _lightness(asked)
    while min(contrast(colour, "#ffffff"), contrast(colour, mix(colour, "#ffffff", TINT))) < LEAST_CONTRAST:
        lightness = max(0.0, lightness - _STEP)
        colour = _of_lightness(asked, lightness)
    deep = _of_lightness(asked, lightness * DEEPER)
    return {"accent": colour, "deep": deep, "tint": mix(colour, "#ffffff", TINT).lower()}


def brand_css(accent: str) -> str:
    """The style sheet of an accent colour ("#rrggbb"): three custom properties."""
    colours = palette(accent)
    return f":root{{--accent:{colours['accent']};--accent-deep:{colours['deep']};--accent-tint:{colours['tint']}}}\n"


def brand_icon(accent: str) -> str:
    """The mark in the accent colour, as an SVG picture for the browser's tab."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 26 26">'
        f'<rect width="26" height="26" rx="7" fill="{palette(accent)["accent"]}"/>'
        '<path d="M7 9.5h12M7 13.5h8M7 17.5h5" stroke="#fff" stroke-width="2.2" stroke-linecap="round"/></svg>\n'
    )


_KINDS = {"css": (brand_css, "text/css"), "svg": (brand_icon, "image/svg+xml")}


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:10]


def brand_url(accent: str, kind: str = "css") -> str:
    """The address of the accent's style sheet ("css") or icon ("svg"). Raises ValueError for what is no colour."""
    plain = _clean(accent)
    return url_for("brand", accent=plain.removeprefix("#"), digest=_digest_of(plain, kind), kind=kind)


@lru_cache
def _digest_of(plain: str, kind: str) -> str:
    make, _ = _KINDS[kind]
    return _digest(make(plain))


def install_brand(app: Flask) -> None:
    """Serve what follows from an accent colour, cached for good."""

    @app.get("/brand-<accent>-<digest>.<any(css, svg):kind>", endpoint="brand")
    def serve(accent: str, digest: str, kind: str) -> Response:
        make, media_type = _KINDS[kind]
        try:
            content = make(accent)
        except ValueError:
            abort(404)
        if digest != _digest(content):
            abort(404)
        response = Response(content, mimetype=media_type)
        response.cache_control.public = True
        response.cache_control.immutable = True
        response.cache_control.max_age = _A_YEAR
        return response
