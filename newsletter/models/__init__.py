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

__all__ = [
    "Account",
    "Activity",
    "AddressChange",
    "Approval",
    "Block",
    "BlockRevision",
    "CheckPass",
    "Consent",
    "ConsentWording",
    "Contribution",
    "Delivery",
    "DeliveryProgress",
    "DeliveryTally",
    "Feedback",
    "InboundMessage",
    "Invitation",
    "Issue",
    "IssueReport",
    "IssueVersion",
    "IssueVersionBlock",
    "LimitCounter",
    "MailSource",
    "MailboxMessage",
    "MailingList",
    "Media",
    "Membership",
    "Notice",
    "Organisation",
    "PrivacyNotice",
    "RelayPace",
    "Rendition",
    "SignUp",
    "SignUpChoice",
    "SlugRedirect",
    "Subscriber",
    "Subscription",
    "Suppression",
    "TestSend",
    "WebSession",
    "Worker",
]
