"""What is wrong with a send that stopped by itself, and what somebody can do about it.

The engine says what it saw, in a sentence. Who reads it edits a newsletter: they want to know whether anything is
lost, whom to ask, and what to press. The first row whose words occur in the sentence decides.
"""

import re
from dataclasses import dataclass

from newsletter.i18n import gettext as _


@dataclass(frozen=True)
class Advice:
    """A short heading, and the steps to take, in order; resuming is the last of them and not among them."""

    heading: str
    steps: tuple[str, ...]


_ASK = _("Send the sentence above to whoever runs this installation. The command “newsletter doctor” tells them more.")

_TABLE: tuple[tuple[str, Advice], ...] = (
    (
        r"disk is nearly full",
        Advice(_("The disk is nearly full"), (_("Ask whoever runs this installation to make room."),)),
    ),
    (
        r"mail cannot be made",
        Advice(
            _("The mail cannot be made"),
            (_ASK, _("If words have to change, cancel the rest: those who have it keep it.")),
        ),
    ),
    (
        r"switched off",
        Advice(
            _("Sending is switched off"),
            (_("An administrator can switch it on under Settings, “Who gets mail”."),),
        ),
    ),
    (
        r"refused or got no answer|than a good list has",
        Advice(
            _("Too many of the first were refused"),
            (
                _("Look at who was refused, and why: the number under “Refused” leads there."),
                _("If addresses are old or misspelt, find out where they came from before you go on."),
                _("If the reasons speak of spam, of us or of our address, ask whoever runs this installation."),
            ),
        ),
    ),
    (
        r"certificate|\bTLS\b|in the clear",
        Advice(_("The mail server could not prove who it is"), (_ASK, _("Nothing is sent unprotected meanwhile."))),
    ),
    (
        r"AUTH|sign[- ]in|access token|password|authenticat",
        Advice(
            _("The mail server does not let us sign in"),
            (_("Find out whether the password for the mail server was changed."), _ASK),
        ),
    ),
    (
        r"quota|limit",
        Advice(
            _("The mail server takes no more for now"),
            (_("Wait as long as it says, an hour or a day, and resume."), _ASK),
        ),
    ),
    (
        r"again later",
        Advice(
            _("The mail server asks us to wait"),
            (_("Wait ten minutes and resume."), _("If it stops again:") + " " + _ASK),
        ),
    ),
    (
        r"does not take mail from us|rejects us",
        Advice(
            _("The mail server refuses our mail"),
            (_ASK, _("Going on would be refused for everybody, so it stopped at the first.")),
        ),
    ),
    (
        r"could not be reached|not taking mail|connection|in a row|out of order|broke",
        Advice(
            _("The mail server is not there"),
            (_("Often it is back by itself: wait ten minutes and resume."), _("If it stops again:") + " " + _ASK),
        ),
    ),
    (
        r"database",
        Advice(_("The accounts could not be written"), (_ASK, _("Nothing was sent that is not accounted for."))),
    ),
)
_OTHERWISE = Advice(_("Something is wrong"), (_ASK,))


def advice(reason: str) -> Advice:
    """What to do about a pause for `reason`, the engine's own sentence."""
    return next((each for words, each in _TABLE if re.search(words, reason)), _OTHERWISE)
