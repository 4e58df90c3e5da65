"""The kinds of block, in the order of the palette."""

from collections.abc import Mapping
from types import MappingProxyType

from newsletter.errors import NotFound
from newsletter.i18n import gettext as _

from .base import BlockKind
from .footer import Footer
from .masthead import Masthead
from .section import Section

_ALL: tuple[BlockKind, ...] = (
    Section(),
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
