"""An issue for the frame beside its desk: the very same mail and web page, with each section's id on what it drew.

Nothing here is ever approved or sent: what goes out comes from `rendering.issue` and has no such marks.
"""

import re
from dataclasses import replace

from markupsafe import Markup

from newsletter.states import Where

from . import assembly, blocks, mjml
from .content import IssueContent

_ELEMENT = re.compile(r"<(mj-(?:section|text|button|image|divider|spacer|table))((?:\s[^<>]*?)?)(\s*/?)>")
_CLASS = re.compile(r'(\scss-class=")')
_MARK = re.compile(r'class="in--([0-9A-Za-z-]+) ?([^"]*)"')
_FIRST_TAG = re.compile(r"<([a-z][a-z0-9]*)")


def marked_mail(content: IssueContent) -> str:
    """The mail's HTML, with data-block on what each section drew. Raises as `rendering.issue.render` does."""
    content = assembly.prepared(content)
    context = assembly.context_of(content)
    parts = [
        replace(part, source=Markup(_marked(str(part.source), part.block.id)))  # noqa: S704 - a rendered partial
        for part in assembly.mail_parts(content, context)
    ]
    html = mjml.compile_mjml(assembly.laid_out(parts, context))
    return _MARK.sub(r'class="\2" data-block="\1"', html)


def marked_web(content: IssueContent) -> Markup:
    """The inside of the web page's article, with data-block on each section. Raises as `render` does."""
    content = assembly.prepared(content)
    context = assembly.context_of(content)
    shown = (block for block in content.blocks if block.where != Where.MAIL or blocks.kind(block.kind).fixed)
    return Markup("\n").join(_marked_web(blocks.kind(block.kind).web(block, context), block.id) for block in shown)


def _marked_web(web: Markup, block_id: str) -> Markup:
    # As a plain string: an expression would escape what it puts into Markup.
    return Markup(_FIRST_TAG.sub(rf'<\1 data-block="{block_id}"', str(web), count=1))  # noqa: S704 - a rendered partial


def render_text(content: IssueContent) -> str:
    """The text part alone: it needs no mail to be made. Raises as `render` does."""
    content = assembly.prepared(content)
    return assembly.text_of(content, assembly.context_of(content))


def _marked(source: str, block_id: str) -> str:
    """MJML whose elements carry the id in a class: the compiler lets nothing else through."""

    def mark(found: re.Match[str]) -> str:
        name, attributes, end = found.groups()
        if _CLASS.search(attributes):
            with_mark = _CLASS.sub(rf"\1in--{block_id} ", attributes, count=1)
            return f"<{name}{with_mark}{end}>"
        return f'<{name} css-class="in--{block_id}"{attributes}{end}>'

    return _ELEMENT.sub(mark, source)
