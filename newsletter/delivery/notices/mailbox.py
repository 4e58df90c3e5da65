"""The built-in mailbox: where mail lands while no relay is set, for staff to read in the browser."""

import email
import email.policy

from flask import Flask
from sqlalchemy import select

from ... import clock
from ...db import transaction
from ...mail.relay import Envelope
from ...models import Delivery, MailboxMessage


def keep_in_mailbox(app: Flask, envelope: Envelope) -> None:
    """Store one envelope as a row, committed. Called by the relay, from whatever thread sends."""
    headers = email.message_from_bytes(envelope.message, policy=email.policy.default)
    issue = select(Delivery.issue_id).where(Delivery.id == envelope.delivery)
    with app.app_context(), transaction() as session:
        session.add(
            MailboxMessage(
                at=clock.now(),
                sender=envelope.sender,
                recipient=envelope.recipient,
                subject=str(headers["Subject"] or "")[:998],
                issue_id=session.scalar(issue) if envelope.delivery is not None else None,
                source=envelope.message,
            )
        )
