"""Everything that can go wrong in words, as one tree.

    NewsletterError
    ├── SettingError            a setting that cannot be used; the program does not start
    ├── Refused                 the rules forbid it, now; nothing was changed
    │   ├── Invalid             what was entered cannot be used; says which field and why
    │   ├── Conflict            somebody else changed it first
    │   └── NotAllowed          this person may not do this
    ├── NotFound                there is no such thing, or it is not public
    ├── TokenError              a link that cannot be used
    │   ├── TokenExpired        it was good once
    │   └── TokenInvalid        it never was, or was cut short
    ├── ProviderError           the organisation's sign-in service cannot be asked, or cannot be believed
    ├── MailboxError            the mailbox that our mail comes back to cannot be read now
    └── RelayError              the mail server; the type says what to do next
        ├── RelayBusy           later, this message
        ├── RelayDown           later, every message: the connection or the server is gone
        ├── RelayRefused        never, this message
        ├── RelayRejectsUs      stop the run: it objects to us, not to the recipient
        └── RelayUnsure         the final dot left and no answer came: ask a person

The message of each is one sentence that a person can act on: it is shown as it stands, on the page, on the
command line's standard error, and in a log. It never holds a secret.
"""

import dataclasses
from dataclasses import dataclass


class NewsletterError(Exception):
    """The root. `str(error)` is the sentence to show."""


class SettingError(NewsletterError):
    """A setting, named in the sentence, has a value that cannot be used."""


class Refused(NewsletterError):
    """The rules do not allow it, and nothing was changed."""


class ProviderError(NewsletterError):
    """The organisation's sign-in service cannot be asked, or says what cannot be believed. Nobody is signed in."""


class MailboxError(NewsletterError):
    """The mailbox that reports and answers come to cannot be read now; the next look may find it mended."""


@dataclass(frozen=True)
class Problem:
    """One thing to mend: `field` is the name of the form field or the path in a block's data. `code` names the kind of
    problem where somebody asks for it."""

    field: str
    sentence: str
    code: str = dataclasses.field(default="", compare=False)


def _joined(sentences: list[str]) -> str:
    *others, last = sentences
    return " ".join([*(one if one[-1:] in ".?!" else f"{one}." for one in others), last])


class Invalid(Refused):
    """What was entered cannot be used as it is. Holds every problem found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        if not problems:
            raise ValueError("Invalid needs at least one problem")
        super().__init__(_joined(list(dict.fromkeys(problem.sentence for problem in problems))))
        self.problems = problems


class Conflict(Refused):
    """Somebody changed the thing between reading and writing it."""


class NotAllowed(Refused):
    """The person is known, and may not do this."""


class NotFound(NewsletterError):
    """There is no such thing, or none that this person may know of."""


class TokenError(NewsletterError):
    """A link or code that cannot be used."""


class TokenExpired(TokenError):
    """The link was good and its time is over."""


class TokenInvalid(TokenError):
    """The link was not made by us, or not for this, or was cut short on the way."""


class RelayError(NewsletterError):
    """The mail server did not take a message.

    `code` is the three-digit reply code (0 where no reply came), `enhanced` the RFC 3463 status or "", and
    `reply` what the server said, in one line, without our credentials.
    """

    def __init__(self, sentence: str, *, code: int = 0, enhanced: str = "", reply: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.enhanced = enhanced
        self.reply = reply


class RelayBusy(RelayError):
    """The server asks us to try this message again later (4xx about it)."""


class RelayDown(RelayError):
    """The connection or the server is gone before the final dot: every message waits, none is in doubt."""


class RelayRefused(RelayError):
    """The server will never take this message for this recipient (5xx about it)."""


class RelayRejectsUs(RelayError):
    """The server objects to us (sign-in, TLS, policy about the sender, size): the run stops, nobody bounces."""


class RelayUnsure(RelayError):
    """The final dot left and the answer did not come (RFC 1047): the reader may have it, or not."""
