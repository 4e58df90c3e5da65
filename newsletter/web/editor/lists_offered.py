"""The lists that a section can offer to readers, for the form of "Join this list"."""

from newsletter.domain.subscribers import offering
from newsletter.i18n import gettext as _

from .room import blueprint


@blueprint.app_template_global("lists_to_join")
def lists_to_join(chosen: str) -> list[dict[str, object]]:
    """The options of the select; one that is no longer public stays as it was chosen."""
    known = {one.slug: one.name for one in offering.public_lists()}
    if chosen and chosen not in known:
        known[chosen] = chosen
    return [
        {"value": "", "text": _("Choose a list")},
        *({"value": slug, "text": name, "selected": slug == chosen} for slug, name in known.items()),
    ]
