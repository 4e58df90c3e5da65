"""The issue that a bench sends: a quarterly newsletter of ordinary length, written into the product block by block."""

from datetime import datetime
from typing import Any

from ..db import transaction
from ..domain.issues import approving, creating, editing, scheduling, testing
from ..models import Issue, MailingList

_OPENINGS = (
    "We read the records of forty families, sat in on nine meetings and asked the people who took part what had "
    "helped. Most of what we heard is good, and some of it asks for a change in how we work together.",
    "From the first Monday of the month the new form replaces the two that were used until now. It is shorter, it "
    "asks each thing once, and it tells you at the end who will ring you back and by when.",
    "Last spring a team of volunteers began to keep the hall open on Thursday evenings. By the summer more than "
    "sixty young people came each week, and the neighbours had begun to bring cake.",
    "The board met in October and agreed the priorities for the coming two years. They are fewer than before, and "
    "each has a person who answers for it and a date on which we will say how far we have come. Two of the old ones "
    "are finished, and one we give up, because nobody could say any more what it was for: that, too, is a result.",
)
_MIDDLES = (
    "<ul><li>Ask twice, and write down what was said the second time.</li>"
    "<li>Ring before you write: nine of ten questions are settled on the telephone.</li>"
    "<li>Say who will do what, and by which day, before the meeting ends.</li></ul>",
    "<p>If your team would like somebody to come and talk it through, "
    '<a href="https://larkmere.example.org/talks/{number}">choose a day that suits you</a>. It takes an hour, costs '
    "nothing, and has so far been given to schools, two surgeries, a swimming club and the fire station.</p>",
)
_CLOSINGS = (
    "The full report has eighteen pages and a summary of one. Please take the summary to your next team meeting: "
    "it ends with three questions that are worth ten minutes of anybody’s time.",
    "Thank you to everybody who answered. We promised to tell you what changed because of it, and the list of "
    "changes, with the date of each, will be in the next issue. If you want to hear of it before, come to the open "
    "hour on the second Wednesday of the month: there is no agenda, somebody who can decide is there, and nobody has "
    "to bring anything but a question.",
)
_HEADINGS = (
    "What our practice week found",
    "The new form for concerns",
    "Open evenings at the mill hall",
    "Our priorities for the next two years",
)


def schedule_issue(mailing_list: MailingList, now: datetime) -> Issue:
    """An issue of the list, tested, approved and scheduled for `now`, as the system's administrator would.

    Its mail is of some 31 KB. Opens its own transactions.
    """
    with transaction():
        issue = creating.create_issue(mailing_list, title="December 2026", actor=None, now=now)
        for number, heading in enumerate(_HEADINGS):
            editing.add_block(issue, "section", _section(number, heading), position=number + 1, actor=None, now=now)
        creating.change_frame(
            issue,
            subject="Safeguarding news, December 2026: a new form, six findings and dates for your diary",
            preheader="What has changed, what we found, and what we need from you this quarter.",
            actor=None,
            now=now,
        )
    prepared = approving.prepare(issue, now)
    reason = "A bench: its words are nobody’s news"
    with transaction():
        testing.send_test(issue, prepared, ["editor@example.org"], actor=None, now=now)
        approving.approve(issue, prepared, actor=None, now=now, override_reason=reason)
        scheduling.schedule(issue, now, actor=None, now=now, override_reason=reason, immediately=True)
    return issue


def _section(number: int, heading: str) -> dict[str, Any]:
    opening, middle, closing = (choices[number % len(choices)] for choices in (_OPENINGS, _MIDDLES, _CLOSINGS))
    return {
        "heading": heading,
        "source_agency": "Larkmere Council",
        "body": f"<p>{opening}</p>{middle.format(number=number)}<p>{closing}</p>",
    }
