"""newsletter: a partnership's email newsletter, composed from sections, sent on a schedule, accounted for."""

__version__ = "0.1.0"
