"""Every page of this room, registered by being imported."""

from . import (
    approval,
    binned,
    compose,
    contributions,
    document,
    frame,
    history,
    issue,
    issues,
    preview,
    quarter,
    schedule,
    sending,
    sending_people,
    sending_report,
    subscribers,
)
from .room import blueprint

__all__ = [
    "approval",
    "binned",
    "blueprint",
    "compose",
    "contributions",
    "document",
    "frame",
    "history",
    "issue",
    "issues",
    "preview",
    "quarter",
    "schedule",
    "sending",
    "sending_people",
    "sending_report",
    "subscribers",
]
