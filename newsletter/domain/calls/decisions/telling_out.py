"""Whoever has something in an issue hears that it is out: one mail for each address, once."""

from datetime import datetime

from .... import addresses
from ....models import Contribution, Issue
from ....states import ChaseKind, ContributionState
from ..deadline.reading import contributions_to
from ..reminding.chase_rows import send_once
from . import outcomes
from .merging import root_of
from .placing import section_of

_TEMPLATE = "contribution_out"


def tell_contributors(issue: Issue, now: datetime) -> int:
    """Queue the mails, each with what of its reader's is in the issue. Returns how many; a second time none."""
    titles: dict[str, list[str]] = {}
    written_as: dict[str, str] = {}
    for contribution in in_the_issue(issue):
        key = addresses.key(contribution.contact_address)
        written_as.setdefault(key, contribution.contact_address)
        titles.setdefault(key, []).append(contribution.title)
    return sum(
        send_once(
            issue,
            ChaseKind.OUT,
            written_as[key],
            template=_TEMPLATE,
            values={"titles": list(dict.fromkeys(own))},
            now=now,
        )
        for key, own in titles.items()
    )


def in_the_issue(issue: Issue) -> list[Contribution]:
    """What stands in it, also as part of another piece, of senders who may be written to."""
    return [
        one
        for one in contributions_to(issue)
        if one.state in (ContributionState.ACCEPTED, ContributionState.MERGED)
        and _stands(root_of(one), issue)
        and outcomes.welcome(one.contact_address)
    ]


def _stands(contribution: Contribution, issue: Issue) -> bool:
    accepted = contribution.state is ContributionState.ACCEPTED and contribution.issue_id == issue.id
    return accepted and section_of(contribution) is not None
