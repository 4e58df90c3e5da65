"""The privacy notice and the accessibility statement."""

from flask import abort, render_template
from sqlalchemy import select

from ...db import db
from ...domain.staff import governance
from ...models import MailingList, Organisation, PrivacyNotice
from ...states import GovernanceText
from ..access import public
from .room import blueprint


@blueprint.get("/privacy")
@public
def privacy() -> str:
    """The notice in force, word for word, with its date."""
    notice = db.session.scalar(select(PrivacyNotice).order_by(PrivacyNotice.version.desc()).limit(1))
    if notice is None:
        abort(404)
    return render_template("public/privacy.html", notice=notice)


@blueprint.get("/accessibility")
@public
def accessibility() -> str:
    """How accessible this is, and whom to tell where it is not."""
    organisation = db.session.get(Organisation, 1)
    first = db.session.scalar(select(MailingList).order_by(MailingList.id).limit(1))
    contact = first.contact_address if first else (organisation.email if organisation else "")
    published = governance.current(GovernanceText.ACCESSIBILITY)
    return render_template(
        "public/accessibility.html",
        organisation=organisation,
        contact=contact,
        text=published.text if published else "",
    )
