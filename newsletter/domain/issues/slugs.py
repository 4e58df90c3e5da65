"""An issue's name in addresses: unique in the installation, and never a bare number, which would be an id."""

import re
import unicodedata

from sqlalchemy import select

from ...db import db
from ...errors import Invalid, Problem
from ...models import Issue, MailingList, SlugRedirect

_LONGEST = 80
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def check_slug(typed: str, issue: Issue | None = None) -> str:
    """`typed` as a slug that `issue` may have. Raises Invalid (field "slug") with a sentence."""
    slug = typed.strip().lower()
    if not _SLUG.fullmatch(slug) or len(slug) > _LONGEST:
        raise _invalid("Use lower-case letters, digits and hyphens, such as december-2026 (80 characters at most).")
    if not re.search("[a-z]", slug):
        raise _invalid("The address must hold at least one letter, such as december-2026.")
    if _taken(slug, issue):
        raise _invalid(f"Another issue has the address “{slug}”. Choose another one.")
    return slug


def make_slug(title: str, mailing_list: MailingList) -> str:
    """A free slug made of the title; where another list's issue has it, the list's name stands before it."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not re.search("[a-z]", words):
        words = f"issue-{words}".strip("-")
    base = words[:60].strip("-")
    candidates = [base, f"{mailing_list.slug[:60]}-{base}"[:_LONGEST].strip("-")]
    for slug in candidates:
        if not _taken(slug, None):
            return slug
    number = 2
    while _taken(f"{base}-{number}", None):
        number += 1
    return f"{base}-{number}"


def _taken(slug: str, issue: Issue | None) -> bool:
    owner = db.session.scalar(select(Issue.id).where(Issue.slug == slug))
    former = db.session.scalar(select(SlugRedirect.issue_id).where(SlugRedirect.slug == slug))
    mine = issue.id if issue else None
    return any(found is not None and found != mine for found in (owner, former))


def _invalid(sentence: str) -> Invalid:
    return Invalid([Problem("slug", sentence)])
