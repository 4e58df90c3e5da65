"""Pictures of an issue: kept once, described when they are chosen, and thrown away only where nobody uses them."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.domain.issues import approving, editing, pictures, renditions
from newsletter.domain.issues.checking import run_checks
from newsletter.errors import Conflict, Invalid, NotFound, Refused
from newsletter.jobs import purge_unconfirmed
from newsletter.models import Activity, Block, Issue, Media
from newsletter.rendering.pictures import Picture, remake
from tests.domain import issue_makers
from tests.pictures import drawing, photograph

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def desk(app: Flask, now: datetime) -> issue_makers.Desk:
    return issue_makers.desk(now)


@pytest.fixture
def issue(desk: issue_makers.Desk, now: datetime) -> Issue:
    return issue_makers.written(desk, now)


def stored(desk: issue_makers.Desk, now: datetime, content: bytes = b"") -> Media:
    made = remake(content or photograph(1300, 650))
    with transaction():
        return pictures.store_picture(made, actor=desk.ruth, now=now)


def empty_picture(issue: Issue, desk: issue_makers.Desk, now: datetime, kind: str = "image") -> Block:
    with transaction():
        return editing.add_block(issue, kind, position=3, actor=desk.ruth, now=now)


def chosen(block: Block, media: Media, desk: issue_makers.Desk, now: datetime, alt: str = "A lake") -> Block:
    with transaction():
        return pictures.choose_picture(
            block, "media", media, alt=alt, decorative=False, expected_version=block.version, actor=desk.ruth, now=now
        )


def test_the_same_picture_is_kept_once(desk: issue_makers.Desk, now: datetime) -> None:
    first, again, other = stored(desk, now), stored(desk, now), stored(desk, now, drawing())
    assert first.id == again.id != other.id
    assert (first.width, first.height, first.size) == (1200, 600, len(first.body))
    assert first.name.endswith("-1200x600.jpg")
    assert db.session.query(Activity).filter_by(action="picture.added").count() == 2


def test_whoever_chooses_a_picture_says_what_it_shows(issue: Issue, desk: issue_makers.Desk, now: datetime) -> None:
    media, block = stored(desk, now), empty_picture(issue, desk, now)
    with pytest.raises(Invalid, match=r"Describe the picture in words, or mark it as decoration\."):
        chosen(block, media, desk, now, alt="  ")
    chosen(block, media, desk, now, alt=" A lake \n at noon ")
    assert block.data == {"media": media.name, "alt": "A lake at noon", "decorative": False, "caption": ""}
    assert not [each for each in run_checks(issue, now) if each.block_id == str(block.id)]

    with transaction():
        pictures.choose_picture(
            block, "media", media, alt="kept for nobody", decorative=True, expected_version=block.version,
            actor=desk.ruth, now=now,
        )  # fmt: skip
    assert (block.data["alt"], block.data["decorative"]) == ("", True)


def test_a_film_has_a_title_and_needs_no_description(issue: Issue, desk: issue_makers.Desk, now: datetime) -> None:
    media, block = stored(desk, now), empty_picture(issue, desk, now, "video")
    chosen(block, media, desk, now, alt="")
    assert block.data["media"] == media.name


def test_a_section_without_a_place_for_one_takes_none(issue: Issue, desk: issue_makers.Desk, now: datetime) -> None:
    media, block = stored(desk, now), empty_picture(issue, desk, now, "quote")
    with pytest.raises(NotFound):
        chosen(block, media, desk, now)


def test_somebody_else_s_words_are_not_written_over(issue: Issue, desk: issue_makers.Desk, now: datetime) -> None:
    media, block = stored(desk, now), empty_picture(issue, desk, now)
    with transaction():
        editing.edit_block(block, {"caption": "By the lake"}, expected_version=1, actor=desk.ewan, now=now)
    with pytest.raises(Conflict), transaction():
        pictures.choose_picture(
            block, "media", media, alt="A lake", decorative=False, expected_version=1, actor=desk.ruth, now=now
        )
    db.session.refresh(block)
    assert block.data["caption"] == "By the lake"


def test_choosing_another_picture_ends_an_approval(desk: issue_makers.Desk, now: datetime) -> None:
    issue = issue_makers.written(desk, now)
    first, block = stored(desk, now), empty_picture(issue, desk, now)
    chosen(block, first, desk, now)
    before = approving.prepare(issue, now)
    assert before.media[first.name] == first.sha256.hex()
    second = stored(desk, now, drawing())
    chosen(block, second, desk, now)
    after = approving.prepare(issue, now)
    assert after.content_hash != before.content_hash
    assert first.name not in after.media


def test_the_weight_is_that_of_the_mail(issue: Issue, desk: issue_makers.Desk, now: datetime) -> None:
    media, block = stored(desk, now), empty_picture(issue, desk, now)
    assert pictures.weight(issue) == pictures.Weight(0, 0)
    chosen(block, media, desk, now)
    assert pictures.weight(issue) == pictures.Weight(media.size, 1)
    assert not pictures.weight(issue).too_much
    with transaction():
        editing.edit_block(
            block, block.data, expected_version=block.version, common={"where": "web"}, actor=desk.ruth, now=now
        )
    assert pictures.weight(issue) == pictures.Weight(0, 0)
    assert pictures.Weight(pictures.MOST_IN_MAIL + 1, 3).too_much


def test_a_mail_with_heavy_pictures_is_worth_a_look(issue: Issue, desk: issue_makers.Desk, now: datetime) -> None:
    media, block = stored(desk, now), empty_picture(issue, desk, now)
    chosen(block, media, desk, now)

    def heavy() -> list[tuple[bool, str]]:
        return [(each.blocking, each.sentence) for each in run_checks(issue, now) if each.code == "heavy_pictures"]

    assert heavy() == []
    with transaction():
        media.size = 1_200_000
    assert heavy() == [(False, "The pictures of the mail have 1.1 MB together; 1 MB is the most that reads well.")]


def test_a_picture_says_where_it_is_used(issue: Issue, desk: issue_makers.Desk, now: datetime) -> None:
    media, other, block = stored(desk, now), stored(desk, now, drawing()), empty_picture(issue, desk, now)
    chosen(block, media, desk, now)
    found = pictures.uses([media, other])
    assert [(each.issue.title, each.alt) for each in found[media.name]] == [("December 2026", "A lake")]
    assert found[other.name] == []


def test_only_what_nobody_uses_is_thrown_away(issue: Issue, desk: issue_makers.Desk, now: datetime) -> None:
    media, block = stored(desk, now), empty_picture(issue, desk, now)
    chosen(block, media, desk, now)

    def refused() -> str:
        with pytest.raises(Refused) as because, transaction():
            pictures.delete_picture(media, actor=desk.ruth, now=now)
        return str(because.value)

    assert refused() == "“December 2026” shows this picture. Take it out there first."
    with transaction():
        editing.delete_block(block, actor=desk.ruth, now=now)
    assert refused() == "A section in the bin shows it. It can go when the bin is emptied."
    with transaction():
        editing.undo_delete(block, actor=desk.ruth, now=now)
        editing.edit_block(block, {}, expected_version=block.version, actor=desk.ruth, now=now)
    assert refused() == "An earlier version of an issue shows it, and could be taken back."
    with transaction():
        desk.mailing_list.logo_id = media.id
    assert refused() == "It is the mark at the head of a newsletter. Choose another one there first."


def test_what_was_approved_holds_its_pictures(desk: issue_makers.Desk, now: datetime) -> None:
    issue = issue_makers.approved(desk, now)
    media = stored(desk, now)
    with transaction():
        rendition = issue.rendition or renditions.keep(approving.prepare(issue, now), now)
        rendition.media = {media.name: media.sha256.hex()}
    with pytest.raises(Refused, match="approved or sent"), transaction():
        pictures.delete_picture(media, actor=desk.ruth, now=now)


def test_a_mistake_is_undone_and_after_thirty_days_it_is_gone(desk: issue_makers.Desk, now: datetime) -> None:
    media, other = stored(desk, now), stored(desk, now, drawing())
    with transaction():
        pictures.delete_picture(media, actor=desk.ruth, now=now)
        pictures.delete_picture(other, actor=desk.ruth, now=now)
    assert media.deleted_at == now
    with transaction():
        pictures.undo_delete(media, actor=desk.ruth, now=now)
    with transaction():
        assert pictures.forget_deleted(now + timedelta(days=30)) == 0
        assert pictures.forget_deleted(now + timedelta(days=30, seconds=1)) == 1
    assert db.session.query(Media).all() == [media]
    actions = [each.action for each in db.session.query(Activity).filter_by(subject_id=str(media.id))]
    assert actions == ["picture.added", "picture.deleted", "picture.restored"]


def test_uploaded_again_it_is_back(desk: issue_makers.Desk, now: datetime) -> None:
    media = stored(desk, now)
    with transaction():
        pictures.delete_picture(media, actor=desk.ruth, now=now)
    assert stored(desk, now).id == media.id
    assert media.deleted_at is None


def test_what_was_thrown_away_and_is_used_again_stays(issue: Issue, desk: issue_makers.Desk, now: datetime) -> None:
    media = stored(desk, now)
    with transaction():
        pictures.delete_picture(media, actor=desk.ruth, now=now - timedelta(days=31))
    with transaction():  # somebody had the page with this picture open
        editing.add_block(issue, "image", {"media": media.name}, actor=desk.ruth, now=now)
    purge_unconfirmed()
    assert db.session.query(Media).one().name == media.name


def test_a_picture_is_plain_bytes_before_it_is_kept() -> None:
    made = remake(drawing())
    assert isinstance(made, Picture)
    assert made.body.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["nothing.png", "a\0b.png", ""])
def test_what_is_not_there_is_not_found(name: str) -> None:
    with pytest.raises(NotFound):
        pictures.find_picture(name)
