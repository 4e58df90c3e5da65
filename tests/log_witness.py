"""Reads every log line of a story, and finds in none of them anybody, nor a key of anybody's link.

The lines are read as the modules wrote them: what `newsletter.logs` would take out at the last moment counts too.
"""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from newsletter.db import db
from newsletter.models import Account, Contributor, Notice, SignUp, Subscriber
from tests.smtp_servers import AcceptingServer

_LINK = re.compile(rb"https?://[^\s\"<>]+")
_WHO = (
    Account.email,
    Account.name,
    Subscriber.address,
    Subscriber.name,
    Contributor.address,
    Contributor.name,
    SignUp.address,
    SignUp.name,
    Notice.address,
)


@contextmanager
def nobody_in_the_logs(post: AcceptingServer) -> Iterator[None]:
    """What happens within is told in the logs from "info" on, and names nobody in the database or in these mails."""
    written = io.StringIO()
    witness, ours = logging.StreamHandler(written), logging.getLogger("newsletter")
    before = ours.level
    ours.addHandler(witness)
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        ours.removeHandler(witness)
        ours.setLevel(before)
    lines, told = written.getvalue(), people_and_keys(post)
    assert len(lines.splitlines()) > 20, "the story left no trace"
    assert len(told) > 10, "nobody was in the story"
    assert [each for each in told if each.casefold() in lines.casefold()] == []


def people_and_keys(post: AcceptingServer) -> set[str]:
    """Everybody's addresses and names, and the keys in the links that they were sent."""
    db.session.rollback()
    people = {str(who) for column in _WHO for who in db.session.scalars(select(column)) if who}
    decoded = [message.message.replace(b"=\r\n", b"") for message in post.accepted]
    keys = {part for mail in decoded for link in _LINK.findall(mail) for part in re.split(rb"[/?=&#]", link)}
    return people | {key.decode("ascii", "replace") for key in keys if len(key) >= 20}
