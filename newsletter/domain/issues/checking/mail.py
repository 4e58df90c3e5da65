"""How the issue looks in an inbox: its subject and the line after it."""

from collections.abc import Iterator

from ....rendering.content import Frame
from .findings import Finding

_LONG_SUBJECT, _LONG_PREHEADER, _SHORT_PREHEADER = 70, 130, 30


def check_mail(frame: Frame) -> Iterator[Finding]:
    """The findings of subject and preview text. That there are any at all is asked when an issue is scheduled."""
    subject, preheader = frame.subject, frame.preheader
    if len(subject) > _LONG_SUBJECT:
        yield _finding(
            "long_subject", "subject", f"The subject has {len(subject)} characters.",
            f"Phones show some 40, desks some {_LONG_SUBJECT}. Put what matters first, or shorten it.", subject,
        )  # fmt: skip
    if len(subject) > 10 and subject.isupper():
        yield _finding(
            "loud_subject", "subject", "The subject is written in capitals.",
            "It reads as shouting, and filters take it for advertising.", subject,
        )  # fmt: skip
    if preheader and preheader.casefold() == subject.casefold():
        yield _finding(
            "same_preheader", "preheader", "The preview text repeats the subject.",
            "It stands beside the subject in the inbox: say what else is in the issue.", preheader,
        )  # fmt: skip
    elif len(preheader) > _LONG_PREHEADER or 0 < len(preheader) < _SHORT_PREHEADER:
        yield _finding(
            "preheader_length", "preheader", f"The preview text has {len(preheader)} characters.",
            f"Between {_SHORT_PREHEADER} and {_LONG_PREHEADER} fill the line in the inbox.", preheader,
        )  # fmt: skip


def _finding(code: str, field: str, sentence: str, why: str, excerpt: str) -> Finding:
    return Finding(code, False, sentence, why, None, field, excerpt, exact=excerpt)
