"""What was read is shown first: Ruth keeps, merges, changes the kind, leaves out; and only then is it written."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.domain.issues.documents import Document, ProposedBlock, import_document, keeping, read_document
from newsletter.domain.issues.documents.changing import as_section, offers
from newsletter.domain.issues.documents.choosing import Choice, Decision, chosen, groups
from newsletter.domain.issues.documents.completeness import LABELS, texts, words
from newsletter.errors import NotFound, Refused
from newsletter.models import ReadDocument
from newsletter.rendering.blocks import kind
from tests.domain.issue_makers import AUTUMN, desk, draft, kinds
from tests.fixtures.documents.make_word import FILE

BODIES = {
    "findings": "<p>We looked.</p><h3>One</h3><p>First.</p><h3>Two</h3><ul><li>Second</li></ul>",
    "priorities": "<p>Our priorities are to:</p><ul><li>listen</li><li>act</li></ul><p>That is all.</p>",
    "ask_views": "<p>We met on 2 May 2026. Tell us your views at "
    '<a href="https://example.org/survey">our survey</a> by 5 March 2027.</p>',
    "policy_update": "<p>Chapter 4 of the procedures changes on 5 March 2027.</p>",
    "notice": "<p>The office moves on 5 March 2027.</p>",
    "people_news": "<p>Omar Khan will be leaving his role as Independent Chair on 31 January 2027. We thank him.</p>",
    "resources": '<p><a href="https://example.org/a">A guide</a></p><ul><li><a href="https://example.org/b">A film</a>'
    "</li></ul>",
    "call": "<p>Send us your news for the newsletter.</p>",
}


def _section(body: str) -> ProposedBlock:
    return ProposedBlock("section", {"heading": "A heading", "body": body})


@pytest.mark.parametrize("name", BODIES)
def test_words_that_fit_a_kind_are_offered_as_it(name: str) -> None:
    assert name in [each.kind for each in offers(_section(BODIES[name]))]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("findings", "<h3>One</h3><p>First.</p>"),
        ("findings", "<h3>One</h3><h3>Two</h3><p>Second.</p>"),
        ("priorities", "<p>Our priorities are to</p><ul><li>listen</li><li>act</li></ul>"),
        ("priorities", '<p>Our priorities:</p><ul><li><a href="https://example.org/">listen</a></li><li>act</li></ul>'),
        ("priorities", "<p>Our priorities:</p><ul><li>listen<ul><li>well</li></ul></li><li>act</li></ul>"),
        ("ask_views", "<p>Tell us your views.</p>"),
        ("policy_update", "<p>The chapters change on 1 May 2027 and on 2 May 2027.</p>"),
        ("notice", "<p>The office moves in May.</p>"),
        ("people_news", "<p>Omar Khan is leaving on 31 January 2027.</p>"),
        ("resources", '<p>See <a href="https://example.org/a">a guide</a></p>'),
        ("call", "<p>Nothing to send.</p>"),
    ],
)
def test_words_that_do_not_fit_are_not(name: str, body: str) -> None:
    assert name not in [each.kind for each in offers(_section(body))]


def _words(block: ProposedBlock) -> dict[str, int]:
    there: dict[str, int] = {}
    for text in texts(kind(block.kind).fields, kind(block.kind).clean(block.data)):
        for word, number in words(text).items():
            there[word] = there.get(word, 0) + number
    return {word: number for word, number in there.items() if word not in LABELS}


@pytest.mark.parametrize(
    "block",
    [
        *map(_section, BODIES.values()),
        *read_document(FILE.read_bytes()).proposals,
        *read_document(AUTUMN.read_bytes()).proposals,
    ],
)
def test_no_change_of_kind_loses_a_word(block: ProposedBlock) -> None:
    wanted = _words(block)
    for each in offers(block):
        kind(each.kind).clean(each.data)
        there = _words(each)
        assert {word: number for word, number in wanted.items() if there.get(word, 0) < min(number, 1)} == {}, each.kind


def test_merging_puts_a_section_under_the_one_above_it() -> None:
    document = Document((_section("<p>One.</p>"), _section("<p>Two.</p>"), _section("<p>Three.</p>")))
    merged = groups(document, [Choice(Decision.MERGE), Choice(Decision.MERGE), Choice(Decision.DROP)])
    assert [(number, block.data["body"]) for number, block in merged] == [
        (0, "<p>One.</p><h3>A heading</h3><p>Two.</p>"),
    ]  # fmt: skip
    call = ProposedBlock("call", {"heading": "News", "intro": "<p>Write.</p>"})
    (whole,) = groups(Document((call, _section("<p>Two.</p>"))), [Choice(), Choice(Decision.MERGE)])
    assert whole[1] == ProposedBlock("call", {"heading": "News", "intro": "<p>Write.</p><h3>A heading</h3><p>Two.</p>"})


def test_a_kind_that_does_not_fit_changes_nothing() -> None:
    document = Document((_section("<p>One.</p>"),))
    assert groups(document, [Choice(kind="findings")]) == [(0, document.proposals[0])]
    assert as_section(document.proposals[0]) == document.proposals[0]


def test_words_without_a_place_can_be_a_section_and_nothing_is_no_import() -> None:
    document = Document((_section("<p>One.</p>"),), unplaced=("Lost <words>",))
    everything = chosen(document, [Choice(Decision.DROP)], with_unplaced=True)
    assert [each.data["body"] for each in everything.proposals] == ["<p>Lost &lt;words&gt;</p>"]
    assert everything.unplaced == ()
    with pytest.raises(Refused, match="nothing to bring in"):
        chosen(document, [Choice(Decision.DROP)])


def test_a_read_document_waits_a_day_for_the_person_who_read_it(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    document = read_document(FILE.read_bytes())
    with transaction():
        keeping.keep_document(issue, document, name="old.docx", actor=d.ruth, now=now)
        row = keeping.keep_document(issue, document, name="larkmere.docx", actor=d.ruth, now=now)
        keeping.keep_choices(row, [Choice(Decision.DROP), Choice(kind="section")], with_unplaced=False)
        public_id = row.public_id
    assert db.session.query(ReadDocument).count() == 1
    found = keeping.find_document(issue, public_id, actor=d.ruth, now=now + timedelta(hours=23))
    assert keeping.document_of(found) == document
    assert not keeping.wants_unplaced(found)
    assert keeping.choices_of(found) == [Choice(Decision.DROP), Choice(kind="section")]
    for who, when in ((d.ewan, now), (d.ruth, now + timedelta(days=1))):
        with pytest.raises(NotFound):
            keeping.find_document(issue, public_id, actor=who, now=when)
    with transaction():
        keeping.forget_old(now + timedelta(hours=23))
        assert db.session.query(ReadDocument).count() == 1
        keeping.forget_old(now + timedelta(days=1))
    assert db.session.query(ReadDocument).count() == 0


def test_what_was_chosen_is_what_is_written(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    document = read_document(FILE.read_bytes())
    decided = chosen(document, [Choice(kind="findings"), Choice(kind="section"), Choice(), Choice(Decision.MERGE)])
    with transaction():
        import_document(issue, decided, actor=d.ruth, now=now)
    assert kinds(issue) == [
        "masthead", "in_this_issue", "findings", "section", "section", "section", "key_dates", "call", "footer",
    ]  # fmt: skip
    assert "bethan@example.org" in issue.blocks[4].data["body"]
