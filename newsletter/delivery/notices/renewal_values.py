"""What the mails say that ask whether somebody still wants a list: until when, and the two ways to answer."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from ... import dates
from ...db import db
from ...domain.subscribers import access, renewal_rules, renewing
from ...models import Notice, Renewal
from ...states import RenewalState
from ...tokens import Purpose
from .links import preferences_link, token_link, unsubscribe_link

Values = dict[str, Any]


def _question(until: timedelta) -> Callable[[Notice, datetime], Values | None]:
    def made(notice: Notice, now: datetime) -> Values | None:
        asked = uuid.UUID(notice.values.get("renewal", str(uuid.UUID(int=0))))
        found = db.session.scalar(select(Renewal).where(Renewal.public_id == asked))
        if found is None or found.state is not RenewalState.ASKED or not access.is_active(found.subscription):
            return None
        person = found.subscription.subscriber
        if person is None or person.address_key != notice.address_key:
            return None
        mailing_list = found.subscription.mailing_list
        ends = dates.day(dates.local(now + until, mailing_list.timezone))
        return {
            "list": mailing_list.name,
            # Counted from when the mail server takes it, as the end is.
            "until": ends if renewal_rules.silence_ends(mailing_list) else "",
            "renew_url": token_link("public.renew", Purpose.RENEW, found.public_id),
            "unsubscribe_url": unsubscribe_link(found.subscription.public_id),
            "preferences_url": preferences_link(found.subscription.public_id),
        }

    return made


#: By template. None: the reason for the mail has gone.
MAKERS: Mapping[str, Callable[[Notice, datetime], Values | None]] = {
    renewing.ASKED: _question(renewing.REMIND_AFTER + renewing.END_AFTER),
    renewing.REMINDER: _question(renewing.END_AFTER),
}
