"""What each recipient gets: the frozen rendition compiled once, and its places filled for one person."""

from dataclasses import dataclass
from functools import cached_property

from ...config import Settings
from ...domain.issues.renditions import compile_rendition
from ...mail.message import CompiledMessage, Recipient
from ...mail.plain_twin import verify
from ...mail.relay import Envelope
from ...models import Issue
from ...tokens import Purpose, Signer, envelope_tag, message_name, unsubscribe_token
from ..ledger.batches import WorkItem


@dataclass(frozen=True)
class Letter:
    """An issue ready to be sent to anybody on it."""

    issue_id: int
    compiled: CompiledMessage
    sender_address: str
    settings: Settings
    signer: Signer

    def to(self, item: WorkItem) -> Envelope:
        """The envelope for one recipient. Raises Invalid for a name or address that no header can carry."""
        keys, public_url = self.settings.secret_keys, self.settings.public_url
        recipient = Recipient(
            item.address,
            item.name,
            # The same at each try, so that two copies are known for one (RFC 5322 §3.6.4), and not to be guessed.
            f"{message_name(keys, self.issue_id, item.delivery)}{self._at_domain}",
            f"{public_url}/u/{unsubscribe_token(keys, item.subscription)}",
            f"{public_url}/preferences/{self.signer.sign_id(Purpose.PREFERENCES, item.subscription)}",
        )
        domain = self.settings.bounce_domain
        sender = f"{envelope_tag(keys, item.subscription)}@{domain}" if domain else self.sender_address
        return Envelope(sender, item.address, self.compiled.fill(recipient), item.delivery, True)

    @cached_property
    def _at_domain(self) -> str:
        return f"@{self.sender_address.rpartition('@')[2]}"


def compile_letter(issue: Issue, settings: Settings, signer: Signer) -> Letter:
    """Compile the issue's frozen rendition and compare it with one built the plain way.

    Its date is the moment the sending started, whenever the message leaves. Raises ValueError where the two
    differ; nothing may be sent then. Takes some milliseconds: not for inside a transaction.
    """
    rendition, started_at = issue.rendition, issue.started_at
    if rendition is None or started_at is None:
        raise ValueError("An issue that was not launched has nothing to send")
    compiled = compile_rendition(rendition, date=started_at.replace(microsecond=0))
    verify(compiled)
    return Letter(issue.id, compiled, compiled.source.sender.address, settings, signer)
