"""Every page of this room, registered by being imported."""

from .room import blueprint

__all__ = ["blueprint"]
