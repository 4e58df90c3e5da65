"""The tables. What must never be untrue is a constraint here, under a name that says the rule."""

from .activity import Activity
from .address_changes import AddressChange
from .consent import Consent, SignUp, SignUpChoice
from .contributions import Contribution
from .deliveries import Delivery, DeliveryProgress, DeliveryTally, IssueReport, RelayPace, Worker
from .feedback import Feedback, InboundMessage, MailSource
from .issues import (
    Approval,
    Block,
    BlockRevision,
    CheckPass,
    Issue,
    IssueVersion,
    IssueVersionBlock,
    Rendition,
    SlugRedirect,
    TestSend,
)
from .lists import ConsentWording, MailingList, Organisation, PrivacyNotice, Subscriber, Subscription
from .media import Media
from .notices import MailboxMessage, Notice
from .people import Account, Invitation, Membership, WebSession
from .suppressions import LimitCounter, Suppression
from .writing import (
    BookEntry,
    Comment,
    Correction,
    DraftShare,
    FollowUp,
    LinkCheck,
    Presence,
    ReadDocument,
    TestAddress,
)

__all__ = [
    "Account",
    "Activity",
    "AddressChange",
    "Approval",
    "Block",
    "BlockRevision",
    "BookEntry",
    "CheckPass",
    "Comment",
    "Consent",
    "ConsentWording",
    "Contribution",
    "Correction",
    "Delivery",
    "DeliveryProgress",
    "DeliveryTally",
    "DraftShare",
    "Feedback",
    "FollowUp",
    "InboundMessage",
    "Invitation",
    "Issue",
    "IssueReport",
    "IssueVersion",
    "IssueVersionBlock",
    "LimitCounter",
    "LinkCheck",
    "MailSource",
    "MailboxMessage",
    "MailingList",
    "Media",
    "Membership",
    "Notice",
    "Organisation",
    "Presence",
    "PrivacyNotice",
    "ReadDocument",
    "RelayPace",
    "Rendition",
    "SignUp",
    "SignUpChoice",
    "SlugRedirect",
    "Subscriber",
    "Subscription",
    "Suppression",
    "TestAddress",
    "TestSend",
    "WebSession",
    "Worker",
]
