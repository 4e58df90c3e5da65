"""What is approved and sent, to the byte: an issue's renderings, headers, pictures and audience, under one hash.

A `Prepared` is made outside any transaction, since it compiles the mail; approving writes it down as a `Rendition`.
`is_current` makes it again from what is there now and compares: an accent, an address, a privacy notice or the next
deadline that changed since is another hash, and what was approved does not go out under it.
"""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ...config import current_settings
from ...db import db
from ...errors import Invalid
from ...mail.message import CompiledMessage, Mailbox, compile_message
from ...models import Issue, MailingList, Media, Rendition
from ...rendering.content import IssueContent
from ..queries import newest_privacy_version
from .audience import audience_definition
from .checking import Finding, check_content
from .content import address, issue_content, render_content

_MEDIA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")


@dataclass(frozen=True)
class Prepared:
    """An issue made ready to be approved, tested or compared; plain values, safe to carry into a transaction."""

    issue_id: int
    content_version: int
    subject: str
    headers: dict[str, str]
    html: str
    text: str
    web: str
    media: dict[str, str]
    audience: dict[str, Any]
    content_hash: bytes
    findings: tuple[Finding, ...]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What must be mended before anybody may approve."""
        return tuple(finding for finding in self.findings if finding.stops)


def prepare(issue: Issue, now: datetime) -> Prepared:
    """Render, check and hash the issue as it stands. Not for use inside `transaction()`.

    Raises Invalid when the mail cannot be made of its blocks.
    """
    content = issue_content(issue)
    rendered = render_content(content)
    parts: dict[str, Any] = {
        "subject": issue.subject,
        "headers": headers_of(issue),
        "html": rendered.html,
        "text": rendered.text,
        "web": str(rendered.web),
        "media": media_hashes(rendered.html + str(rendered.web), content),
        "audience": {**audience_definition(issue), "privacy_version": db.session.scalar(newest_privacy_version())},
    }
    prepared = Prepared(
        issue_id=issue.id,
        content_version=issue.content_version,
        content_hash=hash_of(parts),
        findings=tuple(check_content(issue, content, now)),
        **parts,
    )
    unmailable = _unmailable(prepared, now) if issue.subject.strip() else None
    return replace(prepared, findings=(unmailable, *prepared.findings)) if unmailable else prepared


def _unmailable(prepared: Prepared, now: datetime) -> Finding | None:
    """What keeps the whole from being a mail (a name that no header can carry), found before anybody approves it."""
    try:
        compile_rendition(prepared, date=now)
    except (Invalid, ValueError) as error:
        return Finding("mail", True, str(error), why="The mail server would refuse it, or readers would see it broken.")
    return None


def hash_of(parts: dict[str, Any]) -> bytes:
    """SHA-256 over the canonical JSON (RFC 8785 in spirit: sorted keys, no spaces, UTF-8) of what is approved."""
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def stored_hash(rendition: Rendition) -> bytes:
    """The hash of what the row holds: equal to its `content_hash` unless somebody changed the row."""
    names = ("subject", "headers", "html", "text", "web", "media", "audience")
    return hash_of({name: getattr(rendition, name) for name in names})


def is_current(issue: Issue, rendition: Rendition, now: datetime) -> bool:
    """Whether what was approved is still what would be made now. Not for use inside `transaction()`."""
    return stored_hash(rendition) == rendition.content_hash == prepare(issue, now).content_hash


def keep(prepared: Prepared, now: datetime) -> Rendition:
    """The rendition as a row; the same row again where these very bytes are kept already."""
    found = db.session.scalar(
        select(Rendition)
        .where(
            Rendition.issue_id == prepared.issue_id,
            Rendition.content_hash == prepared.content_hash,
            Rendition.content_version == prepared.content_version,
        )
        .order_by(Rendition.id.desc())
        .limit(1)
    )
    if found is not None:
        return found
    rendition = Rendition(
        issue_id=prepared.issue_id,
        content_version=prepared.content_version,
        subject=prepared.subject,
        headers=prepared.headers,
        html=prepared.html,
        text=prepared.text,
        web=prepared.web,
        media=prepared.media,
        audience=prepared.audience,
        content_hash=prepared.content_hash,
        created_at=now,
    )
    db.session.add(rendition)
    db.session.flush()
    return rendition


def headers_of(issue: Issue) -> dict[str, str]:
    """The headers that all recipients of an issue share; see `list_headers`."""
    return list_headers(issue.mailing_list, slug=issue.slug, language=issue.language)


def list_headers(mailing_list: MailingList, *, slug: str, language: str) -> dict[str, str]:
    """The headers of a mail from this list. `From` and `Reply-To` are "Name <address>" in plain Unicode.

    `slug` names what is sent in Feedback-ID; `language` is a BCP 47 tag. Sources: RFC 2919 (List-Id), RFC 2369
    (List-Help, List-Archive, List-Owner, List-Post). What differs from reader to reader (To, Message-ID,
    List-Unsubscribe) is written when a message is filled.
    """
    host = current_settings().public_host.partition(":")[0]
    return {
        "From": f"{mailing_list.sender_name} <{mailing_list.sender_address}>",
        "Reply-To": f"{mailing_list.name} <{mailing_list.contact_address}>",
        "Content-Language": language,
        "List-Id": f"{mailing_list.name} <{mailing_list.slug}.{host}>",
        "List-Help": f"<mailto:{mailing_list.contact_address}>",
        "List-Owner": f"<mailto:{mailing_list.contact_address}>",
        "List-Archive": f"<{address('/news')}>",
        "List-Post": "NO",
        "Precedence": "bulk",
        "Feedback-ID": f"{slug}:{mailing_list.slug}:newsletter:{host}",
    }


def compile_rendition(
    rendition: Rendition | Prepared, *, date: datetime, subject: str | None = None
) -> CompiledMessage:
    """The mail of a rendition, to be filled for each recipient. `date` is aware; `subject` replaces the issue's.

    Raises what `compile_message` raises.
    """
    headers = dict(rendition.headers)
    sender, reply_to = _mailbox(headers.pop("From")), _mailbox(headers.pop("Reply-To"))
    language = headers.pop("Content-Language")
    return compile_message(
        html=rendition.html,
        text=rendition.text,
        subject=subject or rendition.subject,
        sender=sender,
        reply_to=reply_to,
        headers=headers,
        language=language,
        date=date,
    )


def _mailbox(written: str) -> Mailbox:
    name, _, found = written.rpartition(" <")
    return Mailbox(name, found.removesuffix(">"))


def media_hashes(renderings: str, content: IssueContent) -> dict[str, str]:
    """Name and SHA-256 (hex) of each of our pictures that the renderings show. A missing one has the hash ""."""
    base = re.escape(content.frame.media_base)
    names = sorted(set(re.findall(rf"{base}({_MEDIA_NAME.pattern})", renderings)))
    rows = db.session.execute(select(Media.name, Media.sha256).where(Media.name.in_(names))).all() if names else []
    known = {name: digest.hex() for name, digest in rows}
    return {name: known.get(name, "") for name in names}
