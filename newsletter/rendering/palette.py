"""The colours of an issue, all worked out from one accent and from contrast.

Contrast is the ratio of WCAG 2.2 (success criteria 1.4.3 and 1.4.11). The light page is what a client shows that
knows nothing else; the dark one stands in a media query.
"""

import colorsys
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from newsletter.errors import Invalid, Problem
from newsletter.i18n import gettext as _

TEXT_CONTRAST = 4.5
DARK_ACCENT_CONTRAST = 7.0
MARK_CONTRAST = 3.0

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_STEP = 0.01
_CALM = 0.42


@dataclass(frozen=True)
class Colours:
    """The colours of one page, as "#RRGGBB".

    `tint` lies behind a notice; `solid` behind the deadline, with `on_solid` on it; `on_accent` is a button's
    text; `line` is a rule that means something, `rule` one that only decorates.
    """

    canvas: str
    sheet: str
    ink: str
    muted: str
    accent: str
    on_accent: str
    tint: str
    rule: str
    line: str
    solid: str
    on_solid: str


@dataclass(frozen=True)
class Palette:
    light: Colours
    dark: Colours


@lru_cache(maxsize=256)
def palette(accent: str) -> Palette:
    """Both pages for an accent such as "#0E5A63".

    The accent is darkened until it has enough contrast on the sheet, on its own tint and under a button's text,
    also where a mail client turns the light page's lightness over; the dark page's accent has the same hue,
    lightened. Raises Invalid, in a sentence, for what is not # and six hex digits.
    """
    if not isinstance(accent, str) or not _HEX.fullmatch(accent):
        raise Invalid([Problem("accent", _("Enter the colour as # and six digits, such as #0E5A63."))])
    sheet, on_accent = "#FFFEFB", "#FDFCF7"
    strong = _darkened(accent, sheet, on_accent)
    light = Colours(
        canvas="#EFEDE6", sheet=sheet, ink="#22292B", muted="#566062", accent=strong, on_accent=on_accent,
        tint=mix(strong, sheet, 0.09), rule="#D8D4C9", line="#8B9593", solid=strong, on_solid=on_accent,
    )  # fmt: skip
    dark_sheet, on_solid = "#1D2325", "#F4F6F2"
    bright = _moved(_calmed(strong), _STEP, lambda colour: contrast(colour, dark_sheet) >= DARK_ACCENT_CONTRAST)
    raised = _moved(strong, _STEP, lambda colour: contrast(colour, dark_sheet) >= 2)
    solid = _moved(raised, -_STEP, lambda colour: contrast(colour, on_solid) >= TEXT_CONTRAST)
    dark = Colours(
        canvas="#14181A", sheet=dark_sheet, ink="#E2E5E2", muted="#A8B2B1", accent=bright, on_accent=dark_sheet,
        tint=mix(bright, dark_sheet, 0.08), rule="#3A4447", line="#6C7878", solid=solid, on_solid=on_solid,
    )  # fmt: skip
    return Palette(light, dark)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(colour: str, ground: str, share: float) -> str:
    """`share` (0 to 1) of a colour laid over a ground."""
    pairs = zip(_channels(colour), _channels(ground), strict=True)
    return _hex(*(share * over + (1 - share) * under for over, under in pairs))


def inverted(colour: str) -> str:
    """The colour as a mail client shows it that turns light pages dark by turning lightness over."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    return _hex(*colorsys.hls_to_rgb(hue, 1 - lightness, saturation))


def _darkened(accent: str, sheet: str, on_accent: str) -> str:
    def enough(colour: str) -> bool:
        grounds = (sheet, mix(colour, sheet, 0.09), on_accent, "#EFEDE6")
        pairs = [(colour, ground) for ground in grounds]
        pairs += [(inverted(colour), inverted(ground)) for ground in grounds]
        return all(contrast(one, other) >= TEXT_CONTRAST for one, other in pairs)

    return _moved(accent.upper(), -_STEP, enough)


def _calmed(colour: str) -> str:
    """The colour with no more saturation than a light colour can have on a dark page without glaring."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    return _hex(*colorsys.hls_to_rgb(hue, lightness, min(saturation, _CALM)))


def _moved(colour: str, step: float, enough: Callable[[str], bool]) -> str:
    """The colour with its lightness moved by steps until it is enough, or white or black is reached."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    while not enough(colour) and 0 < lightness + step < 1:
        lightness += step
        colour = _hex(*colorsys.hls_to_rgb(hue, lightness, saturation))
    return colour


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(red: float, green: float, blue: float) -> str:
    return "#" + "".join(f"{round(255 * channel):02X}" for channel in (red, green, blue))


def _luminance(colour: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)

    red, green, blue = map(linear, _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
