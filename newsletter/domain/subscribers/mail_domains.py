"""Domains that take no mail: they say so (a null MX, RFC 7505), or stand in no register at all.

Nobody who signs up waits for the DNS. It is asked afterwards, and what it says is kept for a while: nothing more is
sent to such a domain, staff see why, and the form answers as it always does. Where the DNS says nothing, mail goes.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, and_, delete, or_, select

from ... import addresses
from ...db import conflict_aware_insert, db
from ...mail.names import Names, NamesUnavailable
from ...models import MailDomain, SignUp

#: For how long an answer is believed, and a silence.
GOOD_FOR, _ASK_AGAIN = timedelta(days=7), timedelta(hours=1)
_KEPT = timedelta(days=30)
#: Sign-ups that are younger are looked through.
_NEW = timedelta(days=2)
_LOOKED_THROUGH = 2000


def takes_no_mail(address: str, now: datetime) -> bool:
    """Whether the domain of an address is known to take none."""
    known = select(MailDomain.domain).where(*taking_none(domain_of(address), now - GOOD_FOR))
    return db.session.scalar(known) is not None


def taking_none(
    domain: str | BindParameter[str], since: datetime | BindParameter[datetime]
) -> tuple[ColumnElement[bool], ...]:
    """What is so of a domain that is known to take no mail, if the answer is believed that came after `since`."""
    return MailDomain.domain == domain, MailDomain.takes_mail.is_(False), MailDomain.looked_at > since


def to_look_up(now: datetime, limit: int) -> list[str]:
    """The domains of new sign-ups that nobody has asked about lately, the newest first."""
    waiting = select(SignUp.address_key).where(
        SignUp.confirmed_at.is_(None), SignUp.replaced_at.is_(None), SignUp.created_at > now - _NEW
    )
    keys = db.session.scalars(waiting.order_by(SignUp.id.desc()).limit(_LOOKED_THROUGH))
    wanted = dict.fromkeys(domain_of(key) for key in keys if key)
    answered = and_(MailDomain.takes_mail.is_not(None), MailDomain.looked_at > now - GOOD_FOR)
    lately = or_(answered, MailDomain.looked_at > now - _ASK_AGAIN)
    known = set(db.session.scalars(select(MailDomain.domain).where(MailDomain.domain.in_(wanted), lately)))
    return [one for one in wanted if one not in known][:limit]


def ask(domain: str, names: Names) -> bool | None:
    """Whether the domain takes mail, asked of the DNS; None where that says nothing.

    Without an MX record mail goes to the domain's own address (RFC 5321 §5.1), if it has one.
    """
    try:
        servers = names.mail_servers(domain)
        if servers:
            return any(host for _preference, host in servers)
        return bool(names.addresses(domain))
    except NamesUnavailable:
        return None


def keep(said: Iterable[tuple[str, bool | None]], now: datetime) -> None:
    """Write down what was answered, in the running transaction."""
    for domain, takes_mail in said:
        values = {"takes_mail": takes_mail, "looked_at": now}
        adding = conflict_aware_insert(MailDomain).values(domain=domain, **values)
        db.session.execute(adding.on_conflict_do_update(index_elements=[MailDomain.domain], set_=values))


def forget(addresses_: Iterable[str]) -> None:
    """Whose address is erased may have a domain of their own."""
    db.session.execute(delete(MailDomain).where(MailDomain.domain.in_([domain_of(one) for one in addresses_])))


def forget_old(now: datetime) -> None:
    """Give up what was asked a month ago."""
    db.session.execute(delete(MailDomain).where(MailDomain.looked_at <= now - _KEPT))


def domain_of(address: str) -> str:
    """The domain as it is kept here."""
    return addresses.domain_of(addresses.key(address))
