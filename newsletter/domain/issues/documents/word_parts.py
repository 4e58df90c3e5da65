"""The XML of a Word document, made fit to be read: what is deleted or hidden goes, and is noted (ECMA-376, part 1)."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from ....rendering import characters
from .leaving_out import Behind, Left

Element = ElementTree.Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_OFF = frozenset({"0", "false", "off"})
_LOOKS = frozenset({f"{_W}color", f"{_W}highlight", f"{_W}rFonts", f"{_W}sz", f"{_W}shd"})


def tidy(part: Element, styles: Element, behind: Behind) -> None:
    """Take out of a part what is not its text, and note it. Tracked insertions are text and stay."""
    hidden = _hidden_styles(styles)
    if any(each.tag in _LOOKS for each in part.iter()):
        behind.add(Left.LOOKS)
    _walk(part, hidden, behind)


def _walk(parent: Element, hidden: frozenset[str], behind: Behind) -> None:
    """Depth is bounded: a part that is deeper is not opened."""
    for child in list(parent):
        if _is_deleted(child, parent):
            # What was moved stands at the place it was moved to.
            if child.tag != f"{_W}moveFrom" and said(child):
                behind.add(Left.DELETIONS, said(child))
            parent.remove(child)
        elif _is_hidden(child, hidden):
            if said(child):
                behind.add(Left.HIDDEN, said(child))
            parent.remove(child)
        elif child.tag == f"{_M}oMath":
            _as_words(child)
        else:
            _look_at(child, behind)
            _walk(child, hidden, behind)


def _look_at(element: Element, behind: Behind) -> None:
    if element.tag == f"{_MC}AlternateContent":
        _one_of(element)
    elif element.tag == f"{_A}blip" and element.attrib.pop(f"{_R}link", "") and f"{_R}embed" not in element.attrib:
        behind.add(Left.PICTURES)


def _is_deleted(element: Element, parent: Element) -> bool:
    """Whether tracked changes deleted a text, a row or a paragraph's place. (A mark inside properties says that a
    paragraph's end was deleted, which is no text.)"""
    if element.tag == f"{_W}tr":
        return element.find(f"{_W}trPr/{_W}del") is not None
    return element.tag in (f"{_W}del", f"{_W}moveFrom") and parent.tag not in (f"{_W}rPr", f"{_W}trPr")


def _is_on(switch: Element | None) -> bool:
    return switch is not None and (switch.get(f"{_W}val") or "true").lower() not in _OFF


def _is_hidden(element: Element, hidden: frozenset[str]) -> bool:
    if element.tag == f"{_W}r":
        own, style = element.find(f"{_W}rPr/{_W}vanish"), element.find(f"{_W}rPr/{_W}rStyle")
    elif element.tag == f"{_W}p":
        own, style = None, element.find(f"{_W}pPr/{_W}pStyle")
    else:
        return False
    return _is_on(own) or (own is None and style is not None and style.get(f"{_W}val") in hidden)


def _hidden_styles(styles: Element) -> frozenset[str]:
    return frozenset(
        style.get(f"{_W}styleId") or ""
        for style in styles.iter(f"{_W}style")
        if _is_on(style.find(f"{_W}rPr/{_W}vanish"))
    )


def _as_words(formula: Element) -> None:
    """A formula as the words on its line."""
    words = "".join(each.text or "" for each in formula.iter(f"{_M}t"))
    formula.clear()
    formula.tag = f"{_W}r"
    ElementTree.SubElement(formula, f"{_W}t").text = words


def _one_of(alternatives: Element) -> None:
    """Of two ways to draw one thing, the older, which is what is read; of one, that one."""
    fallback, choice = alternatives.find(f"{_MC}Fallback"), alternatives.find(f"{_MC}Choice")
    if fallback is not None and choice is not None:
        alternatives.remove(choice)
    elif fallback is None and choice is not None:
        # Only the texts in it are of interest.
        boxes = list(choice.iter(f"{_W}txbxContent"))
        choice.clear()
        choice.tag = f"{_MC}Fallback"
        choice.extend(boxes)


# --- words ----------------------------------------------------------------------------------------------------


def lines_of(part: Element) -> Iterator[str]:
    """The words of each paragraph that has any, in order."""
    for paragraph in part.iter(f"{_W}p"):
        if line := characters.one_line("".join(_own(paragraph))):
            yield line


def said(element: Element) -> str:
    """All words in an element, deleted ones too."""
    return characters.one_line("".join(_own(element, deep=True)))


def _own(element: Element, *, deep: bool = False) -> Iterator[str]:
    """The words in an element; those of paragraphs inside it (of a text box) only when `deep`."""
    for child in element:
        if child.tag in (f"{_W}t", f"{_W}delText"):
            yield child.text or ""
        elif child.tag in (f"{_W}tab", f"{_W}br", f"{_W}cr"):
            yield " "
        elif child.tag == f"{_W}noBreakHyphen":
            yield "-"
        elif deep or child.tag != f"{_W}p":
            yield from _own(child, deep=deep)
            if child.tag == f"{_W}p":
                yield " "


# --- styles and relations -------------------------------------------------------------------------------------


def heading_styles(styles: Element) -> str:
    """mammoth's style map for the styles that somebody made from headings, or gave a level in the outline."""
    by_id = {style.get(f"{_W}styleId") or "": style for style in styles.iter(f"{_W}style")}
    lines = []
    for style in by_id.values():
        name = style.find(f"{_W}name")
        words = (name.get(f"{_W}val") or "") if name is not None else ""
        level = _level(style, by_id)
        if level and style.get(f"{_W}type") == "paragraph" and re.fullmatch(r"[\w .()-]{1,80}", words):
            lines.append(f"p[style-name='{words}'] => h{level}:fresh")
    return "\n".join(lines)


def _level(style: Element, by_id: dict[str, Element]) -> int:
    """The level of a style's headings: its own, or that of what it was made from; 0 for none."""
    seen: Element | None = style
    for _step in range(10):
        if seen is None:
            return 0
        own = seen.find(f"{_W}pPr/{_W}outlineLvl")
        if own is not None:
            typed = own.get(f"{_W}val") or ""
            return int(typed) + 1 if typed in {"0", "1", "2", "3", "4", "5"} else 0
        base = seen.find(f"{_W}basedOn")
        seen = by_id.get(base.get(f"{_W}val") or "") if base is not None else None
    return 0


def without_outside(relations: bytes) -> bytes:
    """The relations of a part, without those that lead out of the file, except links that a reader may follow."""
    root = ElementTree.fromstring(relations)  # noqa: S314 - checked before: no document type, no entities
    for each in list(root):
        if each.get("TargetMode") == "External" and not (each.get("Type") or "").endswith("/hyperlink"):
            root.remove(each)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
