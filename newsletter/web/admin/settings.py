"""The installation: publisher, privacy notice, who may get mail."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ... import clock
from ...db import transaction
from ...delivery.notices import outbox
from ...domain.staff import data_complaints, installation
from ...domain.staff.permissions import Permission, may, may_anywhere, require
from ...errors import Invalid, NotFound
from ...i18n import gettext as _
from ...models import Organisation
from ...states import SendingMode
from ..access import signed_in_account, staff
from ..context import relay_local
from ..fields import put_problems
from .forms import MODE_HINTS, OrganisationForm, PrivacyForm, SendingModeForm
from .room import blueprint

_MANAGE = Permission.MANAGE_INSTALLATION
_MODE_WORDS = {
    SendingMode.NOTHING: _("Nobody gets mail from here"),
    SendingMode.TEAM: _("Only the team gets mail from here"),
    SendingMode.EVERYONE: _("Everyone who subscribed gets mail from here"),
}


@blueprint.get("/desk/settings", endpoint="settings")
@staff(Permission.MANAGE_LISTS)
def overview() -> ResponseReturnValue:
    """What can be set, and how it is set now."""
    me, organisation = signed_in_account(), installation.organisation()
    return render_template(
        "admin/settings.html",
        organisation=organisation,
        privacy=installation.current_privacy_notice(),
        complaints=data_complaints.waiting(),
        mode_words=_MODE_WORDS[organisation.sending_mode] if organisation else "",
        may_installation=may(me, _MANAGE),
        may_subscribers=may(me, Permission.MANAGE_SUBSCRIBERS),
        may_mailbox=may(me, Permission.READ_MAILBOX),
        may_staff=may_anywhere(me, Permission.MANAGE_STAFF),
        relay_name="" if relay_local() else relay_name(),
    )


def relay_name() -> str:
    """What the relay calls itself: its host, never its password."""
    from flask import current_app

    return str(current_app.extensions["newsletter_relay"].name)


def _organisation() -> Organisation:
    """The publisher's row, for somebody who may change it. Raises NotAllowed, NotFound."""
    require(signed_in_account(), _MANAGE)
    organisation = installation.organisation()
    if organisation is None:
        raise NotFound(_("Set up your newsletter first: `newsletter serve` prints the link."))
    return organisation


@blueprint.route("/desk/settings/organisation", methods=["GET", "POST"])
@staff(_MANAGE)
def organisation() -> ResponseReturnValue:
    """Name, address and contact of the publisher."""
    row = _organisation()
    if request.method != "POST":
        return render_template("admin/organisation.html", form=OrganisationForm(obj=row))
    form = OrganisationForm(request.form)
    try:
        with transaction():
            installation.change_organisation(form.details(), actor=signed_in_account(), now=clock.now())
    except Invalid as error:
        put_problems(form, error)
        return render_template("admin/organisation.html", form=form), 422
    flash(_("Saved."), "success")
    return redirect(url_for("admin.settings"), 303)


@blueprint.route("/desk/settings/privacy", methods=["GET", "POST"])
@staff(_MANAGE)
def privacy_notice() -> ResponseReturnValue:
    """The privacy notice; a change is a new version."""
    _organisation()
    current = installation.current_privacy_notice()
    form = PrivacyForm(request.form, privacy_notice=current.text if current else "")
    status = 200
    if request.method == "POST":
        try:
            with transaction():
                made = installation.publish_privacy_notice(
                    form.privacy_notice.data or "", actor=signed_in_account(), now=clock.now()
                )
            flash(_("Version %(version)d is published.") % {"version": made.version}, "success")
            return redirect(url_for("admin.settings"), 303)
        except Invalid as error:
            put_problems(form, error)
            status = 422
    return render_template("admin/privacy_notice.html", form=form, current=current), status


@blueprint.route("/desk/settings/sending", methods=["GET", "POST"])
@staff(_MANAGE)
def sending_mode() -> ResponseReturnValue:
    """Who may get mail from this installation; what was held for that goes out when it may."""
    row = _organisation()
    form = SendingModeForm(request.form, mode=row.sending_mode.value)
    if request.method != "POST":
        return render_template("admin/sending_mode.html", form=form, mode_hints=MODE_HINTS)
    if not form.validate():
        return render_template("admin/sending_mode.html", form=form, mode_hints=MODE_HINTS), 422
    mode, now = SendingMode(form.mode.data), clock.now()
    with transaction():
        installation.change_sending_mode(mode, actor=signed_in_account(), now=now)
    outbox.release_held(now)
    flash(_MODE_WORDS[mode] + ".", "success")
    return redirect(url_for("admin.settings"), 303)
