"""The tables. What must never be untrue is a constraint here, under a name that says the rule."""

from .activity import Activity
from .address_changes import AddressChange
from .audiences import Audience, BulkAction, BulkMember, IssueAudience
from .cadences import CadenceRule
from .calls import Chase, Extension
from .consent import Consent, ConsentSeal, SignUp, SignUpChoice
from .contributions import Contribution, ContributionRevision
from .contributors import AddressProof, Agency, AgencyAnswer, Contributor, ContributorAnswer, ContributorSession
from .deliveries import Delivery, DeliveryProgress, DeliveryTally, IssueReport, RelayPace, Worker
from .exports import SubscriberExport
from .feedback import Feedback, InboundMessage, MailSource
from .finding import SubscriberWord, WordsWanted
from .governance import DataComplaint, Examination, GovernanceVersion, SealedCopy, TakeDown
from .imports import ImportRun
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
from .lists import ConsentWording, MailingList, Organisation, PrivacyNotice, Sector, Subscriber, Subscription
from .media import Media
from .notices import MailboxMessage, Notice
from .operating import OperationTotal, ProcessSign, Trouble
from .people import Account, Identity, Invitation, Membership, WebSession
from .processes import Lease, SchemaPart
from .renewals import Renewal, RenewalRule
from .suppressions import LimitCounter, MailDomain, Suppression
from .views import ViewsAnswer, ViewsPage
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
    "AddressProof",
    "Agency",
    "AgencyAnswer",
    "Approval",
    "Audience",
    "Block",
    "BlockRevision",
    "BookEntry",
    "BulkAction",
    "BulkMember",
    "CadenceRule",
    "Chase",
    "CheckPass",
    "Comment",
    "Consent",
    "ConsentSeal",
    "ConsentWording",
    "Contribution",
    "ContributionRevision",
    "Contributor",
    "ContributorAnswer",
    "ContributorSession",
    "Correction",
    "DataComplaint",
    "Delivery",
    "DeliveryProgress",
    "DeliveryTally",
    "DraftShare",
    "Examination",
    "Extension",
    "Feedback",
    "FollowUp",
    "GovernanceVersion",
    "Identity",
    "ImportRun",
    "InboundMessage",
    "Invitation",
    "Issue",
    "IssueAudience",
    "IssueReport",
    "IssueVersion",
    "IssueVersionBlock",
    "Lease",
    "LimitCounter",
    "LinkCheck",
    "MailDomain",
    "MailSource",
    "MailboxMessage",
    "MailingList",
    "Media",
    "Membership",
    "Notice",
    "OperationTotal",
    "Organisation",
    "Presence",
    "PrivacyNotice",
    "ProcessSign",
    "ReadDocument",
    "RelayPace",
    "Rendition",
    "Renewal",
    "RenewalRule",
    "SchemaPart",
    "SealedCopy",
    "Sector",
    "SignUp",
    "SignUpChoice",
    "SlugRedirect",
    "Subscriber",
    "SubscriberExport",
    "SubscriberWord",
    "Subscription",
    "Suppression",
    "TakeDown",
    "TestAddress",
    "TestSend",
    "Trouble",
    "ViewsAnswer",
    "ViewsPage",
    "WebSession",
    "WordsWanted",
    "Worker",
]
