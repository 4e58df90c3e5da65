"""The newsletters of this installation."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ... import clock
from ...db import transaction
from ...domain.staff import installation, mailing_lists, wording
from ...domain.staff.permissions import Permission, may, require
from ...errors import Invalid
from ...i18n import gettext as _
from ...models import MailingList
from ..access import signed_in_account, staff
from ..fields import put_problems
from .forms import BASIS_HINTS, CADENCE_HINTS, ListForm, NewListForm, WordingForm
from .room import blueprint

_MANAGE = Permission.MANAGE_LISTS
_HINTS = {"cadence_hints": CADENCE_HINTS, "basis_hints": BASIS_HINTS}


@blueprint.get("/desk/lists", endpoint="lists")
@staff(_MANAGE)
def all_lists() -> ResponseReturnValue:
    """Every newsletter that one may change."""
    me = signed_in_account()
    shown = [one for one in mailing_lists.all_lists() if may(me, _MANAGE, one)]
    return render_template("admin/lists.html", lists=shown, may_add=may(me, _MANAGE))


@blueprint.route("/desk/lists/new", methods=["GET", "POST"])
@staff(_MANAGE)
def new_list() -> ResponseReturnValue:
    """A further newsletter."""
    require(signed_in_account(), _MANAGE)
    form = NewListForm(request.form)
    if request.method != "POST":
        organisation = installation.organisation()
        form = NewListForm(sender_address=organisation.email if organisation else "")
        form.contact_address.data = form.sender_address.data
        form.accent.data = "#0e5a63"
        return _new_page(form)
    if not form.validate():
        return _new_page(form), 422
    try:
        with transaction():
            made = mailing_lists.create_list(
                form.details(form.slug.data or wording.slug_of(form.name.data or "")),
                actor=signed_in_account(),
                now=clock.now(),
            )
    except Invalid as error:
        put_problems(form, error)
        return _new_page(form), 422
    flash(_("“%(name)s” is there. Look at the words that people agree to.") % {"name": made.name}, "success")
    return redirect(url_for("admin.list_wording", slug=made.slug), 303)


def _new_page(form: NewListForm) -> str:
    return render_template("admin/new_list.html", form=form, **_HINTS)


def _mine(slug: str) -> MailingList:
    mailing_list = mailing_lists.find_list(slug)
    require(signed_in_account(), _MANAGE, mailing_list)
    return mailing_list


@blueprint.route("/desk/lists/<slug>", methods=["GET", "POST"])
@staff(_MANAGE)
def edit_list(slug: str) -> ResponseReturnValue:
    """What stands on one newsletter."""
    mailing_list = _mine(slug)
    if request.method != "POST":
        return _edit_page(ListForm(obj=mailing_list), mailing_list)
    form = ListForm(request.form)
    if not form.validate():
        return _edit_page(form, mailing_list), 422
    try:
        with transaction():
            mailing_lists.change_list(mailing_list, form.details(slug), actor=signed_in_account(), now=clock.now())
    except Invalid as error:
        put_problems(form, error)
        return _edit_page(form, mailing_list), 422
    flash(_("Saved."), "success")
    return redirect(url_for("admin.edit_list", slug=slug), 303)


def _edit_page(form: ListForm, mailing_list: MailingList) -> str:
    for choice in (form.cadence, form.lawful_basis):
        if choice.data is not None:
            choice.data = str(choice.data)
    return render_template("admin/edit_list.html", form=form, mailing_list=mailing_list, **_HINTS)


@blueprint.route("/desk/lists/<slug>/wording", methods=["GET", "POST"])
@staff(_MANAGE)
def list_wording(slug: str) -> ResponseReturnValue:
    """The words that people agree to; a change is a new version, and old ones stay with those who agreed to them."""
    mailing_list = _mine(slug)
    current = mailing_lists.current_wording(mailing_list)
    form = WordingForm(request.form, wording=current.text if current else "")
    status = 200
    if request.method == "POST":
        try:
            with transaction():
                published = mailing_lists.publish_wording(
                    mailing_list, form.wording.data or "", actor=signed_in_account(), now=clock.now()
                )
            flash(_("Version %(version)d counts from now on.") % {"version": published.version}, "success")
            return redirect(url_for("admin.edit_list", slug=slug), 303)
        except Invalid as error:
            put_problems(form, error)
            status = 422
    return render_template("admin/wording.html", form=form, mailing_list=mailing_list, current=current), status
