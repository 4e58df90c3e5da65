"""What else a proposed section could be: the kinds that its words fit without losing any.

A person chooses; what was recognised is only the first offer.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from html import escape
from typing import Any

from ....rendering.blocks.table import COLUMNS
from ....rendering.rich_reading import Heading, Item, List, Node, read
from ....rendering.rich_reading import Paragraph as RichParagraph
from ..spoken_dates import spoken_dates
from .inline import words_of, xhtml_of
from .proposing import ProposedBlock, rows_as_text
from .units import Cell, Table

_VIEWS = re.compile(
    r"\b(?:views?|feedback|comments|opinions?|consultation|consulting|survey|questionnaire|have your say|tell us)\b",
    re.IGNORECASE,
)
_POLICY = re.compile(r"\b(?:polic(?:y|ies)|procedures?|guidance|chapters?|thresholds?|protocols?)\b", re.IGNORECASE)
_NEWS = re.compile(
    r"\b(?:newsletters?|bulletins?|contribut\w+|your news|next issue|send us|share with)\b", re.IGNORECASE
)
_PERSON = re.compile(
    r"\b(?P<name>[A-Z][\w'’-]+(?: [A-Z][\w'’-]+){1,3}) (?:(?:will be|will|is|has|are) )?"
    r"(?P<verb>leav|left|join|mov|retir)\w*\b[^.]{0,80}?\b(?:role|post|position|job)? ?(?:as|of) (?:our |the |an? )?"
    r"(?P<role>[A-Z][^.,;]{2,100}?)(?= (?:on|from|in|at) |[.,;]|$)"
)
_CHANGES = {"leav": "leaves", "left": "leaves", "retir": "leaves", "join": "joins", "mov": "moves"}
_LONGEST_LINE, _FEWEST_LINES, _MOST_LINES = 240, 2, 10
_FIVE = "T17:00"


def offers(block: ProposedBlock) -> list[ProposedBlock]:
    """The block as it was proposed, and as each other kind that holds all its words, plain section last."""
    if block.kind == "image":
        return [block]
    section = as_section(block)
    found = [block]
    for make in _MAKERS:
        made = make(section)
        if made is not None and made.kind not in {each.kind for each in found}:
            found.append(made)
    if "section" not in {each.kind for each in found}:
        found.append(section)
    return found


def as_section(block: ProposedBlock) -> ProposedBlock:
    """Any proposal as a heading and text."""
    return ProposedBlock("section", {"heading": block.data.get("heading", ""), "body": _body(block)}, block.continues)


def joined(above: ProposedBlock, block: ProposedBlock) -> ProposedBlock:
    """Two blocks as one: the heading of the second becomes a sub-heading in the first."""
    section = as_section(block)
    heading = section.data["heading"]
    more = (f"<h3>{escape(heading, quote=False)}</h3>" if heading else "") + section.data["body"]
    if above.kind == "call":
        return ProposedBlock("call", {**above.data, "intro": above.data["intro"] + more}, above.continues)
    first = as_section(above)
    return ProposedBlock("section", {**first.data, "body": first.data["body"] + more}, above.continues)


# --- as text ----------------------------------------------------------------------------------------------------


def _body(block: ProposedBlock) -> str:
    data = block.data
    match block.kind:
        case "findings":
            items = (f"<h3>{escape(item['subheading'], quote=False)}</h3>{item['text']}" for item in data["items"])
            return str(data.get("intro", "")) + "".join(items)
        case "call":
            return str(data["intro"])
        case "contact":
            return "".join(_contact_lines(data))
        case "table":
            names = tuple(Cell(data["columns"].get(column, "")) for column in COLUMNS)
            rows = [tuple(Cell(row.get(column, "")) for column in COLUMNS) for row in data["rows"]]
            return rows_as_text(Table((names, *rows), headed=True))
    return str(data["body"])


def _contact_lines(data: dict[str, Any]) -> Iterator[str]:
    who = ", ".join(filter(None, (data.get("name"), data.get("role"))))
    yield f"<p>{escape(who, quote=False)}</p>" if who else ""
    if email := data.get("email"):
        yield f'<p>Email: <a href="mailto:{escape(email)}">{escape(email, quote=False)}</a></p>'
    if phone := data.get("phone"):
        yield f"<p>Phone: {escape(phone, quote=False)}</p>"


# --- as other kinds ---------------------------------------------------------------------------------------------


def _findings(section: ProposedBlock) -> ProposedBlock | None:
    parts: list[tuple[str, list[Node]]] = [("", [])]
    for node in read(section.data["body"]):
        if isinstance(node, Heading):
            parts.append((words_of(node), []))
        else:
            parts[-1][1].append(node)
    intro, *items = parts
    if len(items) < _FEWEST_LINES or not all(nodes for _heading, nodes in items):
        return None
    made = [{"subheading": heading, "text": xhtml_of(nodes)} for heading, nodes in items]
    return _changed(section, "findings", {"intro": xhtml_of(intro[1]), "items": made})


def _priorities(section: ProposedBlock) -> ProposedBlock | None:
    lead, listed, *rest = [*read(section.data["body"]), None, None]
    if not isinstance(lead, RichParagraph) or not isinstance(listed, List) or any(isinstance(n, Heading) for n in rest):
        return None
    plain = _is_plain(lead) and all(_is_plain(item) and not item.lists for item in listed.items)
    lines, words = [words_of(item) for item in listed.items], words_of(lead)
    if not plain or not words.endswith(":") or not _FEWEST_LINES <= len(lines) <= _MOST_LINES:
        return None
    if any(len(line) > _LONGEST_LINE for line in (words, *lines)):
        return None
    closing = xhtml_of(node for node in rest if node is not None)
    return _changed(section, "priorities", {"lead_in": words, "items": lines, "closing": closing})


def _ask_views(section: ProposedBlock) -> ProposedBlock | None:
    words = f"{section.data['heading']}. {_words(section)}"
    asks = _VIEWS.search(words)
    day = next((spoken.day for spoken in spoken_dates(words[asks.start() :])), None) if asks else None
    if day is None:
        return None
    links = re.findall(r'href="((?:https|mailto):[^"]*)"', section.data["body"])
    data = {"question": section.data["body"], "closes": day.isoformat() + _FIVE}
    return _changed(section, "ask_views", data | ({"url": links[0]} if len(set(links)) == 1 else {}))


def _policy_update(section: ProposedBlock) -> ProposedBlock | None:
    day = _day(_words(section))
    if day is None or not _POLICY.search(f"{section.data['heading']} {_words(section)}"):
        return None
    return _changed(section, "policy_update", {"what": section.data["body"], "live_date": day.isoformat()})


def _people_news(section: ProposedBlock) -> ProposedBlock | None:
    words = _words(section)
    found, day = _PERSON.search(words), _day(words)
    if found is None or day is None:
        return None
    person = {
        "name": found["name"], "role": found["role"].strip(), "change": _CHANGES[found["verb"]],
        "date": day.isoformat(), "text": section.data["body"],
    }  # fmt: skip
    return _changed(section, "people_news", {"items": [person]})


def _resources(section: ProposedBlock) -> ProposedBlock | None:
    entries = []
    for node in read(section.data["body"]):
        for line in node.items if isinstance(node, List) else (node,):
            url = {run.href for run in line.runs}
            if len(url) != 1 or not next(iter(url)).startswith("https:") or (isinstance(line, Item) and line.lists):
                return None
            entries.append({"title": words_of(line), "url": url.pop()})
    return _changed(section, "resources", {"items": entries}) if entries else None


def _notice(section: ProposedBlock) -> ProposedBlock | None:
    day = _day(_words(section))
    if day is None:
        return None
    return _changed(section, "notice", {"changed": section.data["body"], "effective_date": day.isoformat()})


def _call(section: ProposedBlock) -> ProposedBlock | None:
    if not section.data["body"] or not _NEWS.search(f"{section.data['heading']} {_words(section)}"):
        return None
    return _changed(section, "call", {"intro": section.data["body"]})


_MAKERS: tuple[Callable[[ProposedBlock], ProposedBlock | None], ...] = (
    _findings, _priorities, _people_news, _ask_views, _policy_update, _resources, _notice, _call,
)  # fmt: skip


def _changed(section: ProposedBlock, kind: str, data: dict[str, Any]) -> ProposedBlock:
    return ProposedBlock(kind, {"heading": section.data["heading"], **data}, section.continues)


def _is_plain(node: RichParagraph | Item) -> bool:
    return not any(run.href or run.strong for run in node.runs)


def _words(section: ProposedBlock) -> str:
    return " ".join(words_of(node) for node in read(section.data["body"]))


def _day(words: str) -> date | None:
    """The only day that the words name."""
    days = {spoken.day for spoken in spoken_dates(words)}
    return days.pop() if len(days) == 1 else None
