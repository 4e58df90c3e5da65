"""People who send in news, as rows, and browsers in which they are signed in."""

from datetime import datetime

from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import addresses
from newsletter.config import current_settings
from newsletter.db import transaction
from newsletter.domain.calls.partners import contributor_sessions
from newsletter.models import Agency, Contributor


def contributor(
    now: datetime, name: str = "Sam Okafor", address: str = "sam@police.example.org", agency: str = "Larkmere Police"
) -> Contributor:
    """Somebody whose address is proved, of an agency unless that is ""."""
    with transaction() as session:
        of = session.scalar(select(Agency).where(Agency.name == agency)) if agency else None
        if agency and of is None:
            of = Agency(name=agency, name_key=agency.casefold(), created_at=now)
            session.add(of)
            session.flush()
        made = Contributor(
            address=address, address_key=addresses.key(address), name=name, agency_id=of.id if of else None,
            created_at=now, approved_at=now, proved_at=now,
        )  # fmt: skip
        session.add(made)
    return made


def sign_in(client: FlaskClient, who: Contributor, now: datetime) -> None:
    """Sign this browser in; it says, as browsers do, that its forms come from our own pages."""
    with transaction():
        session = contributor_sessions.start(who, now=now)
    name = "__Host-contributor" if current_settings().https else "contributor"
    for domain in ("localhost", current_settings().public_host):
        client.set_cookie(name, session, domain=domain)
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
