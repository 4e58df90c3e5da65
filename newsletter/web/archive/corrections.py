"""Dated corrections on the page of an issue: all of them at its top, and each by the section it is about."""

import re
from collections.abc import Sequence

from flask import render_template
from markupsafe import Markup

from newsletter.domain.issues.content import issue_content
from newsletter.domain.issues.correcting import corrections_of
from newsletter.errors import Invalid
from newsletter.models import Correction, Issue
from newsletter.rendering.assembly import context_of, prepared


def with_corrections(issue: Issue, article: Markup) -> Markup:
    """The article with its corrections; what was approved stays as it is around them."""
    notes = corrections_of(issue)
    if not notes:
        return article
    anchors = _anchors(issue)
    zone = issue.mailing_list.timezone
    shown = str(article)
    for block_id, anchor in anchors.items():
        mine = [note for note in notes if str(note.block_id) == block_id]
        if mine:
            shown = _after_heading(shown, anchor, render_template("archive/_corrected.html", notes=mine, timezone=zone))
    top = _list([(note, _anchor(note, anchors)) for note in notes], issue)
    return top + Markup(shown)  # noqa: S704 - our own template around our renderer's own output


def plain_corrections(issue: Issue) -> Markup:
    """The same list for the feed, without links into the page; "" where there are none."""
    return _list([(note, "") for note in corrections_of(issue)], issue)


def _list(notes: Sequence[tuple[Correction, str]], issue: Issue) -> Markup:
    if not notes:
        return Markup("")
    words = render_template("archive/_corrections.html", notes=notes, timezone=issue.mailing_list.timezone)
    return Markup(words)  # noqa: S704 - our own template, which has escaped


def _anchor(note: Correction, anchors: dict[str, str]) -> str:
    return anchors.get(str(note.block_id), "")


def _anchors(issue: Issue) -> dict[str, str]:
    """Where each section begins on the page. The words of an issue that is out are locked, so they are as approved."""
    try:
        return dict(context_of(prepared(issue_content(issue))).anchors)
    except Invalid:
        return {}


def _after_heading(article: str, anchor: str, note: str) -> str:
    """The note put behind the heading with this id; behind nothing where there is none."""
    heading = re.compile(rf'(<(h[1-6])\b[^>]*\bid="{re.escape(anchor)}"[^>]*>.*?</\2>)', re.DOTALL)
    return heading.sub(lambda found: found[1] + note, article, count=1)
