"""The public pages' views, by what people come for."""

from . import confirming, leaving, own_data, preferences, reading, subscribing
from .room import blueprint

__all__ = ["blueprint", "confirming", "leaving", "own_data", "preferences", "reading", "subscribing"]
