"""A contributor's picture: remade without what a camera writes into it, bounded in size, and in number each day."""

from datetime import datetime, timedelta

from flask import request

from ...db import transaction
from ...domain.issues import pictures
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...models import Contributor
from ...rendering.pictures import remake
from ..limits import Limit, within

#: The file's control.
PICTURE = "picture"
_MOST_A_DAY = 20
_DAY = timedelta(hours=24)


def stored_upload(field: str, contributor: Contributor, now: datetime) -> str:
    """The name of the picture that came with the form; "" where none did.

    `field` is the one that holds the name, where a problem is shown. Raises Invalid, in a sentence, for what is no
    picture that mail programs show, and for too many a day.
    """
    upload = request.files.get(PICTURE)
    if upload is None or not upload.filename:
        return ""
    limit: Limit = (f"contributor pictures:{contributor.id}", _MOST_A_DAY, _DAY)
    if not within([limit], now):
        raise Invalid([Problem(field, _("You sent a lot of pictures today. Send this one tomorrow."))])
    try:
        with upload.stream as stream:
            made = remake(stream.read())
    except Invalid as error:
        raise Invalid([Problem(field, each.sentence) for each in error.problems]) from None
    with transaction():
        return pictures.store_picture(made, actor=None, now=now).name
