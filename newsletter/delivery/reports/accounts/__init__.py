"""The accounts of a sent issue: where each frozen recipient stands, and whether it adds up. Reads only."""

from .counting import Counts, Rate, aggregated_at, counted, counts, rate, tallied
from .reading import InDoubt, Reason, in_doubt, next_retry, reasons, recent_events, skipped
from .verifying import verify

__all__ = [
    "Counts",
    "InDoubt",
    "Rate",
    "Reason",
    "aggregated_at",
    "counted",
    "counts",
    "in_doubt",
    "next_retry",
    "rate",
    "reasons",
    "recent_events",
    "skipped",
    "tallied",
    "verify",
]
