"""What the editor of formatted words knows from the server."""

from newsletter.rendering.checks import VAGUE_WORDS

from .room import blueprint


@blueprint.app_template_global("vague_words")
def vague_words() -> list[str]:
    """Words of a link that say nothing of where it leads; the checks refuse them, and the editor asks at once."""
    return sorted(VAGUE_WORDS)
