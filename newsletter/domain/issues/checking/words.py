"""Slips of the pen: a word twice, two verbs where one belongs, an address that was left out, a link that got lost."""

import re
from collections.abc import Iterator

from ....i18n import gettext as _
from .excerpts import around, sentences, shortened
from .findings import Change, Finding, Fix
from .passages import Passage

_REPEATED = re.compile(r"\b([A-Za-z]{2,}|a)(,?\s+)\1\b", re.IGNORECASE)
#: "He had had enough" and "the fact that that happened" are English.
_MAY_REPEAT = frozenset({"had", "that", "bye", "ha"})
_TWO_VERBS = re.compile(
    r"\b\w+['’]d (?:would|should|had)\b|\b\w+['’]ll (?:will|shall)\b|\b\w+['’]ve have\b"
    r"|\b(?:should|would|could|must|can) (?:is|are|was|were|has)\b",
    re.IGNORECASE,
)
_EMAIL_LABEL = re.compile(r"\be-?mail(?: (?:us|me|them|to|at|address))*\s*:", re.IGNORECASE)
#: "Call:" and "please call:" want a number; "When you call:" leads on to a list.
_PHONE_LABEL = re.compile(
    r"\b(?:tel(?:ephone)?|phone)\s*:|(?:^|[.,;]\s+|\bplease )(?:ring|call|phone)(?: us| on)*\s*:", re.IGNORECASE
)
_LEADS_ON = re.compile(r"^(?:view|download|visit|click)\b", re.IGNORECASE)
_CLICK_HERE = re.compile(r"\bclick(?:ing)? (?:on )?(?:here|this link|the link)\b", re.IGNORECASE)
_REACH = 60


def check_words(passage: Passage) -> Iterator[Finding]:
    """The findings of one passage."""
    yield from _repeated(passage)
    yield from _two_verbs(passage)
    yield from _holes(passage)
    if not passage.heading:
        yield from _lost_links(passage)


def _repeated(passage: Passage) -> Iterator[Finding]:
    for found in _REPEATED.finditer(passage.text):
        if found[1].lower() in _MAY_REPEAT:
            continue
        change = Change(passage.field, found[0], found[1], rich=passage.rich)
        yield Finding(
            "repeated_word", False, "A word is repeated.",
            block_id=passage.block_id, field=passage.field, excerpt=around(passage.text, found), suggestion=found[1],
            fix=Fix(_("Keep one “{word}”").format(word=found[1]), (change,), safe=True),
        )  # fmt: skip


def _two_verbs(passage: Passage) -> Iterator[Finding]:
    for found in _TWO_VERBS.finditer(passage.text):
        yield Finding(
            "awkward_words", False, f"“{found[0]}” has a word too many.",
            block_id=passage.block_id, field=passage.field, excerpt=around(passage.text, found),
        )  # fmt: skip


def _holes(passage: Passage) -> Iterator[Finding]:
    mail_link = any(link.url.startswith("mailto:") for link in passage.links)
    phone_link = any(link.url.startswith("tel:") for link in passage.links)
    for found in _EMAIL_LABEL.finditer(passage.text):
        if not mail_link and "@" not in _after(passage, found)[:_REACH]:
            yield _hole(passage, found, "An email address is missing.")
    for found in _PHONE_LABEL.finditer(passage.text):
        if not phone_link and not re.search(r"\d(?:\D?\d){2}", _after(passage, found)[:30]):
            yield _hole(passage, found, "A phone number is missing.")


def _after(passage: Passage, found: re.Match[str]) -> str:
    rest = passage.text[found.end() :].strip()
    return rest or passage.follows


def _hole(passage: Passage, found: re.Match[str], sentence: str) -> Finding:
    return Finding(
        "empty_contact", True, sentence,
        why="People who want to reply would have nowhere to go.",
        block_id=passage.block_id, field=passage.field, excerpt=around(passage.text, found),
    )  # fmt: skip


def _lost_links(passage: Passage) -> Iterator[Finding]:
    for sentence in sentences(passage.text):
        linked = any(link.text in sentence for link in passage.links)
        if linked or passage.block.kind in ("event", "image"):
            continue
        if _LEADS_ON.match(sentence) or _CLICK_HERE.search(sentence):
            yield Finding(
                "lost_link", True, f"“{shortened(sentence)}” has no link.",
                why="The link may have been lost when the text was pasted.",
                block_id=passage.block_id, field=passage.field, excerpt=shortened(sentence, 120),
            )  # fmt: skip
