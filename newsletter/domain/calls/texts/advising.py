"""What the checks of an issue would say of one contribution: advice to its writer, which stops nobody."""

from dataclasses import replace
from datetime import datetime

from ....models import Issue
from ....rendering.content import BlockContent, IssueContent
from ...issues.checking import Finding, check_text
from ...issues.checking.passages import addresses_of
from ...issues.checking.registry import Family
from ...issues.checking.surroundings import surroundings
from ...issues.content import frame
from .items import Piece

#: What a writer can mend; the rest is the editors' business.
_FAMILIES = frozenset({Family.PEOPLE, Family.CONTACTS, Family.LINKS, Family.DATES, Family.WORDS})
_MOST = 8


def advice(issue: Issue, piece: Piece, now: datetime) -> list[Finding]:
    """What is worth a look in the piece before it is sent, what would stop an issue first. Reads only."""
    block = BlockContent("contribution", piece.kind, dict(piece.data))
    # The subject and the preview text are the editors' own.
    content = IssueContent((block,), replace(frame(issue), subject="", preheader=""))
    around = surroundings(issue, (link.url for link in addresses_of(block)), now)
    found = [each for each in check_text(content, around) if each.block_id == block.id and each.family in _FAMILIES]
    single = {(each.sentence, each.excerpt): each for each in found}
    return sorted(single.values(), key=lambda each: not each.blocking)[:_MOST]
