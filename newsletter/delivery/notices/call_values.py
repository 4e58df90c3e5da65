"""What the mails about a call say: until when, what somebody has begun, and the links that act."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ...db import db
from ...domain.calls.deadline import rights
from ...domain.calls.reminding.chasing import IS_CLOSED, LAST_CALL, REMINDER
from ...domain.calls.reminding.digest import DIGEST, Came
from ...domain.calls.reminding.extension_mails import ASKED, ENDS, GIVEN, REFUSED, TAKEN_BACK, TOLD
from ...domain.calls.reminding.opening import INVITATION
from ...domain.issues.call_deadline import MOVED
from ...i18n import gettext as _
from ...i18n import ngettext
from ...models import Contribution, Contributor, Extension, Issue, MailingList, Notice
from ...states import ContributionState, ExtensionState
from ...tokens import Purpose
from .links import link, token_link

Values = dict[str, Any]
#: None says that the reason for the mail has gone.
Maker = Callable[[Notice, datetime], Values | None]


def _open_call(notice: Notice, now: datetime) -> Values | None:
    """To somebody who may still send in news; nothing once the call has closed, or the person has left."""
    issue = db.session.get(Issue, notice.issue_id or 0)
    if issue is None or issue.deadline is None or not rights.right(issue, now, now).counts:
        return None
    person = db.session.get(Contributor, notice.values.get("contributor") or 0)
    if person is not None and person.ended_at is not None:
        return None
    drafts = _drafts(notice)
    return {
        "name": notice.values.get("name", ""),
        "was": notice.values.get("was", ""),
        "is_in": notice.values.get("is_in", False),
        "issue": _name(issue),
        "deadline": issue.deadline.words_with_zone,
        "titles": _titles(drafts),
        "url": _way_to(drafts, issue),
        "nothing_url": _nothing(issue, person),
    }


def _last_call(notice: Notice, now: datetime) -> Values | None:
    values = _open_call(notice, now)
    return values if values and values["titles"] else None


def _closed(notice: Notice, _now: datetime) -> Values | None:
    issue, drafts = db.session.get(Issue, notice.issue_id or 0), _drafts(notice)
    if issue is None or issue.deadline is None or not drafts:
        return None
    return {
        "name": notice.values.get("name", ""),
        "issue": _name(issue),
        "deadline": issue.deadline.words_with_zone,
        "titles": _titles(drafts),
        "url": token_link("contribute.more_time", Purpose.CONTRIBUTION, drafts[0].public_id),
    }


def _more_time(*, only: tuple[ExtensionState, ...]) -> Maker:
    """To whoever has, or had, time of their own, while it is in one of these states."""

    def made(notice: Notice, now: datetime) -> Values | None:
        found = db.session.get(Extension, notice.values.get("extension") or 0)
        if found is None or found.state not in only:
            return None
        if notice.template == ENDS and not (found.deadline and found.deadline.is_open(now)):
            return None
        piece = db.session.get(Contribution, found.contribution_id) if found.contribution_id else None
        return {
            "name": notice.values.get("name", ""),
            "issue": _name(found.issue),
            "until": found.deadline.words_with_zone if found.deadline else "",
            "comment": found.note,
            "url": _way_to([piece] if piece else [], found.issue),
        }

    return made


def _to_editors(page: str) -> Maker:
    def made(notice: Notice, _now: datetime) -> Values | None:
        issue = db.session.get(Issue, notice.issue_id or 0)
        if issue is None:
            return None
        extension = notice.values.get("extension", "")
        url = link(page, slug=issue.slug, extension=extension)
        return {**notice.values, "title": _name(issue), "url": url}

    return made


def _digest(notice: Notice, _now: datetime) -> Values | None:
    mailing_list = db.session.get(MailingList, notice.list_id or 0)
    came = [Came(**one) for one in notice.values.get("came", [])]
    if mailing_list is None or not came:
        return None
    return {
        "name": notice.values.get("name", ""),
        "list": mailing_list.name,
        "lines": [line for one in came for line in _lines(one)],
        "url": link("editor.contributions"),
    }


def _lines(came: Came) -> list[str]:
    """ "December 2026: 3 contributions came in", and so on, a line for each thing that is so."""
    counted = (
        (came.new, ngettext("%(number)s contribution came in", "%(number)s contributions came in", came.new)),
        (came.late, ngettext("%(number)s came after the deadline", "%(number)s came after the deadline", came.late)),
        (
            came.unproved,
            ngettext(
                "%(number)s from an address that is not proved yet",
                "%(number)s from addresses that are not proved yet",
                came.unproved,
            ),
        ),
        (came.changed, ngettext("%(number)s came back changed", "%(number)s came back changed", came.changed)),
        (
            came.withdrawn,
            ngettext(
                "%(number)s was taken back by its sender",
                "%(number)s were taken back by their senders",
                came.withdrawn,
            ),
        ),
        (came.asked, ngettext("%(number)s asks for more time", "%(number)s ask for more time", came.asked)),
    )
    lines = [words % {"number": number} for number, words in counted if number]
    if came.closed:
        lines.insert(0, _("the call has closed, with {number} in").format(number=came.total))
    return [f"{came.title}: {line}" for line in lines]


def _drafts(notice: Notice) -> list[Contribution]:
    """What the row names and is a draft still."""
    found = [db.session.get(Contribution, each) for each in notice.values.get("contributions", [])]
    return [one for one in found if one is not None and one.state is ContributionState.DRAFT and not one.late]


def _titles(drafts: list[Contribution]) -> list[str]:
    return [one.title or _("A draft without a heading") for one in drafts]


def _way_to(drafts: list[Contribution], issue: Issue) -> str:
    if len(drafts) == 1:
        return token_link("contribute.kept", Purpose.CONTRIBUTION, drafts[0].public_id)
    return link("contribute.call", slug=issue.slug)


def _nothing(issue: Issue, person: Contributor | None) -> str:
    """The one click for "nothing this time", for people whom we know."""
    if person is None:
        return ""
    return token_link("contribute.nothing", Purpose.AGENCY_NOTHING, person.public_id, slug=issue.slug)


def _name(issue: Issue) -> str:
    return f"{issue.mailing_list.name}, {issue.title}"


_HAS = (ExtensionState.GRANTED, ExtensionState.USED)
#: By template.
MAKERS: Mapping[str, Maker] = {
    INVITATION: _open_call,
    REMINDER: _open_call,
    LAST_CALL: _last_call,
    MOVED: _open_call,
    IS_CLOSED: _closed,
    GIVEN: _more_time(only=_HAS),
    ENDS: _more_time(only=(ExtensionState.GRANTED,)),
    REFUSED: _more_time(only=(ExtensionState.REFUSED,)),
    TAKEN_BACK: _more_time(only=(ExtensionState.REVOKED,)),
    ASKED: _to_editors("editor.call_time"),
    TOLD: _to_editors("editor.call"),
    DIGEST: _digest,
}
