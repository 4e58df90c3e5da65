"""All pages of this room, under one blueprint."""

from . import activity, inbound, lists, mailbox, notices, set_up, settings, staff
from .room import blueprint

__all__ = ["activity", "blueprint", "inbound", "lists", "mailbox", "notices", "set_up", "settings", "staff"]
