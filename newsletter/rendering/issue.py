"""A whole issue: its mail, its text part and its web page, from the same blocks."""

from dataclasses import dataclass

from markupsafe import Markup

from . import assembly, mjml
from .content import IssueContent
from .reading import Anchor, anchors
from .validation import BlockProblem, validate_issue

__all__ = ["Anchor", "BlockProblem", "Rendered", "render", "render_mjml", "validate_issue"]


@dataclass(frozen=True)
class Rendered:
    """An issue in all its forms. `html` and `text` still hold the merge fields; `web` is the inside of an article.

    `links` are the addresses in the mail, each once, in order; `anchors` say the words and the block of every
    link. `size` is that of `html` in bytes of UTF-8.
    """

    html: str
    text: str
    web: Markup
    mjml: str
    links: tuple[str, ...]
    anchors: tuple[Anchor, ...]

    @property
    def size(self) -> int:
        return len(self.html.encode())


def render(content: IssueContent) -> Rendered:
    """Every form of an issue; a draft with holes in it too.

    Raises Invalid where a block's data has the wrong shape (the field is "blocks.<id>.<path>"), and where the
    mail cannot be made of it. Raises NotFound for a kind that does not exist.
    """
    content = assembly.prepared(content)
    context = assembly.context_of(content)
    parts = assembly.mail_parts(content, context)
    source = assembly.laid_out(parts, context)
    found = tuple(anchor for part in parts for anchor in anchors(part.source, part.block.id))
    return Rendered(
        html=mjml.compile_mjml(source),
        text=assembly.text_of(content, context),
        web=assembly.web_of(content, context),
        mjml=source,
        links=tuple(dict.fromkeys(anchor.url for anchor in found)),
        anchors=found,
    )


def render_mjml(content: IssueContent) -> str:
    """The MJML of an issue, not compiled. Raises as `render` does."""
    content = assembly.prepared(content)
    context = assembly.context_of(content)
    return assembly.laid_out(assembly.mail_parts(content, context), context)
