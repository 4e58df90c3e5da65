"""What staff and leads do about somebody who sends in news, by one button each: the verb, and what it says then."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ..domain.calls.partners import contributors
from ..domain.calls.partners.agencies import Actor
from ..i18n import gettext as _
from ..models import Contributor

_Act = Callable[[Contributor, Actor, datetime], None]


def _lead(lead: bool) -> _Act:
    def act(person: Contributor, by: Actor, now: datetime) -> None:
        contributors.change(person, name=person.name, agency=person.agency, lead=lead, by=by, now=now)

    return act


def _end(person: Contributor, by: Actor, now: datetime) -> None:
    contributors.end(person, by=by, now=now)


def _resume(person: Contributor, by: Actor, now: datetime) -> None:
    contributors.resume(person, by=by, now=now)


def _sign_out(person: Contributor, by: Actor, now: datetime) -> None:
    contributors.sign_out_everywhere(person, by=by, now=now)


def _invite_again(person: Contributor, by: Actor, now: datetime) -> None:
    contributors.invite_again(person, by=by, now=now)


#: By the word in the address.
ACTS: Mapping[str, tuple[_Act, str]] = {
    "lead": (_lead(True), _("{who} may invite and end people now.")),
    "no-lead": (_lead(False), _("{who} sends in news, and no longer looks after the others.")),
    "end": (_end, _("{who} can no longer sign in. What they sent is kept.")),
    "resume": (_resume, _("{who} can sign in again.")),
    "sign-out": (_sign_out, _("{who} is signed out everywhere.")),
    "invite-again": (_invite_again, _("A new invitation is on its way to {who}.")),
}


def perform(word: str, person: Contributor, *, by: Actor, now: datetime) -> str:
    """Do it, in the running transaction; the sentence to show. Raises KeyError for another word, Refused."""
    act, sentence = ACTS[word]
    act(person, by, now)
    return sentence.format(who=person.name or person.address)
