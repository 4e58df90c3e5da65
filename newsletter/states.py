"""Every state a thing can be in, spelled once. Each is documented in one table in docs/states.md.

What follows from the clock alone (a call that is open, a token that has expired) is no state: it is computed.
"""

from collections.abc import Mapping
from enum import StrEnum


class IssueState(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"


#: Where an issue may go from where it is.
ISSUE_TRANSITIONS: Mapping[IssueState, frozenset[IssueState]] = {
    IssueState.DRAFT: frozenset({IssueState.IN_REVIEW, IssueState.APPROVED, IssueState.CANCELLED}),
    IssueState.IN_REVIEW: frozenset({IssueState.DRAFT, IssueState.APPROVED, IssueState.CANCELLED}),
    IssueState.APPROVED: frozenset({IssueState.DRAFT, IssueState.SCHEDULED, IssueState.CANCELLED}),
    IssueState.SCHEDULED: frozenset({IssueState.APPROVED, IssueState.SENDING, IssueState.CANCELLED}),
    IssueState.SENDING: frozenset({IssueState.PAUSED, IssueState.SENT, IssueState.CANCELLED}),
    IssueState.PAUSED: frozenset({IssueState.SENDING, IssueState.CANCELLED}),
    IssueState.SENT: frozenset(),
    IssueState.CANCELLED: frozenset(),
}

#: States in which the words may be edited. Editing an approved issue voids its approval.
EDITABLE_STATES = frozenset({IssueState.DRAFT, IssueState.IN_REVIEW, IssueState.APPROVED})


class DeliveryState(StrEnum):
    """Where one recipient of one issue stands. The seven always add up to the frozen audience."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNSURE = "unsure"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    LEFT = "left"
    PAUSED = "paused"
    SUPPRESSED = "suppressed"
    ERASED = "erased"
    TEAM_ONLY = "team_only"
    CANCELLED = "cancelled"


class SubscriptionState(StrEnum):
    ACTIVE = "active"
    LEFT = "left"
    REMOVED = "removed"


class ConsentEvent(StrEnum):
    ASKED = "asked"
    GIVEN = "given"
    IMPORTED = "imported"
    WITHDRAWN = "withdrawn"
    COMPLAINED = "complained"


class NoticeState(StrEnum):
    QUEUED = "queued"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNSURE = "unsure"
    HELD = "held"
    DROPPED = "dropped"


class ContributionState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    CHANGES_REQUESTED = "changes_requested"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


class ContributionSource(StrEnum):
    """How a contribution came."""

    WEB = "web"
    MAIL = "mail"
    STAFF = "staff"


class ExtensionState(StrEnum):
    """What became of more time for somebody. Whether one has run out, the clock says."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    USED = "used"
    REVOKED = "revoked"


class ChaseKind(StrEnum):
    """What a mail about a call is."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    LAST_CALL = "last_call"
    MOVED = "moved"
    CLOSED = "closed"
    EXTENSION_ENDS = "extension_ends"
    DIGEST = "digest"
    OUT = "out"


class ProofPurpose(StrEnum):
    """What the link and the code that went to an address are for."""

    SIGN_IN = "sign_in"
    CONTRIBUTION = "contribution"


class IssueNaming(StrEnum):
    """How the issues of a list with a rhythm are named."""

    MONTH = "month"
    SEASON = "season"
    NUMBER = "number"


class RenewalState(StrEnum):
    """What came of asking somebody whether they still want a list."""

    ASKED = "asked"
    KEPT = "kept"
    LAPSED = "lapsed"
    UNANSWERED = "unanswered"
    ENDED = "ended"


class SuppressionReason(StrEnum):
    UNSUBSCRIBED_ALL = "unsubscribed_all"
    COMPLAINT = "complaint"
    BOUNCED = "bounced"
    NOT_ME = "not_me"
    ERASED = "erased"
    STAFF = "staff"


class ImportState(StrEnum):
    """Where an import of subscribers stands."""

    UPLOADED = "uploaded"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


class BulkState(StrEnum):
    """Where something stands that staff do to many subscribers at once."""

    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class GovernanceText(StrEnum):
    """The texts that an organisation keeps up to date beside its privacy notice."""

    ACCESSIBILITY = "accessibility"
    PROCESSING = "processing"
    IMPACT = "impact"
    BREACH = "breach"
    COMPLAINTS = "complaints"


class FeedbackKind(StrEnum):
    """What came back about a message that was accepted."""

    HARD = "hard"
    SOFT = "soft"
    POLICY = "policy"
    COMPLAINT = "complaint"


class InboundState(StrEnum):
    """What became of a mail that came to one of our own addresses."""

    RECEIVED = "received"
    HANDLED = "handled"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


class BookKind(StrEnum):
    """What an entry of a list's book is."""

    PERSON = "person"
    LINK = "link"
    ACRONYM = "acronym"


class FollowUpState(StrEnum):
    """What became of a promise to come back to something."""

    WAITING = "waiting"
    KEPT = "kept"
    DROPPED = "let_go"


class LinkState(StrEnum):
    """What came of asking for a link's page."""

    REACHED = "reached"
    UNREACHABLE = "unreachable"
    NOT_ASKED = "not_asked"


class SendingMode(StrEnum):
    """Who may get mail from this installation (the notices a person asked for count too)."""

    NOTHING = "nothing"
    TEAM = "team"
    EVERYONE = "everyone"


class Cadence(StrEnum):
    QUARTERLY = "quarterly"
    NONE = "none"


class Role(StrEnum):
    ADMIN = "admin"
    APPROVER = "approver"
    EDITOR = "editor"
    VIEWER = "viewer"


class Where(StrEnum):
    """Where a block stands: in the mail and on the web page, or in one of them."""

    BOTH = "both"
    MAIL = "mail"
    WEB = "web"


class LawfulBasis(StrEnum):
    CONSENT = "consent"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTERESTS = "legitimate_interests"


class TroubleKind(StrEnum):
    """What can be wrong with the running of the installation; staff are told of each."""

    WORKER = "worker_gone"
    SCHEDULER = "scheduler_silent"
    RELAY = "relay_down"
    NOTICES = "notices_wait"
    MAILBOX = "mailbox_unreadable"
    DISK = "disk_nearly_full"
    CLOCK = "clock_wrong"
    JOB = "job_fails"
    BACKUP = "backup_old"
