"""The kinds of block, in the order of the palette."""

from collections.abc import Mapping
from types import MappingProxyType

from newsletter.errors import NotFound
from newsletter.i18n import gettext as _

from .ask_views import AskViews
from .base import BlockKind
from .call import Call
from .compare import Compare
from .contact import Contact
from .divider import Divider
from .event import Event
from .findings import Findings
from .footer import Footer
from .image import Image
from .image_text import ImageText
from .in_this_issue import InThisIssue
from .join_list import JoinList
from .key_dates import KeyDates
from .masthead import Masthead
from .news_in_brief import NewsInBrief
from .notice import NoticeBlock
from .people_news import PeopleNews
from .policy_update import PolicyUpdate
from .priorities import Priorities
from .quote import Quote
from .resources import Resources
from .section import Section
from .statistic import Statistic
from .steps import Steps
from .table import Table
from .video import Video

_ALL: tuple[BlockKind, ...] = (
    Section(),
    Findings(),
    Priorities(),
    Steps(),
    Compare(),
    NewsInBrief(),
    Resources(),
    Image(),
    ImageText(),
    Video(),
    Divider(),
    Statistic(),
    Table(),
    NoticeBlock(),
    PolicyUpdate(),
    Event(),
    KeyDates(),
    InThisIssue(),
    Contact(),
    PeopleNews(),
    Quote(),
    AskViews(),
    JoinList(),
    Call(),
    Masthead(),
    Footer(),
)

#: Every kind by its name in data. The palette shows them in this order.
KINDS: Mapping[str, BlockKind] = MappingProxyType({each.kind: each for each in _ALL})


def kind(name: str) -> BlockKind:
    """The kind of that name. Raises NotFound for any other."""
    try:
        return KINDS[name]
    except (KeyError, TypeError):
        raise NotFound(_("There is no kind of section called “{name}”.").format(name=str(name)[:60])) from None
