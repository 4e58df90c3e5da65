"""Who vouches for a received mail: its signatures, and what the receiver's own checks said of it."""

import re

from ..mail.names import Names, NamesUnavailable
from . import dmarc
from .findings import Notes
from .mail_source import MailSource
from .signatures import Signature, Verdict, read_signatures

#: RFC 8058 §3.1: without these two in a signature that holds, there is no one-click unsubscribe.
ONE_CLICK = ("List-Unsubscribe", "List-Unsubscribe-Post")
SHOULD_BE_SIGNED = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"),
    *("List-Id", "Reply-To", "Feedback-ID"),
)
_COMFORTABLE_BITS = 2048
_FEWEST_BITS = 1024
_RESULT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)
#: Method of Authentication-Results to what is amiss when it does not pass.
_MEND = {
    "spf": "The SPF record of the return path's domain does not name your mail server.",
    "dkim": "See what is said of the signatures.",
    "dmarc": "Neither SPF nor a signature vouches for the sender's domain.",
}


def judge_signatures(notes: Notes, received: MailSource, names: Names) -> None:
    """Whether a signature of the sender's domain holds, and covers what it must."""
    sender = received.value("From").rpartition("@")[2].strip("<> ").lower()
    found = read_signatures(received, names.texts)
    if not found:
        notes.wrong(
            "The mail carries no DKIM signature: large providers refuse it or hide it, and none offers one-click "
            "unsubscribe.",
            "Let the mail server sign mail from your domain (DKIM).",
        )
        return
    ours = [signature for signature in found if _counts_for(sender, signature, names)]
    vouched = any(signature.verdict is Verdict.VALID for signature in ours)
    for signature in found:
        _one_signature(notes, signature, vouched)
    if not ours:
        notes.wrong(
            f"None of the signatures is of {sender}, the sender's domain, so none counts for DMARC.",
            f"Let the mail server sign with d={sender}.",
        )
    _coverage(notes, received, ours or found)


def _one_signature(notes: Notes, signature: Signature, vouched: bool) -> None:
    """One that does not hold is no harm beside one of ours that does (`vouched`)."""
    name = f"The signature of {signature.domain or 'nobody'} (key “{signature.selector}”)"
    if signature.verdict is Verdict.UNCHECKED:
        notes.unknown(f"{name} was not verified: {signature.why}.")
    elif signature.verdict is Verdict.INVALID:
        say = notes.warning if vouched else notes.wrong
        say(f"{name} does not hold: {signature.why}.", "Whatever changes the mail must do it before it is signed.")
    else:
        notes.good(f"{name} holds.")
    if signature.algorithm not in ("rsa-sha256", "ed25519-sha256"):
        notes.wrong(f"{name} uses {signature.algorithm or 'no algorithm'}, which receivers do not take (RFC 8301).")
    if 0 < signature.bits < _FEWEST_BITS:
        notes.wrong(f"{name} has a key of {signature.bits} bits: receivers do not take it.", "Use 2048 bits.")
    elif 0 < signature.bits < _COMFORTABLE_BITS:
        notes.warning(f"{name} has a key of {signature.bits} bits.", "Use 2048 bits (RFC 8301).")
    if signature.partial:
        notes.warning(f"{name} covers the beginning of the body only (l=): anybody may add to it.", "Leave l= out.")


def _counts_for(sender: str, signature: Signature, names: Names) -> bool:
    """Whether the signature is of the sender's organisation (RFC 9989 §4.4); by their names where no record says."""
    if not signature.domain or not sender:
        return False
    if signature.domain == sender:
        return True
    try:
        found = dmarc.discover(sender, names)
        if found.record is not None:
            same = dmarc.discover(signature.domain, names).organisation == found.organisation
            return same and not found.record.strict("adkim")
    except NamesUnavailable:
        pass
    return signature.domain.endswith(f".{sender}") or sender.endswith(f".{signature.domain}")


def _coverage(notes: Notes, received: MailSource, candidates: list[Signature]) -> None:
    """What the best of the signatures covers: one that holds before one that does not."""
    present = {name.lower() for name in received.names}
    wanted = [name for name in SHOULD_BE_SIGNED if name.lower() in present]
    order = (Verdict.VALID, Verdict.UNCHECKED, Verdict.INVALID)
    best = min(
        candidates,
        key=lambda one: (
            order.index(one.verdict),
            not one.covers(*ONE_CLICK),
            -sum(one.covers(name) for name in wanted),
        ),
    )
    left_out = [name for name in ONE_CLICK if not best.covers(name)]
    if left_out:
        notes.wrong(
            f"The signature of {best.domain} does not cover {' and '.join(left_out)}: RFC 8058 wants both signed, so "
            "Gmail and Yahoo offer no one-click unsubscribe, and count that against the sender.",
            "Add both to the list of signed headers of whatever signs (OpenDKIM: SignHeaders; rspamd: sign_headers).",
        )
    else:
        notes.good(f"The signature of {best.domain} covers List-Unsubscribe and List-Unsubscribe-Post (RFC 8058).")
    unsigned = [name for name in wanted if not best.covers(name)]
    if "From" in unsigned:
        notes.wrong(f"The signature of {best.domain} does not cover From, so it is none (RFC 6376 §5.4).")
        unsigned.remove("From")
    if unsigned:
        notes.warning(
            f"The signature of {best.domain} does not cover {', '.join(unsigned)}: they may be changed unseen.",
            "Add them to the list of signed headers.",
        )
    elif not left_out:
        notes.good("All the other headers that matter are signed too.")


def read_results(notes: Notes, received: MailSource) -> None:
    """The topmost Authentication-Results (RFC 8601): the receiver's own. Those below may be anybody's."""
    said = received.value("Authentication-Results")
    if not said:
        notes.unknown("The receiver left no Authentication-Results, so what it thinks of the mail is not known.")
        return
    whom = said.partition(";")[0].split(" ")[0][:80]
    results: dict[str, str] = {}
    for method, result in _RESULT.findall(re.sub(r"\([^()]*\)", " ", said)):
        # One signature that passes is enough, else the first result counts.
        if result.lower() == "pass":
            results[method.lower()] = "pass"
        results.setdefault(method.lower(), result.lower())
    for method, amiss in _MEND.items():
        result = results.get(method)
        if result is None:
            notes.unknown(f"The receiver {whom} says nothing of {method.upper()}.")
        elif result == "pass":
            notes.good(f"The receiver {whom} says: {method.upper()} pass.")
        else:
            say = notes.wrong if result in ("fail", "softfail", "permerror", "policy") else notes.warning
            say(f"The receiver {whom} says: {method.upper()} {result}.", amiss)
