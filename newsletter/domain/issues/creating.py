"""An issue begins, gets its dates, and gets an issue after it."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...db import db
from ...deadlines import Deadline
from ...errors import Invalid, Problem, Refused
from ...i18n import gettext as _
from ...models import Account, Issue, MailingList, SlugRedirect
from ...rendering import characters
from ...states import EDITABLE_STATES, Cadence
from ..queries import issue_before
from ..staff import activity
from .call_deadline import change_deadline
from .editing import add_block, set_masthead_words
from .slugs import check_slug, make_slug
from .transitions import lock, require_editable
from .versions import keep_as_left, keep_before, latest
from .voiding import touch

__all__ = [
    "change_deadline",
    "change_frame",
    "create_issue",
    "ensure_next_issue",
    "set_next_issue",
    "touch_if_editable",
]

_log = logging.getLogger(__name__)
_LONGEST_TITLE, _LONGEST_SUBJECT, _LONGEST_PREHEADER = 120, 200, 200

#: What a new issue consists of. The call and the dates belong to a list with a rhythm.
_FIRST_BLOCKS: dict[Cadence, tuple[tuple[str, dict[str, Any]], ...]] = {
    Cadence.QUARTERLY: (
        ("masthead", {}),
        ("in_this_issue", {}),
        ("key_dates", {}),
        (
            "call",
            {
                "heading": "Send us your news",
                "intro": "<p>What has your team learned, changed or started? A hundred words are enough.</p>",
            },
        ),
        ("footer", {}),
    ),
    Cadence.NONE: (("masthead", {}), ("section", {}), ("footer", {})),
}


def create_issue(
    mailing_list: MailingList,
    *,
    title: str,
    slug: str | None = None,
    planned_at: datetime | None = None,
    deadline: Deadline | None = None,
    actor: Account | None,
    now: datetime,
) -> Issue:
    """A new draft on the list, with the blocks that every issue of it has and a subject to better.

    `planned_at` is when it is meant to go out; `deadline` closes the call for contributions to it. An issue with
    a deadline has a call, one without has none. Raises Invalid for a title or slug that cannot be used.
    """
    title = _title(title)
    issue = Issue(
        list_id=mailing_list.id,
        slug=check_slug(slug) if slug else make_slug(title, mailing_list),
        title=title,
        subject=_proposed_subject(mailing_list, title),
        language=mailing_list.language,
        planned_at=planned_at,
        created_at=now,
        created_by_id=actor.id if actor else None,
        has_call=deadline is not None,
    )
    if deadline is not None:
        issue.deadline = deadline
    db.session.add(issue)
    db.session.flush()
    db.session.refresh(issue)
    for kind, data in _FIRST_BLOCKS[mailing_list.cadence]:
        add_block(issue, kind, data, actor=actor, now=now)
    activity.record("issue.created", actor=actor, now=now, issue=issue, title=title)
    _log.info("Issue %s was created on list %s", issue.id, mailing_list.id)
    return issue


def change_frame(
    issue: Issue,
    *,
    title: str | None = None,
    subject: str | None = None,
    preheader: str | None = None,
    slug: str | None = None,
    label: str | None = None,
    strapline: str | None = None,
    language: str | None = None,
    planned_at: datetime | None = None,
    keep_planned_at: bool = True,
    actor: Account | None,
    now: datetime,
) -> None:
    """Change what stands around the words; what is None stays as it is.

    `planned_at` is written when `keep_planned_at` is False (so that it can be taken away with None); changing it
    alone ends no approval. A new slug leaves the old one leading here. Raises Invalid, with every problem.
    """
    lock(issue)
    require_editable(issue)
    values = _frame_values(issue, title=title, subject=subject, preheader=preheader, slug=slug, language=language)
    changed = {name: value for name, value in values.items() if getattr(issue, name) != value}
    if changed.keys() & {"subject", "preheader"}:
        _keep_frame(issue, changed, actor, now)
    if "slug" in changed:
        db.session.add(SlugRedirect(slug=issue.slug, issue_id=issue.id))
        _forget_redirect(changed["slug"])
    for name, value in changed.items():
        setattr(issue, name, value)
    if not keep_planned_at:
        issue.planned_at = planned_at
    db.session.flush()
    words = {"label": label, "strapline": strapline}
    set_masthead_words(issue, {name: word for name, word in words.items() if word is not None}, actor=actor, now=now)
    if changed:
        touch(issue, f"Changed: {', '.join(sorted(changed))}.", actor=actor, now=now)
    activity.record("issue.frame_changed", actor=actor, now=now, issue=issue, fields=sorted(changed))


def ensure_next_issue(
    issue: Issue,
    *,
    title: str,
    deadline: Deadline,
    planned_at: datetime | None = None,
    confirmation: str = "",
    actor: Account | None,
    now: datetime,
) -> Issue:
    """The issue after this one, with this title, deadline and date: made if there is none, changed if there is.

    Raises Invalid or Refused as the verbs it is made of do.
    """
    following = issue.next_issue
    if following is None:
        following = create_issue(
            issue.mailing_list, title=title, planned_at=planned_at, deadline=deadline, actor=actor, now=now
        )
        set_next_issue(issue, following, actor=actor, now=now)
        return following
    if following.title != title:
        change_frame(following, title=title, actor=actor, now=now)
        touch_if_editable(issue, "The next issue's name changed.", actor=actor, now=now)
    if planned_at is not None:
        following.planned_at = planned_at
    change_deadline(following, deadline, confirmation=confirmation, actor=actor, now=now)
    return following


def set_next_issue(issue: Issue, following: Issue | None, *, actor: Account | None, now: datetime) -> None:
    """Say which issue comes after this one; None for none. Its deadline is printed in this one."""
    lock(issue)
    require_editable(issue)
    if following is not None:
        if following.list_id != issue.list_id or following.id == issue.id:
            raise Refused("The next issue must be another issue of the same list.")
        other = db.session.scalar(issue_before(following.id))
        if other is not None and other.id != issue.id:
            raise Refused(f"{following.title} already comes after {other.title}.")
    if issue.next_issue_id == (following.id if following else None):
        return
    issue.next_issue_id = following.id if following else None
    db.session.flush()
    db.session.expire(issue, ["next_issue"])
    touch(issue, "The next issue changed.", actor=actor, now=now)
    activity.record(
        "issue.next_issue_set", actor=actor, now=now, issue=issue, next_issue_id=following.id if following else None
    )


def touch_if_editable(issue: Issue, reason: str, *, actor: Account | None, now: datetime) -> None:
    """A new content version, unless the issue's words are locked."""
    if issue.state in EDITABLE_STATES:
        touch(issue, reason, actor=actor, now=now)


