"""What people in other agencies sent in: what waits for whom, and what was decided."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import request, url_for
from sqlalchemy import select

from newsletter import clock
from newsletter.db import db
from newsletter.domain.calls.asking_views import views_reading
from newsletter.domain.calls.deadline import reading
from newsletter.domain.calls.deadline.reading import CLOSED
from newsletter.domain.calls.decisions import settling, triage
from newsletter.domain.issues.content import address
from newsletter.domain.staff.permissions import Permission, may
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Contribution, Issue, MailingList
from newsletter.rendering import characters
from newsletter.states import Cadence, ContributionState
from newsletter.web.access import signed_in_account, staff

from .agencies import way_to_agencies
from .room import blueprint, lists_for, page

_MOST = 400
#: Of what was decided, so many are shown before somebody asks for all.
_MOST_DECIDED = 10

#: The groups in the order in which they are worked through; each with what to do about it.
GROUPS: Mapping[str, tuple[str, str]] = {
    "read": (_("To read"), ""),
    "asked": (_("With their senders"), _("They were asked to change something.")),
    "late": (_("Came after the deadline"), _("They are kept. Use them, or keep them for the next issue.")),
    "unproved": (
        _("Address not proved yet"),
        _("Their senders have not shown yet that the address is theirs. You may take one in all the same."),
    ),
    "decided": (_("Decided"), ""),
}


def group_of(contribution: Contribution) -> str:
    """In which group it stands."""
    if contribution.state in (ContributionState.SUBMITTED, ContributionState.DRAFT) and not reading.is_proved(
        contribution
    ):
        return "unproved"
    if contribution.state is ContributionState.SUBMITTED:
        return "read"
    if contribution.state is ContributionState.CHANGES_REQUESTED and not contribution.late:
        return "asked"
    return "late" if triage.is_open(contribution) else "decided"


def grouped(rows: Iterable[Contribution]) -> dict[str, list[Contribution]]:
    """By group; what waits, oldest first, what was decided, newest first. `rows` come newest first."""
    found: dict[str, list[Contribution]] = {name: [] for name in GROUPS}
    for each in rows:
        found[group_of(each)].append(each)
    for name in GROUPS:
        if name != "decided":
            found[name].reverse()
    return found


@blueprint.get("/desk/contributions")
@staff(Permission.VIEW_ISSUES)
def contributions() -> tuple[str, int]:
    """All that came in, by what is to be done; of one issue, one agency, one group where somebody asks for it."""
    me, now = signed_in_account(), clock.now()
    lists = lists_for(me, Permission.VIEW_ISSUES)
    rows = reading.contributions_of(lists, limit=_MOST)
    issues = {each.issue.slug: each.issue for each in rows}
    issue = _issue_asked(lists, issues)
    if issue is not None:
        rows = reading.contributions_of([issue.mailing_list], limit=_MOST)
        rows = [each for each in rows if each.issue_id == issue.id]
    agencies = sorted({each.agency for each in rows if each.agency}, key=str.casefold)
    agency = characters.one_line(request.args.get("agency", ""))
    if agency in agencies:
        rows = [each for each in rows if each.agency == agency]
    groups = grouped(rows)
    shown = request.args.get("state", "") if request.args.get("state", "") in GROUPS else ""
    decides = [each for each in lists if may(me, Permission.TRIAGE_CONTRIBUTIONS, each)]
    calls = [call for call in (reading.open_call(each, now) for each in lists) if call is not None]
    return page(
        "contributions.html",
        only=issue,
        agency=agency if agency in agencies else "",
        agencies=agencies,
        issues=sorted(issues.values(), key=lambda each: -each.id),
        heading=_heading(len(groups["read"])),
        groups=[_group(name, groups[name], shown) for name in GROUPS if shown in ("", name)],
        shown=shown,
        chips=_chips(groups, shown, issue, agency if agency in agencies else ""),
        total=len(rows),
        asked_back=_asked_back(issue, decides),
        writing=reading.drafts(issue) if issue else 0,
        first=next(iter([*groups["read"], *groups["late"]]), None) if decides else None,
        views=bool(views_reading.pages_of(decides)),
        enter_for=_takes_news(issue, calls, decides),
        agencies_url=way_to_agencies(me),
        calls=[{"issue": each, "url": address(url_for("contribute.call", slug=each.slug))} for each in calls],
        quarterly=any(each.cadence is Cadence.QUARTERLY for each in lists),
        timezone=(issue.mailing_list if issue else lists[0]).timezone if lists else None,
    )


def _issue_asked(lists: Sequence[MailingList], issues: Mapping[str, Issue]) -> Issue | None:
    asked = characters.one_line(request.args.get("issue", ""))
    if not asked:
        return None
    found = issues.get(asked) or db.session.scalar(select(Issue).where(Issue.slug == asked))
    return found if found is not None and found.list_id in {each.id for each in lists} else None


def _takes_news(issue: Issue | None, calls: Sequence[Issue], lists: Sequence[MailingList]) -> Issue | None:
    """The issue for which news that came by telephone is entered: the one that is looked at, or the next."""
    ids = {each.id for each in lists}
    wanted = [issue] if issue is not None else calls
    return next((each for each in wanted if each.list_id in ids and each.has_call and each.state not in CLOSED), None)


def _heading(number: int) -> str:
    if not number:
        return _("Contributions")
    return ngettext("%(number)s contribution to read", "%(number)s contributions to read", number) % {"number": number}


def _group(name: str, rows: list[Contribution], shown: str) -> dict[str, Any]:
    title, why = GROUPS[name]
    few = rows if name != "decided" or shown else rows[:_MOST_DECIDED]
    return {"name": name, "title": _(title), "why": _(why) if why else "", "rows": few, "more": len(rows) - len(few)}


def _chips(
    groups: Mapping[str, Sequence[Contribution]], shown: str, issue: Issue | None, agency: str
) -> list[dict[str, Any]]:
    kept: dict[str, Any] = {"issue": issue.slug if issue else None, "agency": agency or None}
    everything = sum(len(rows) for rows in groups.values())
    chips = [{"label": _("All"), "count": everything, "url": url_for(".contributions", **kept), "current": not shown}]
    for name, rows in groups.items():
        if rows or shown == name:
            url = url_for(".contributions", state=name, **kept)
            chips.append({"label": _(GROUPS[name][0]), "count": len(rows), "url": url, "current": shown == name})
    return chips


def _asked_back(issue: Issue | None, lists: Sequence[MailingList]) -> list[Contribution]:
    """What senders asked to take out, of one issue or of all that are in hand."""
    if issue is not None:
        return settling.asked_back(issue) if issue.list_id in {each.id for each in lists} else []
    return settling.asked_back_of(lists)
