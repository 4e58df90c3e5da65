"""Mails to one person: the outbox, what stands in them, the built-in mailbox."""
