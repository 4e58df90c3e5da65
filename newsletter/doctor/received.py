"""Reading a mail of ours as it was received: whether all that the newsletter needs survived the journey."""

from ..mail.names import Names
from .compared import check_one_click, compare_bodies, compare_headers
from .findings import Area, Notes
from .kept import KeptProbe
from .mail_source import MailSource, read_source
from .vouching import judge_signatures, read_results

_LONGEST_LINE = 998


def examine_received(octets: bytes, probe: KeptProbe | None, names: Names) -> Notes:
    """What the source of a received mail says; `probe` is the last one sent from here. Raises Invalid for no mail."""
    notes = Notes(Area.RECEIVED)
    received = read_source(octets)
    sent = _counterpart(notes, probe, received)
    judge_signatures(notes, received, names)
    check_one_click(notes, sent, received)
    read_results(notes, received)
    _lines(notes, received)
    if sent is not None and probe is not None:
        _return_path(notes, probe, received)
        compare_headers(notes, sent, received)
        compare_bodies(notes, sent, received)
    return notes


def _counterpart(notes: Notes, probe: KeptProbe | None, received: MailSource) -> MailSource | None:
    """The probe that this mail was: known by its Message-ID, or where that was replaced, by its link or subject."""
    if probe is None:
        notes.unknown("No probe was sent from here, so there is nothing to compare this mail with.",
                      "newsletter doctor --probe ADDRESS")  # fmt: skip
        return None
    sent = read_source(probe.message)
    same = (
        received.value("Message-ID") == sent.value("Message-ID")
        or (received.value("List-Unsubscribe") or "?") == sent.value("List-Unsubscribe")
        or (probe.code != "" and probe.code in received.value("Subject"))
    )
    if not same:
        notes.unknown("This is not the last probe that was sent from here, so it is not compared with that.")
        return None
    return sent


def _lines(notes: Notes, received: MailSource) -> None:
    longest = max(map(len, received.octets.split(b"\r\n")))
    if longest > _LONGEST_LINE:
        notes.wrong(
            f"A line of the mail has {longest} characters, and mail carries {_LONGEST_LINE}: something on the way "
            "joins or rewrites lines."
        )
    if received.bare_ends:
        notes.warning("Some lines end in CR or LF alone: the mail was changed on the way, or when it was saved.")
    if longest <= _LONGEST_LINE and not received.bare_ends:
        notes.good("No line is too long, and none is broken.")


def _return_path(notes: Notes, probe: KeptProbe, received: MailSource) -> None:
    found = received.value("Return-Path").strip("<> ")
    if not found:
        notes.unknown("The source does not show the return path (Return-Path).")
    elif found.lower() == probe.sender.lower():
        notes.good("The return path arrived as it was sent, so bounces come back.")
    else:
        notes.warning(
            f"The return path was replaced by {found[:120]}: bounces go there, not to this installation.",
            "Ask the mail server's operator to keep it, or to hand the bounces on.",
        )
