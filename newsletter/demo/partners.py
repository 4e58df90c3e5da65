"""The agencies of the demo's partnership, who writes for them, and what they did about the last two calls."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from ..domain.calls.handing_in import contributing
from ..domain.calls.partners import agencies, contributors, proving
from ..domain.calls.reminding import answering, extending, opening
from ..domain.calls.rhythm import cadence
from ..domain.calls.rhythm.cadence import Rhythm
from ..domain.calls.texts.news import News
from ..models import Account, Contribution, Issue, MailingList
from . import words

#: The second Thursday of a quarter's last month; news by the third Friday two months before. See `quarters`.
_RHYTHM = Rhythm(
    send_rule="FREQ=YEARLY;BYMONTH=3,6,9,12;BYDAY=2TH",
    deadline_rule="FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR",
    send_time=time(10),
    deadline_time=time(17),
)


def join(mailing_list: MailingList, editor: Account, at: datetime) -> None:
    """The list has a rhythm and agencies, and each agency somebody who writes for it."""
    cadence.choose(mailing_list, _RHYTHM, actor=editor, now=at)
    mailing_list.uses_agencies = True
    for name, people in words.PARTNERS.items():
        agency = agencies.create(name, mailing_list, actor=editor, now=at)
        for lead, (person, address) in ((number == 0, person) for number, person in enumerate(people)):
            invited = contributors.invite(address, agency, name=person, lead=lead, by_mail=False, by=editor, now=at)
            if lead:
                invited.proved_at = at + timedelta(hours=2)


def send_in(issue: Issue, piece: News, at: datetime) -> Contribution:
    """What one of them wrote; for their agency, if they are known."""
    person = proving.find_contributor(piece.contact_address)
    way = contributing.Way(contributor=person, proved=True, declared=True)
    opened_at = at - timedelta(minutes=20)
    return contributing.save_contribution(issue, piece, opened_at=opened_at, now=at, way=way).contribution


def open_call(issue: Issue, editor: Account, at: datetime, *, nothing: Iterable[str] = ()) -> None:
    """Everybody is invited; the agencies named in `nothing` say that they have nothing this time."""
    opening.open_the_call(issue, actor=editor, now=at)
    for name in nothing:
        agency = agencies.find_by_name(name)
        assert agency is not None
        person = agencies.people_of(agency)[0]
        answering.say_nothing(issue, agency, contributor=person, now=at)


def ask_for_time(contribution: Contribution, reason: str, at: datetime) -> None:
    """Its sender was late and asks for more time."""
    extending.ask(contribution.issue, contribution=contribution, reason=reason, now=at)
