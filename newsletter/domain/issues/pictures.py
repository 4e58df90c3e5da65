"""Pictures: kept once, chosen for sections, thrown away where nobody uses them."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, cast, delete, exists, select

from ...db import db
from ...errors import Invalid, NotFound, Problem, Refused
from ...i18n import gettext as _
from ...models import (
    Account,
    Block,
    BlockRevision,
    Contribution,
    FollowUp,
    Issue,
    MailingList,
    Media,
    ReadDocument,
    Rendition,
)
from ...rendering.blocks import KINDS
from ...rendering.blocks import kind as kind_of
from ...rendering.content import IssueContent
from ...rendering.fields import FieldType
from ...rendering.picture_names import new_name
from ...rendering.pictures import Picture
from ...states import Where
from ..staff import activity
from .content import issue_content
from .editing import edit_block

_log = logging.getLogger(__name__)

#: All pictures of a mail together: more takes long on a phone, and some mail programs leave it out.
MOST_IN_MAIL = 1024 * 1024
_MB = 1024 * 1024
KEPT_FOR = timedelta(days=30)
#: The fields of each kind of section that hold a picture.
PICTURE_FIELDS = {
    kind.kind: tuple(field.name for field in kind.fields if field.type is FieldType.MEDIA) for kind in KINDS.values()
}


def store_picture(picture: Picture, *, actor: Account | None, now: datetime) -> Media:
    """Keep a picture that `rendering.pictures.remake` made (outside the transaction). The same bytes are one
    picture, however often they are uploaded."""
    digest = hashlib.sha256(picture.body).digest()
    found = db.session.scalar(select(Media).where(Media.sha256 == digest).order_by(Media.id).limit(1))
    if found is not None:
        found.deleted_at = None
        db.session.flush()
        return found
    media = Media(
        name=new_name(picture.width, picture.height, picture.suffix),
        content_type=picture.content_type,
        width=picture.width,
        height=picture.height,
        size=len(picture.body),
        sha256=digest,
        body=picture.body,
        created_at=now,
        created_by_id=actor.id if actor else None,
    )
    db.session.add(media)
    db.session.flush()
    activity.record("picture.added", actor=actor, now=now, subject=("picture", media.id), size=media.size)
    _log.info("Picture %s was added: %s bytes", media.id, media.size)
    return media


def find_picture(name: str) -> Media:
    """The picture of that name, thrown away or not. Raises NotFound."""
    # PostgreSQL takes no NUL in a text, not even to compare with.
    found = db.session.scalar(select(Media).where(Media.name == name)) if "\0" not in name else None
    if found is None:
        raise NotFound(_("There is no such picture."))
    return found


# --- choosing ------------------------------------------------------------------------------------------------


def choose_picture(
    block: Block,
    field: str,
    media: Media,
    *,
    alt: str,
    decorative: bool,
    expected_version: int,
    actor: Account | None,
    now: datetime,
) -> Block:
    """Put a picture into a section, with its description where the section has room for one.

    Raises Invalid for a picture without a description that is not marked as decoration, NotFound where the
    section has no such field, and what `edit_block` raises.
    """
    if field not in PICTURE_FIELDS.get(block.kind, ()):
        raise NotFound(_("This section has no place for a picture."))
    data = {**kind_of(block.kind).clean(block.data), field: media.name}
    if describes(block.kind):
        data |= described(alt, decorative=decorative)
    return edit_block(block, data, expected_version=expected_version, actor=actor, now=now)


def describes(kind: str) -> bool:
    """Whether sections of this kind say in words what their picture shows."""
    return "alt" in {field.name for field in kind_of(kind).fields}


def described(alt: str, *, decorative: bool) -> dict[str, Any]:
    """The fields for a description; Invalid where nothing is said and the picture is no decoration."""
    words = " ".join(alt.split())
    if not words and not decorative:
        raise Invalid([Problem("alt", _("Describe the picture in words, or mark it as decoration."))])
    return {"alt": "" if decorative else words, "decorative": decorative}


# --- where they are used ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Use:
    """A section that shows a picture: its issue, and the description that it has there."""

    issue: Issue
    block: Block
    alt: str


def uses(pictures: Sequence[Media]) -> dict[str, list[Use]]:
    """The sections that show each of these pictures, by its name, in the issues of the newest first."""
    found: dict[str, list[Use]] = {picture.name: [] for picture in pictures}
    kinds = [kind for kind, fields in PICTURE_FIELDS.items() if fields]
    rows = db.session.execute(
        select(Block, Issue)
        .join(Issue, Issue.id == Block.issue_id)
        .where(Block.kind.in_(kinds), Block.deleted_at.is_(None))
        .order_by(Issue.id.desc(), Block.position)
    )
    for block, issue in rows:
        for name in names_in(block.kind, block.data):
            if name in found:
                found[name].append(Use(issue, block, str(block.data.get("alt", ""))))
    return found


def names_in(kind: str, data: dict[str, Any]) -> Iterator[str]:
    """The names of the pictures in a section's data."""
    for field in PICTURE_FIELDS.get(kind, ()):
        if isinstance(data.get(field), str) and data[field]:
            yield data[field]


