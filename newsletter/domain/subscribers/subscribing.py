"""Double opt-in: somebody enters an address, its owner presses a button, and only then is anybody subscribed.

The form is a public machine that sends mail to strangers, so it sends little: one confirmation and one repeat of it
in 24 hours, three in 30 days, counted over all lists and all comers; nothing to whoever asked for nothing more.
Whoever asks is told the same in every case (ASVS 6.3.8): what was decided shows in the mail alone.
"""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from ... import addresses
from ...db import UTCDateTime, db, kept_if, take_turn
from ...errors import Refused, TokenExpired
from ...i18n import gettext as _
from ...models import ConsentWording, MailingList, SignUp, SignUpChoice
from ...models._columns import public_id
from ...states import SuppressionReason
from .. import notices
from ..staff import activity
from . import joining, leaving, offering, sectors, suppressing
from .sign_ups import (
    ALREADY,
    CONFIRMATION,
    LINK_WORKS_FOR,
    Pending,
    SignUpState,
    lists_of,
    pending_sign_up,
    standing,
    state_of,
)

_log = logging.getLogger(__name__)
_VISITOR = "A visitor"
_REPLACE = (
    update(SignUp)
    .where(SignUp.address_key == bindparam("key"), SignUp.confirmed_at.is_(None), SignUp.replaced_at.is_(None))
    .values(replaced_at=bindparam("now", type_=UTCDateTime))
)

Choices = Sequence[tuple[MailingList, ConsentWording]]


@dataclass(frozen=True)
class Confirmation:
    """What pressing the button led to: `already` when it had been pressed before."""

    already: bool
    lists: tuple[MailingList, ...]


def request_subscription(
    *,
    address: str,
    lists_with_wordings: Choices,
    name: str = "",
    organisation: str = "",
    sector: str = "",
    source: str,
    network: str = "",
    now: datetime,
) -> None:
    """Somebody asks for lists at a cleaned address. Says nothing about what came of it.

    `lists_with_wordings` is what was ticked, with the words beside each box; `sector` the slug of one; `source` is the
    form; `network` where the request came from, cut short. Raises ValueError when nothing is ticked: the form asks for
    one.
    """
    if not lists_with_wordings:
        raise ValueError("A sign-up needs a list")
    take_turn(f"sign-up:{addresses.key(address)}")
    asked = {
        "public_id": public_id(),
        "address": address,
        "address_key": addresses.key(address),
        "name": name,
        "organisation": organisation,
        "sector": sectors.known(sector),
        "source": source,
        "network": network,
        "created_at": now,
        "expires_at": now + LINK_WORKS_FOR,
    }
    outcome = _answer(asked, lists_with_wordings, now)
    activity.record("sign_up.requested", actor=None, actor_name=_VISITOR, now=now, outcome=outcome)
    _log.info("A sign-up was answered by: %s", outcome)


def _answer(asked: dict[str, Any], choices: Choices, now: datetime) -> str:
    """Decide what the address gets: a confirmation, a reminder that it has what it asks for, or nothing.

    All is looked at, and all is written, whatever is decided: an answer by less work would come measurably sooner and
    so tell who asked what is known of the address (ASVS 6.3.8).
    """
    theirs, pending = standing(asked["address"], now), pending_sign_up(asked["address_key"], now)
    if theirs.privacy_version is None:
        raise Refused(_("Nobody can sign up before there is a privacy notice."))
    asked["privacy_version"] = theirs.privacy_version
    nothing, waiting = theirs.nothing, pending.lists if pending else {}
    offered = {one.id: wording.id for one, wording in choices}
    wanted = {number: wording for number, wording in offered.items() if number not in theirs.held}
    # Who asks for more than the mail on its way offers gets a second one; who asks for the same does not.
    most = 2 if wanted.keys() - waiting.keys() else 1
    if not nothing and theirs.today >= most:
        nothing = "limited"
    _begin(asked, {**waiting, **(wanted or offered)}, pending, keep=bool(wanted and not nothing), now=now)
    values = {"sign_up": str(asked["public_id"])} if wanted else {"lists": sorted(offered)}
    _write_to(asked["address"], CONFIRMATION if wanted else ALREADY, values, min(offered), keep=not nothing, now=now)
    return nothing or ("confirmation" if wanted else "already subscribed")


def _begin(
    asked: dict[str, Any], wanted: dict[int, int], pending: Pending | None, *, keep: bool, now: datetime
) -> None:
    """Keep the sign-up in place of the one before it, if it is to be kept."""
    if pending is not None:
        asked.update({what: asked[what] or said for what, said in pending.said.items()})
    connection = db.session.connection()
    with kept_if(keep, rows=True):
        connection.execute(_REPLACE, {"key": asked["address_key"], "now": now})
        made = connection.execute(insert(SignUp).returning(SignUp.id), asked).scalar_one()
        choices = [{"list_id": list_id, "wording_id": wording} for list_id, wording in wanted.items()]
        connection.execute(insert(SignUpChoice), [{"sign_up_id": made, **one} for one in choices])


