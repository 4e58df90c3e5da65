"""What somebody sends in: checked like the section that it may become, so that nothing fits here and not there."""

import re
from dataclasses import dataclass
from html import escape

from ....i18n import gettext as _
from ....rendering import characters, rich
from ....rendering.blocks import kind
from ...staff.wording import Problems, line, text
from ..partners import senders
from ..partners.senders import Sender

_SECTION = {field.name: field for field in kind("section").fields}
LONGEST_TITLE = _SECTION["heading"].longest
LONGEST_BODY = _SECTION["body"].longest

_BULLET = re.compile(r"[-*•–]\s+(?=\S)")
_ADDRESS = re.compile(r"https://[^\s<>\"]+[^\s<>\".,;:!?)\]’']")


@dataclass(frozen=True)
class News:
    """A piece of news as typed, and, once `checked`, as kept. `body` is plain text: paragraphs and "- " lists."""

    title: str
    body: str
    agency: str
    contact_name: str
    contact_address: str
    contact_phone: str = ""

    @property
    def sender(self) -> Sender:
        """Whom it is from."""
        return Sender(self.contact_name, self.contact_address, self.agency, self.contact_phone)


def checked(typed: News) -> News:
    """The news, cleaned. Raises Invalid with every problem at the fields' names."""
    problems = Problems()
    title = problems.of(
        lambda: line(typed.title, field="title", longest=LONGEST_TITLE, missing=_("Enter a heading")), ""
    )
    body = problems.of(lambda: text(typed.body, field="body", longest=LONGEST_BODY, missing=_("Enter your news")), "")
    sender = senders.checked(typed.sender, problems)
    problems.raise_any()
    return News(title, body, sender.agency, sender.name, sender.address, sender.phone)


def to_xhtml(body: str) -> str:
    """The plain text as rich text of the closed schema: blank lines part paragraphs, "- " begins a list's line.

    No word is lost; addresses that begin with https:// become links.
    """
    written: list[str] = []
    for part in re.split(r"\n[ \n]*\n", characters.kept(body)):
        written += _part([one.strip() for one in part.split("\n") if one.strip()])
    return rich.sanitise("".join(written))


def _part(lines: list[str]) -> list[str]:
    """The lines between two blank ones: paragraphs, and a list for each run of lines that begin with a mark."""
    written: list[str] = []
    paragraph: list[str] = []
    bullets: list[str] = []
    for each in [*lines, ""]:
        mark = _BULLET.match(each)
        if paragraph and (mark or not each):
            written.append(f"<p>{_linked(' '.join(paragraph))}</p>")
            paragraph = []
        if bullets and not mark:
            written.append(f"<ul>{''.join(f'<li>{_linked(item)}</li>' for item in bullets)}</ul>")
            bullets = []
        if mark:
            bullets.append(each[mark.end() :])
        elif each:
            paragraph.append(each)
    return written


def _linked(words: str) -> str:
    html, at = "", 0
    for found in _ADDRESS.finditer(words):
        href = escape(found.group())
        html += f'{escape(words[at : found.start()], quote=False)}<a href="{href}">{href}</a>'
        at = found.end()
    return html + escape(words[at:], quote=False)
