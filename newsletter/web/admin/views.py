"""All pages of this room, under one blueprint."""

from . import activity, consent, governance, inbound, lists, mailbox, notices, set_up, settings, staff, suppressions
from .room import blueprint

__all__ = [
    "activity",
    "blueprint",
    "consent",
    "governance",
    "inbound",
    "lists",
    "mailbox",
    "notices",
    "set_up",
    "settings",
    "staff",
    "suppressions",
]