def _write_to(address: str, template: str, values: dict[str, Any], list_id: int, *, keep: bool, now: datetime) -> None:
    with kept_if(keep, rows=True):
        notices.send_by_row(template, address, values=values, list_id=list_id, priority=notices.URGENT, now=now)


def send_again(address: str, *, now: datetime) -> None:
    """ "Send it again" on the page after the form: once a day, and only what is waiting. Says nothing either."""
    key = addresses.key(address)
    take_turn(f"sign-up:{key}")
    theirs, pending = standing(address, now), pending_sign_up(key, now)
    nothing = theirs.nothing
    if not nothing and (pending is None or theirs.today >= 2):
        nothing = "limited"
    waiting = min(pending.lists, default=0) if pending else 0
    lists = select(MailingList.id).order_by((MailingList.id == waiting).desc(), MailingList.id)
    first = db.session.scalar(lists.limit(1))
    if first is not None:
        values = {"sign_up": str(pending.public_id if pending else uuid.UUID(int=0))}
        _write_to(address, CONFIRMATION, values, first, keep=not nothing, now=now)
    outcome = nothing or "confirmation again"
    activity.record("sign_up.requested", actor=None, actor_name=_VISITOR, now=now, outcome=outcome)


def ask_again(sign_up: SignUp, *, network: str = "", now: datetime) -> None:
    """A new link in place of one that has expired or was replaced: the same choices, in the words of today."""
    choices = []
    for one in lists_of(sign_up):
        wording = offering.wording_of(one, now)
        if one.public and wording is not None:
            choices.append((one, wording))
    if not choices or not sign_up.address:
        raise Refused(_("That list takes no sign-ups any more."))
    request_subscription(
        address=sign_up.address,
        lists_with_wordings=choices,
        name=sign_up.name,
        organisation=sign_up.organisation,
        sector=sign_up.sector,
        source=sign_up.source,
        network=network,
        now=now,
    )


def confirm(sign_up: SignUp, *, now: datetime) -> Confirmation:
    """The owner of the address pressed the button: put them on what they ticked. A second time changes nothing.

    Raises TokenExpired for a link that is over or was replaced, Refused for one that its owner has disowned; the
    page looks at `state_of` first and says more.
    """
    take_turn(f"sign-up:{sign_up.address_key}")
    db.session.refresh(sign_up)
    lists = tuple(lists_of(sign_up))
    state = state_of(sign_up, now)
    if state is SignUpState.CONFIRMED:
        return Confirmation(True, lists)
    if state is SignUpState.DISOWNED:
        raise Refused(_("The owner of this address asked us not to write to it."))
    if state is not SignUpState.OPEN:
        raise TokenExpired(_("This link is over. Ask for a new one."))
    sign_up.confirmed_at = now
    subscriber = joining.find_or_make_subscriber(
        sign_up.address, name=sign_up.name, organisation=sign_up.organisation, sector=sign_up.sector, now=now
    )
    for choice in sign_up.choices:
        evidence = joining.Evidence(
            choice.wording, sign_up.privacy_version, "sign-up form", sign_up.source, sign_up.network, sign_up.created_at
        )
        joining.join(subscriber, choice.mailing_list, evidence, now=now)
    suppressing.end_by_sign_up(sign_up.address, now=now)
    db.session.flush()
    _log.info("A sign-up was confirmed for %d list(s)", len(lists))
    for one in lists:
        activity.record(
            "subscription.confirmed",
            actor=None,
            actor_name=leaving.SUBSCRIBER,
            now=now,
            mailing_list=one,
            subject=("subscriber", subscriber.id),
        )
    return Confirmation(False, lists)


def disown(sign_up: SignUp, *, now: datetime) -> bool:
    """ "This was not me": end the sign-up and what came of it, and never ask this address again. False if it was."""
    take_turn(f"sign-up:{sign_up.address_key}")
    db.session.refresh(sign_up)
    if any(one.reason is SuppressionReason.NOT_ME for one in suppressing.suppressions_of(sign_up.address)):
        return False
    subscriber = joining.find_subscriber(sign_up.address)
    for subscription in subscriber.subscriptions if subscriber and sign_up.confirmed_at else []:
        if subscription.list_id in {choice.list_id for choice in sign_up.choices}:
            leaving.unsubscribe(subscription, route="not me", now=now)
    suppressing.suppress(sign_up.address, SuppressionReason.NOT_ME, now=now)
    _log.info("A sign-up was disowned")
    return True