def _title(typed: str) -> str:
    title = characters.one_line(typed)
    if not title:
        raise Invalid([Problem("title", "Give the issue a title, such as December 2026.")])
    if len(title) > _LONGEST_TITLE:
        raise Invalid([Problem("title", f"The title must have {_LONGEST_TITLE} characters or fewer.")])
    return title


def _frame_values(issue: Issue, **typed: str | None) -> dict[str, str]:
    """The columns to write. Raises Invalid with every problem."""
    problems: list[Problem] = []
    values: dict[str, str] = {}
    for name, value in typed.items():
        if value is None:
            continue
        try:
            values[name] = _frame_value(issue, name, value)
        except Invalid as invalid:
            problems += invalid.problems
    if problems:
        raise Invalid(problems)
    return values


def _frame_value(issue: Issue, name: str, typed: str) -> str:
    if name == "title":
        return _title(typed)
    if name == "slug":
        return check_slug(typed, issue)
    value = characters.one_line(typed)
    most = {"subject": _LONGEST_SUBJECT, "preheader": _LONGEST_PREHEADER, "language": 35}[name]
    if len(value) > most:
        raise Invalid([Problem(name, f"Use {most} characters or fewer; there are {len(value)}.")])
    return value


def _proposed_subject(mailing_list: MailingList, title: str) -> str:
    return f"{mailing_list.name}: {title}"[:200]


def _keep_frame(issue: Issue, changed: Mapping[str, str], actor: Account | None, now: datetime) -> None:
    """A version with the subject and the preview text as they stand, before they change.

    None where they are the first that a person gives: what the program proposed is no loss.
    """
    proposed = issue.subject == _proposed_subject(issue.mailing_list, issue.title) and not issue.preheader
    if proposed and latest(issue) is None:
        return
    keep_as_left(issue, now)
    words = {"subject": _("“Subject” was changed"), "preheader": _("“Preview text” was changed")}
    both = _("“Subject and preview text” was changed")
    named = [words[name] for name in words if name in changed]
    keep_before(issue, named[0] if len(named) == 1 else both, actor=actor, now=now)


def _forget_redirect(slug: str) -> None:
    """An issue that takes back a slug it once had is not led away from it."""
    redirect = db.session.get(SlugRedirect, slug)
    if redirect is not None:
        db.session.delete(redirect)
