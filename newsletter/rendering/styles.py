"""The inline styles of the mail, in CSS pixels. What a media query may change is in the layout's own style."""

from functools import lru_cache

from .palette import Colours
from .rich import Stamps

# Names without quotes are valid CSS and need no escaping; Segoe UI first gives Outlook a font that it has.
SANS = "Segoe UI,-apple-system,Roboto,Helvetica,Arial,sans-serif"
SERIF = "Georgia,Times New Roman,serif"


@lru_cache(maxsize=256)
def styles(c: Colours, direction: str = "ltr") -> dict[str, str]:
    """The style of each part by its name. Lists are indented by a margin: Word ignores their padding."""
    head = f"font-family:{SERIF};font-weight:normal;color:{c.ink}"
    start, indent = ("right", "0 {0} 16px 0") if direction == "rtl" else ("left", "0 0 16px {0}")
    return {
        "h1": f"margin:0 0 12px;{head};font-size:40px;line-height:44px",
        "h1_label": f"font-size:22px;line-height:32px;color:{c.muted}",
        "h2": f"margin:0 0 12px;{head};font-size:26px;line-height:32px",
        "h2_tight": f"margin:0 0 4px;{head};font-size:26px;line-height:32px",
        "h2_solid": f"margin:0 0 12px;font-family:{SERIF};font-weight:normal;color:{c.on_solid};"
        "font-size:26px;line-height:32px",
        "h3": f"margin:24px 0 4px;font-size:17px;line-height:24px;font-weight:bold;color:{c.ink}",
        "h3_first": f"margin:0 0 4px;font-size:17px;line-height:24px;font-weight:bold;color:{c.ink}",
        "p": "margin:0 0 16px",
        "p_tight": "margin:0 0 8px",
        "p_last": "margin:0",
        "lead": "margin:0 0 16px;font-size:18px;line-height:27px",
        "label": f"margin:0 0 6px;font-weight:bold;color:{c.accent}",
        "byline": f"margin:0 0 12px;color:{c.muted}",
        "byline_h3": f"margin:0 0 4px;color:{c.muted}",
        "muted": f"color:{c.muted}",
        "meta": f"color:{c.muted};font-size:14px;line-height:21px",
        "small": f"margin:0 0 16px;color:{c.muted};font-size:14px;line-height:21px",
        "small_last": "margin:0;font-size:14px;line-height:21px",
        "ul": f"margin:{indent.format('24px')};padding:0",
        "ol": f"margin:{indent.format('30px')};padding:0",
        "li": "margin:0 0 8px;padding:0",
        "a": f"color:{c.accent};text-decoration:underline",
        "a_solid": f"color:{c.on_solid};text-decoration:underline",
        "a_foot": f"color:{c.ink};text-decoration:underline;line-height:28px",
        "deadline_label": "margin:0 0 4px;font-weight:bold",
        "deadline": "margin:0 0 20px;font-size:28px;line-height:36px;font-weight:bold",
        "figure": f"margin:0 0 4px;font-size:40px;line-height:48px;font-weight:bold;color:{c.accent}",
        "quote": f"margin:0 0 8px;font-family:{SERIF};font-size:22px;line-height:32px",
        "caption": f"padding:0 0 12px;text-align:{start};color:{c.muted}",
        "th_head": f"padding:{_cell('8px', '0', direction)};text-align:{start};vertical-align:top;"
        f"border-bottom:2px solid {c.ink}",
        "th": f"padding:{_cell('10px', '10px', direction)};text-align:{start};vertical-align:top;"
        f"font-weight:normal;white-space:nowrap;border-bottom:1px solid {c.rule}",
        "th_row": f"padding:{_cell('10px', '10px', direction)};text-align:{start};vertical-align:top;"
        f"font-weight:bold;border-bottom:1px solid {c.rule}",
        "td_row": f"padding:{_cell('10px', '10px', direction)};text-align:{start};vertical-align:top;"
        f"border-bottom:1px solid {c.rule}",
        "td": f"padding:10px 0;text-align:{start};vertical-align:top;border-bottom:1px solid {c.rule}",
    }


def _cell(below: str, above: str, direction: str) -> str:
    return f"{above} 0 {below} 12px" if direction == "rtl" else f"{above} 12px {below} 0"


def stamps(named: dict[str, str], *, solid: bool = False) -> Stamps:
    """The styles of rich text; `solid` on the accent, where a link has the text's colour."""
    return Stamps(
        p=named["p"], h3=named["h3"], ul=named["ul"], ol=named["ol"], li=named["li"],
        a=named["a_solid" if solid else "a"],
    )  # fmt: skip
