"""All pages of this room, under one blueprint."""

from . import (
    activity,
    consent,
    embedding,
    exports,
    governance,
    inbound,
    lists,
    mailbox,
    notices,
    operations,
    retention,
    sectors,
    set_up,
    settings,
    staff,
    suppressions,
    take_down,
)
from .room import blueprint

__all__ = [
    "activity",
    "blueprint",
    "consent",
    "embedding",
    "exports",
    "governance",
    "inbound",
    "lists",
    "mailbox",
    "notices",
    "operations",
    "retention",
    "sectors",
    "set_up",
    "settings",
    "staff",
    "suppressions",
    "take_down",
]
