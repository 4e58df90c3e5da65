"""Every page of this room, registered by being imported."""

from . import (
    approval,
    compose,
    contributions,
    document,
    frame,
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
    "blueprint",
    "compose",
    "contributions",
    "document",
    "frame",
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