@dataclass(frozen=True)
class Weight:
    """What the pictures of a mail weigh together, in bytes."""

    size: int
    pictures: int

    @property
    def too_much(self) -> bool:
        return self.size > MOST_IN_MAIL


def weight(issue: Issue) -> Weight:
    """What readers' mail programs fetch with this issue: the pictures of its mail, and the list's mark."""
    return weight_of(issue_content(issue))


def weight_of(content: IssueContent) -> Weight:
    """`weight` of content that was read already."""
    shown = (block for block in content.blocks if block.where != Where.WEB)
    names = {name for block in shown for name in names_in(block.kind, block.data)}
    if content.frame.logo:
        names.add(content.frame.logo.src.removeprefix(content.frame.media_base))
    sizes = db.session.scalars(select(Media.size).where(Media.name.in_(names))).all()
    return Weight(sum(sizes), len(sizes))


def size_words(size: int) -> str:
    """ "85 KB", "1.2 MB"."""
    if size >= _MB:
        return _("{number} MB").format(number=f"{size / _MB:.1f}".removesuffix(".0"))
    return _("{number} KB").format(number=max(1, round(size / 1024)))


# --- throwing away ---------------------------------------------------------------------------------------------


def delete_picture(media: Media, *, actor: Account | None, now: datetime) -> None:
    """Throw a picture away that nothing uses; `undo_delete` brings it back for thirty days.

    Raises Refused, with what still uses it.
    """
    db.session.refresh(media)
    if media.deleted_at is not None:
        return
    if holder := _held_by(media):
        raise Refused(holder)
    media.deleted_at = now
    db.session.flush()
    activity.record("picture.deleted", actor=actor, now=now, subject=("picture", media.id))
    _log.info("Picture %s was thrown away", media.id)


def undo_delete(media: Media, *, actor: Account | None, now: datetime) -> None:
    """Take a picture back that was thrown away."""
    db.session.refresh(media)
    if media.deleted_at is None:
        return
    media.deleted_at = None
    db.session.flush()
    activity.record("picture.restored", actor=actor, now=now, subject=("picture", media.id))
    _log.info("Picture %s was taken back", media.id)


def forget_deleted(now: datetime) -> int:
    """Let go of pictures that were thrown away thirty days ago, unless something uses them again; how many went."""
    old = db.session.scalars(select(Media).where(Media.deleted_at < now - KEPT_FOR)).all()
    gone = [media.id for media in old if not _held_by(media)]
    if gone:
        db.session.execute(delete(Media).where(Media.id.in_(gone)))
        _log.info("%s pictures that were thrown away are gone", len(gone))
    return len(gone)


def is_held(media: Media) -> bool:
    """Whether anything shows it or may come back to it, so that it cannot be thrown away."""
    return bool(_held_by(media))


def _held_by(media: Media) -> str:
    """Why a picture cannot be thrown away, in a sentence; "" where nothing holds it."""
    used = uses([media])[media.name]
    if used:
        return _("“{issue}” shows this picture. Take it out there first.").format(issue=used[0].issue.title)
    if db.session.scalar(select(exists().where(MailingList.logo_id == media.id))):
        return _("It is the mark at the head of a newsletter. Choose another one there first.")
    kept = (
        (Rendition.media, _("It stands in an issue that was approved or sent.")),
        (Block.data, _("A section in the bin shows it. It can go when the bin is emptied.")),
        (BlockRevision.data, _("An earlier version of an issue shows it, and could be taken back.")),
        (FollowUp.data, _("Something that waits for the next issue shows it.")),
        (ReadDocument.data, _("A document that is being brought in shows it.")),
        (Contribution.data, _("Something that was sent in shows it.")),
        (Contribution.pictures, _("Something that was sent in shows it.")),
    )
    for column, sentence in kept:
        if db.session.scalar(select(exists().where(cast(column, Text).contains(media.name, autoescape=True)))):
            return sentence
    return ""
