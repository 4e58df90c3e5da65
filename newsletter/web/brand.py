"""The list's accent colour as a style sheet of its own.

The address holds the colour and a digest of the sheet, so the sheet is a pure function of its address: nothing
is looked up, and it is cached for good. Contrast is WCAG 2.2's: (L1 + 0.05) / (L2 + 0.05) of relative luminance.
"""

import hashlib
import re
from colorsys import hls_to_rgb, rgb_to_hls

from flask import Flask, Response, abort, url_for

DEFAULT_ACCENT = "#0e5a63"
LEAST_CONTRAST = 4.5
TINT = 0.08
DEEPER = 0.72
_STEP = 0.01
_A_YEAR = 365 * 24 * 3600
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")

Rgb = tuple[float, float, float]
_WHITE: Rgb = (1.0, 1.0, 1.0)


def _parsed(accent: str) -> Rgb:
    found = _HEX.fullmatch(accent.strip())
    if not found:
        raise ValueError(f"A colour is written as # and six digits, such as {DEFAULT_ACCENT}")
    digits = found.group(1)
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


def _written(colour: Rgb) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def _luminance(colour: Rgb) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours ("#rrggbb"), from 1 to 21."""
    lighter, darker = sorted((_luminance(_parsed(one)), _luminance(_parsed(other))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _tint(colour: Rgb) -> Rgb:
    red, green, blue = (TINT * part + (1 - TINT) * white for part, white in zip(colour, _WHITE, strict=True))
    return red, green, blue


def palette(accent: str) -> dict[str, str]:
    """`accent` ("#rrggbb") made readable, with its `deep` and its `tint`; each "#rrggbb".

    The accent is darkened in steps of lightness until it has 4.5:1 on white and on its own 8 % tint; deep is
    for hovering, tint for backgrounds. Raises ValueError, in a sentence, for what is no colour.
    """
    hue, lightness, saturation = rgb_to_hls(*_parsed(accent))
    while True:
        colour = hls_to_rgb(hue, lightness, saturation)
        words, tint = _written(colour), _written(_tint(colour))
        if min(contrast(words, "#ffffff"), contrast(words, tint)) >= LEAST_CONTRAST:
            break
        lightness = max(0.0, lightness - _STEP)
    deep = _written(hls_to_rgb(hue, lightness * DEEPER, saturation))
    return {"accent": words, "deep": deep, "tint": tint}


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
    make, _ = _KINDS[kind]
    plain = _written(_parsed(accent))
    return url_for("brand", accent=plain.removeprefix("#"), digest=_digest(make(plain)), kind=kind)


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
