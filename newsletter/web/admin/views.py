"""All pages of this room, under one blueprint."""

from . import activity, lists, mailbox, notices, set_up, settings, staff
from .room import blueprint

__all__ = ["activity", "blueprint", "lists", "mailbox", "notices", "set_up", "settings", "staff"]
