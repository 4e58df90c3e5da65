"""Each state as the word and colour that a person sees. The colour never speaks alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from newsletter.i18n import gettext as _
from newsletter.states import ContributionState, DeliveryState, InboundState, IssueState, NoticeState, SubscriptionState


@dataclass(frozen=True)
class Tag:
    """`colour` is a tag class of the style sheet: grey, blue, green, yellow, red or orange."""

    text: str
    colour: str = "grey"


# StrEnum members of two classes are equal where their words are, so each class has a table of its own.
_TAGS: Mapping[type[StrEnum], Mapping[str, tuple[str, str]]] = {
    IssueState: {
        "draft": ("Draft", "grey"),
        "in_review": ("In review", "yellow"),
        "approved": ("Approved", "green"),
        "scheduled": ("Scheduled", "blue"),
        "sending": ("Sending", "blue"),
        "paused": ("Paused", "orange"),
        "sent": ("Sent", "green"),
        "cancelled": ("Cancelled", "grey"),
    },
    DeliveryState: {
        "queued": ("Queued", "grey"),
        "claimed": ("Being sent", "blue"),
        "accepted": ("Accepted", "green"),
        "deferred": ("Tried again later", "yellow"),
        "refused": ("Refused", "red"),
        "unsure": ("Unsure", "orange"),
        "skipped": ("Skipped", "grey"),
    },
    SubscriptionState: {
        "active": ("Subscribed", "green"),
        "left": ("Left", "grey"),
        "removed": ("Removed", "grey"),
    },
    ContributionState: {
        "draft": ("Draft", "grey"),
        "submitted": ("To read", "orange"),
        "changes_requested": ("Changes asked for", "yellow"),
        "accepted": ("Accepted", "green"),
        "declined": ("Declined", "grey"),
        "withdrawn": ("Withdrawn", "grey"),
        "merged": ("Merged", "green"),
    },
    NoticeState: {
        "queued": ("Queued", "grey"),
        "accepted": ("Accepted", "green"),
        "deferred": ("Tried again later", "yellow"),
        "refused": ("Refused", "red"),
        "unsure": ("Unsure", "orange"),
        "held": ("Held", "yellow"),
        "dropped": ("Dropped", "grey"),
    },
    InboundState: {
        "received": ("Received", "blue"),
        "handled": ("Done", "green"),
        "ignored": ("Nothing to do", "grey"),
        "quarantined": ("Please look", "orange"),
    },
}


def tag_of(state: StrEnum) -> Tag:
    """The tag of a state. Raises KeyError for an enumeration that has no table here."""
    text, colour = _TAGS[type(state)][state.value]
    return Tag(_(text), colour)
