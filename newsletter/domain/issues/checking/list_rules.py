"""What the list itself asks of each of its issues: a help line, a deadline to print, a colour that can be read."""

import re
from collections.abc import Iterator

from ....errors import Invalid
from ....i18n import gettext as _
from ....models import Issue
from ....rendering.content import BlockContent, IssueContent
from ....rendering.fields import every_text
from ....rendering.palette import TEXT_CONTRAST, contrast, palette
from ....rendering.rich import words as words_of
from ....states import Cadence, Where
from ..finding import is_out_of_turn
from .findings import Finding

#: Where the gate before the send asks for something of its own in its own words.
ASKED_BY_THE_GATE = frozenset({"next_deadline"})
_DANGER = re.compile(
    r"\b(?:worried|concern\w*|danger|emergenc\w+|urgent\w*|crisis|harm|abuse|unsafe|at risk|safe)\b", re.I
)
_NUMBER = re.compile(r"(?<!\d)(?:999|112|111|101|116 ?\d{3}|0\d(?:[ -]?\d){7,9})(?!\d)")


def check_list_rules(issue: Issue, content: IssueContent) -> Iterator[Finding]:
    """The findings of the issue as a whole that come from its list."""
    if issue.mailing_list.requires_help_line and not any(map(_is_help_line, content.blocks)):
        yield Finding(
            "help_line", True, _("No section says whom to ring when somebody is in danger."),
            _("This newsletter promises one in every issue."),
        )  # fmt: skip
    following = issue.next_issue
    no_deadline = following is None or following.deadline is None
    if (
        issue.mailing_list.cadence is Cadence.QUARTERLY
        and no_deadline
        and not (issue.archive_only or is_out_of_turn(issue))
    ):
        yield Finding(
            "next_deadline", True, _("The next issue has no deadline yet."),
            _("People who want to send news in must know until when they can."), field="next",
        )  # fmt: skip
    yield from check_accent(content.frame.accent)


def check_accent(accent: str) -> Iterator[Finding]:
    """Whether words in the list's colour can be read (WCAG 2.2, 1.4.3). What cannot be made out to be a colour is
    said by the mail's own checks."""
    try:
        shown = palette(accent).light
    except Invalid:
        return
    if contrast(shown.accent, shown.sheet) < TEXT_CONTRAST or contrast(shown.accent, shown.on_accent) < TEXT_CONTRAST:
        yield Finding("accent", True, _("Words in the newsletter’s colour cannot be read."), excerpt=accent)
    elif contrast(accent, shown.sheet) < TEXT_CONTRAST:
        words = _("The newsletter’s colour {accent} is too pale to read: the mail shows {shown} instead.")
        yield Finding("accent_changed", False, words.format(accent=accent, shown=shown.accent), exact=accent)


def _is_help_line(block: BlockContent) -> bool:
    """A section of the mail that speaks of danger and has a phone number."""
    if block.where is Where.WEB or block.kind in ("masthead", "footer"):
        return False
    text = " ".join(words_of(text) for _path, text in every_text(block.data))
    return _DANGER.search(text) is not None and _NUMBER.search(text) is not None
