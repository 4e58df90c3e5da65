"""One draft that was written in two windows: both texts side by side, and one of them kept, or both."""

from datetime import datetime

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from ...db import transaction
from ...domain.calls.handing_in import drafting
from ...domain.calls.texts import items, revisions
from ...domain.calls.texts.items import Item, Page, Piece
from ...errors import Problem, Refused
from ...i18n import gettext as _
from ...models import Contribution
from .room import key_page

#: What the button posts as `do`.
KEEP_BOTH = "both"


def page_of(found: Contribution, item: Item, page: Page, mine: Piece, why: str = "") -> Response:
    """The text of this window beside that of the other: nothing was written over. `why` says what could not be done."""
    asked = {each.name for each in item.fields_on(page)}

    def rows(piece: Piece) -> list[tuple[str, str]]:
        return [(field.label, words) for field, words in items.rows_of(piece) if field.name in asked]

    posted_again = [(name, value) for name, value in request.form.items(multi=True) if name.startswith("d.")]
    return key_page(
        "question_both", 409, issue=found.issue, contribution=found, step=page, posted=posted_again,
        mine=rows(items.cleaned(mine)), theirs=rows(revisions.piece_of(found)),
        problems=[Problem("", why)] if why else [],
    )  # fmt: skip


def keep_both(found: Contribution, item: Item, page: Page, mine: Piece, now: datetime) -> Response:
    """This window's text becomes a draft of its own, which is shown; the other is where it was."""
    try:
        with transaction():
            made = drafting.keep_both(found, mine, now=now).public_id
    except Refused as error:
        return page_of(found, item, page, mine, str(error))
    flash(_("Both are kept, as two drafts. Here is the one from this window; send one or both."), "success")
    return redirect(url_for(".question", public_id=made, step=page.name), 303)
