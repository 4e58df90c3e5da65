"""What people agreed to: one person's on a page to print, and the proof that the record was not changed."""

from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from ... import clock
from ...db import db
from ...domain.staff.permissions import Permission, may, require
from ...domain.subscribers import evidence, sealing
from ...errors import NotFound
from ...i18n import gettext as _
from ...models import Subscriber
from ..access import signed_in_account, staff
from ..headers import private_page
from .room import blueprint

_MANAGE = Permission.MANAGE_INSTALLATION


@blueprint.route("/desk/settings/consent", methods=["GET", "POST"])
@staff(_MANAGE)
def consent_record() -> ResponseReturnValue:
    """The head of the chain; a POST walks it all and says what came of it."""
    require(signed_in_account(), _MANAGE)
    known = request.form.get("head", "")[:200]
    verified = sealing.verify(known) if request.method == "POST" else None
    return render_template("admin/consent_record.html", head=sealing.head(), verified=verified, known=known.strip())


@blueprint.get("/desk/subscribers/<uuid:public_id>/consent")
@staff(Permission.SEE_ADDRESSES)
def consent_of(public_id: UUID) -> ResponseReturnValue:
    """All that shows that one person agreed, on one page to print."""
    account = signed_in_account()
    person = db.session.scalar(select(Subscriber).where(Subscriber.public_id == public_id))
    theirs = (
        [each for each in person.subscriptions if may(account, Permission.SEE_ADDRESSES, each.mailing_list)]
        if person
        else []
    )
    if person is None or not theirs:
        raise NotFound(_("There is no such person here. They may have been erased."))
    return private_page(
        render_template(
            "admin/consent_of.html",
            who=person,
            evidence=evidence.evidence_of(theirs),
            timezone=theirs[0].mailing_list.timezone,
            now=clock.now(),
        )
    )
