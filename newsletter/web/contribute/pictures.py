"""A contributor's picture: remade without what a camera writes into it, bounded in size, and in number each day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import request

from ...db import transaction
from ...domain.calls.handing_in.mail_pictures import MailPictures
from ...domain.calls.texts.sent_pictures import MOST, Came, checked_alt
from ...domain.issues import pictures
from ...domain.issues.documents.picturing import WordPicture
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...models import Contributor
from ...rendering.pictures import Picture, remake
from ..limits import Limit, hashed, network_of, within

#: The file's control, and that of what it shows.
PICTURE, ALT = "picture", "alt"
_MOST_A_DAY = 20
_DAY = timedelta(hours=24)
#: A day, for all who are not signed in: each is kept, and nobody knows from whom it is.
_MOST_FROM_STRANGERS = 200


def stored_upload(field: str, contributor: Contributor, now: datetime) -> str:
    """The name of the picture that came with the form; "" where none did.

    `field` is the one that holds the name, where a problem is shown. Raises Invalid, in a sentence, for what is no
    picture that mail programs show, and for too many a day.
    """
    made = _upload(field, contributor, now)
    if made is None:
        return ""
    with transaction():
        return pictures.store_picture(made, actor=None, now=now).name


def came_with(field: str, contributor: Contributor | None, now: datetime) -> Came | None:
    """The picture in the form with what was typed that it shows; None where no file came. Nothing is kept yet.

    Raises Invalid as `stored_upload` does, and at "alt" for a description that is too long.
    """
    alt = checked_alt(request.form.get(ALT, ""))
    made = _upload(field, contributor, now)
    return Came(made, alt) if made is not None else None


def of_document(
    name: str, found: Sequence[WordPicture], contributor: Contributor | None, now: datetime
) -> MailPictures:
    """The pictures of a Word file, as many as may come in today. Nothing is kept yet."""
    taken = MailPictures()
    for each in found:
        if len(taken.came) < MOST and within(_limits(contributor), now):
            taken.take(name, each.content, each.words)
        else:
            taken.left.append(name)
    return taken


def chosen() -> bool:
    """Whether the form came with a picture."""
    upload = request.files.get(PICTURE)
    return upload is not None and bool(upload.filename)


def _upload(field: str, contributor: Contributor | None, now: datetime) -> Picture | None:
    if not chosen():
        return None
    if not within(_limits(contributor), now):
        raise Invalid([Problem(field, _("A lot of pictures came today. Send this one tomorrow."))])
    try:
        with request.files[PICTURE].stream as stream:
            return remake(stream.read())
    except Invalid as error:
        raise Invalid([Problem(field, each.sentence) for each in error.problems]) from None


def _limits(contributor: Contributor | None) -> list[Limit]:
    if contributor is not None:
        return [(f"contributor pictures:{contributor.id}", _MOST_A_DAY, _DAY)]
    network = hashed(network_of(request.remote_addr))
    return [
        (f"contribution pictures network:{network}", _MOST_A_DAY, _DAY),
        ("contribution pictures everywhere:", _MOST_FROM_STRANGERS, _DAY),
    ]
