"""The email that a contribution came by, as it came."""

from sqlalchemy import select

from newsletter.db import db
from newsletter.domain.calls.handing_in.mail_source import source_of
from newsletter.domain.staff.permissions import Permission, require
from newsletter.errors import NotFound
from newsletter.i18n import gettext as _
from newsletter.models import Contribution
from newsletter.rendering import characters
from newsletter.web.access import signed_in_account, staff

from .room import blueprint, page


@blueprint.get("/desk/contributions/<reference>/email")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution_email(reference: str) -> tuple[str, int]:
    """When it came, what was left out, and every word of it."""
    typed = characters.one_line(reference).upper()
    found = db.session.scalar(select(Contribution).where(Contribution.reference == typed))
    mail = source_of(found) if found is not None else None
    if found is None or mail is None:
        raise NotFound(_("There is no email for this reference."))
    require(signed_in_account(), Permission.TRIAGE_CONTRIBUTIONS, found.issue.mailing_list)
    return page(
        "contribution_email.html",
        under="editor.contributions",
        found=found,
        mail=mail,
        timezone=found.issue.mailing_list.timezone,
        accent=found.issue.mailing_list.accent,
    )
