"""Addresses that get no mail: why one is among them and since when, and ending that for a reason.

An address is entered and posted, never part of a link: only a keyed hash of it is kept, and logs see links.
"""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import EmailField, StringField

from ... import addresses, clock
from ...db import db, transaction
from ...domain.staff.permissions import Permission, require
from ...domain.subscribers import leaving, mail_domains, suppressing
from ...errors import Invalid, NotFound
from ...i18n import gettext as _
from ...models import Suppression
from ...states import SuppressionReason
from ..access import signed_in_account, staff
from ..fields import put_problems
from ..form_bases import PlainForm
from .room import blueprint

_MANAGE = Permission.MANAGE_SUBSCRIBERS
ENDS = {
    True: _("It ends when they sign up again themselves and press the button in the email."),
    False: _("A sign-up does not end it: they get no email, and the page does not say why."),
}


class LookForm(PlainForm):
    """An address to look for."""

    email = EmailField(_("Email address"))


class ReasonForm(PlainForm):
    """Why it ends."""

    reason = StringField(_("Why may mail go to them again?"))


class NoteForm(PlainForm):
    """Who said so."""

    note = StringField(_("Who told us, and when (optional)"))


@blueprint.route("/desk/suppressions", methods=["GET", "POST"])
@staff(_MANAGE)
def suppressions() -> ResponseReturnValue:
    """Enter an address, and see why it gets no mail."""
    require(signed_in_account(), _MANAGE)
    form = LookForm(request.form)
    if request.method != "POST":
        return _page(form)
    try:
        address = addresses.clean(form.email.data or "")
    except Invalid as error:
        put_problems(form, error)
        return _page(form, status=422)
    return _page(form, address=address)


@blueprint.post("/desk/suppressions/<int:key>/lift")
@staff(_MANAGE)
def lift_suppression(key: int) -> ResponseReturnValue:
    """End one, for a reason."""
    require(signed_in_account(), _MANAGE)
    address, reasons = _posted_address(), ReasonForm(request.form)
    found = db.session.get(Suppression, key)
    if found is None or found.address_hash != suppressing.address_hash(address):
        raise NotFound(_("There is no such entry for this address."))
    try:
        with transaction():
            lifted = suppressing.lift(found, reasons.reason.data or "", actor=signed_in_account(), now=clock.now())
    except Invalid as error:
        put_problems(reasons, error)
        return _page(LookForm(email=address), address=address, lifting=key, reasons=reasons, status=422)
    flash(_("Ended. Mail may go there again.") if lifted else _("It had ended before."), "success")
    return redirect(url_for("admin.suppressions"), 303)


@blueprint.post("/desk/suppressions/add")
@staff(_MANAGE)
def add_suppression() -> ResponseReturnValue:
    """Write to an address no more, because somebody said so."""
    require(signed_in_account(), _MANAGE)
    address, notes = _posted_address(), NoteForm(request.form)
    try:
        with transaction():
            leaving.never_again(address, notes.note.data or "", actor=signed_in_account(), now=clock.now())
    except Invalid as error:
        put_problems(notes, error)
        return _page(LookForm(email=address), address=address, notes=notes, status=422)
    flash(_("No mail goes to %(address)s any more.") % {"address": addresses.mask(address)}, "success")
    return redirect(url_for("admin.suppressions"), 303)


def _posted_address() -> str:
    """The address that the form carries. Raises NotFound where it carries none."""
    try:
        return addresses.clean(request.form.get("email", ""))
    except Invalid:
        raise NotFound(_("Enter the address first.")) from None


def _page(
    form: LookForm,
    *,
    address: str = "",
    lifting: int = 0,
    reasons: ReasonForm | None = None,
    notes: NoteForm | None = None,
    status: int = 200,
) -> tuple[str, int]:
    found = suppressing.all_of(address) if address else []
    numbers = suppressing.numbers()
    return render_template(
        "admin/suppressions.html",
        # The one whose problems stand at the head of the page.
        form=next((one for one in (reasons, notes) if one is not None and one.errors), form),
        look=form,
        address=address,
        takes_no_mail=bool(address) and mail_domains.takes_no_mail(address, clock.now()),
        now_in_force=[one for one in found if one.lifted_at is None],
        ended=[one for one in found if one.lifted_at is not None],
        reason_words=suppressing.REASON_WORDS,
        ends=lambda reason: ENDS[reason in suppressing.ENDED_BY_SIGN_UP],
        lifting=lifting,
        reasons=reasons or ReasonForm(),
        notes=notes or NoteForm(),
        numbers=[
            (suppressing.REASON_WORDS[reason], numbers[reason]) for reason in SuppressionReason if reason in numbers
        ],
    ), status
