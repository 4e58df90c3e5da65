"""The texts that the organisation answers for, each version kept; and complaints about data, with their dates."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField

from ... import clock
from ...db import transaction
from ...domain.staff import data_complaints, governance
from ...domain.staff.permissions import Permission, require
from ...errors import Invalid
from ...i18n import gettext as _
from ...states import GovernanceText
from ..access import signed_in_account, staff
from ..fields import put_problems
from ..form_bases import PlainForm
from .room import blueprint

_MANAGE = Permission.MANAGE_INSTALLATION
TITLES = {
    GovernanceText.ACCESSIBILITY: (_("Accessibility statement"), _("Public, at /accessibility")),
    GovernanceText.COMPLAINTS: (_("How to complain about data"), _("Public, at /complaints, above the form")),
    GovernanceText.PROCESSING: (_("Record of processing"), _("For you and whoever asks: what is done with whose data")),
    GovernanceText.IMPACT: (_("Impact assessment"), _("For you: risks to people, and what lowers them")),
    GovernanceText.BREACH: (_("When data are lost"), _("For you: what to do, in which order, by when")),
}
_KINDS = "<any(accessibility,complaints,processing,impact,breach):kind>"


class TextForm(PlainForm):
    """A text as it will be published."""

    text = TextAreaField(_("Text"), render_kw={"rows": 24})


class AnswerForm(PlainForm):
    """What came of a complaint."""

    answer = TextAreaField(_("The outcome, as you told it"), render_kw={"rows": 8})


@blueprint.get("/desk/settings/texts")
@staff(_MANAGE)
def texts() -> ResponseReturnValue:
    """Which texts there are, and since when each stands."""
    require(signed_in_account(), _MANAGE)
    rows = [(kind.value, *TITLES[kind], governance.current(kind)) for kind in TITLES]
    return render_template("admin/texts.html", rows=rows)


@blueprint.route(f"/desk/settings/texts/{_KINDS}", methods=["GET", "POST"])
@staff(_MANAGE)
def text(kind: str) -> ResponseReturnValue:
    """One text; a change is a new version."""
    require(signed_in_account(), _MANAGE)
    which, status = GovernanceText(kind), 200
    form = TextForm(request.form, text=governance.text_of(which))
    if request.method == "POST":
        try:
            with transaction():
                made = governance.publish(which, form.text.data or "", actor=signed_in_account(), now=clock.now())
            flash(_("Version %(version)d is published.") % {"version": made.version}, "success")
            return redirect(url_for("admin.texts"), 303)
        except Invalid as error:
            put_problems(form, error)
            status = 422
    versions = governance.versions(which)
    return render_template(
        "admin/text.html", form=form, kind=kind, title=TITLES[which][0], where=TITLES[which][1], versions=versions
    ), status


@blueprint.get("/desk/settings/complaints")
@staff(_MANAGE)
def complaints() -> ResponseReturnValue:
    """Complaints about data: those that wait, the most urgent first, and those that were answered."""
    require(signed_in_account(), _MANAGE)
    return render_template("admin/complaints.html", complaints=data_complaints.everything(), now=clock.now())


@blueprint.route("/desk/settings/complaints/<uuid:public_id>", methods=["GET", "POST"])
@staff(_MANAGE)
def complaint(public_id: UUID) -> ResponseReturnValue:
    """One complaint; its outcome ends it."""
    require(signed_in_account(), _MANAGE)
    found, form, status = data_complaints.find(public_id), AnswerForm(request.form), 200
    if request.method == "POST":
        try:
            with transaction():
                data_complaints.answer(found, form.answer.data or "", actor=signed_in_account(), now=clock.now())
            flash(_("Kept. The complaint is answered."), "success")
            return redirect(url_for("admin.complaints"), 303)
        except Invalid as error:
            put_problems(form, error)
            status = 422
    return render_template("admin/complaint.html", complaint=found, form=form, now=clock.now()), status


@blueprint.post("/desk/settings/complaints/<uuid:public_id>/confirm")
@staff(_MANAGE)
def confirm_complaint(public_id: UUID) -> ResponseReturnValue:
    """Note that its sender was told that it is here."""
    require(signed_in_account(), _MANAGE)
    with transaction():
        data_complaints.acknowledge(data_complaints.find(public_id), actor=signed_in_account(), now=clock.now())
    flash(_("Noted."), "success")
    return redirect(url_for("admin.complaint", public_id=public_id), 303)
