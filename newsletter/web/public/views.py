"""The public pages' views, by what people come for."""

from . import (
    addressing,
    complaining,
    confirming,
    details,
    draft,
    held_data,
    join_list,
    leaving,
    own_data,
    preferences,
    reading,
    rejoining,
    renewing,
    subscribing,
)
from .room import blueprint

__all__ = [
    "addressing",
    "blueprint",
    "complaining",
    "confirming",
    "details",
    "draft",
    "held_data",
    "join_list",
    "leaving",
    "own_data",
    "preferences",
    "reading",
    "rejoining",
    "renewing",
    "subscribing",
]
