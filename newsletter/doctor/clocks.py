"""Two clocks beside each other. A wrong one makes deadlines, links that end, and the dates of mails wrong."""

from ..operations.judging import MOST_SKEW_SECONDS
from .findings import Notes


def compare_clocks(notes: Notes, other: str, seconds: float) -> None:
    """Say how far another clock (`other`, in words) is from this machine's: `seconds` ahead of it, or behind."""
    if abs(seconds) <= MOST_SKEW_SECONDS:
        notes.good(f"This machine's clock and {other} agree to the minute.")
        return
    way = "behind" if seconds > 0 else "ahead of"
    notes.wrong(
        f"This machine's clock is {_duration(abs(seconds))} {way} {other}.",
        "Set the clock (by NTP): deadlines, links and the dates of mails follow it.",
    )


def _duration(seconds: float) -> str:
    for size, name in ((86400, "days"), (3600, "hours")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds / 60:.0f} minutes"
