"""The sectors that people choose from when they sign up."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ... import clock
from ...db import transaction
from ...domain.staff.permissions import Permission, require
from ...domain.subscribers import sectors as worded
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ..access import signed_in_account, staff
from .room import blueprint

_MANAGE = Permission.MANAGE_INSTALLATION


@blueprint.route("/desk/settings/sectors", methods=["GET", "POST"])
@staff(_MANAGE)
def sectors() -> ResponseReturnValue:
    """Reword, end, offer again, add: one form."""
    require(signed_in_account(), _MANAGE)
    if request.method != "POST":
        return _page({one.slug: one.name for one in worded.every()}, {one.slug for one in worded.offered()}, "", [])
    typed = {one.slug: request.form.get(f"name_{one.slug}", one.name) for one in worded.every()}
    kept, added = request.form.getlist("kept"), request.form.get("added", "")
    try:
        with transaction():
            worded.change(list(typed.items()), kept, added, actor=signed_in_account(), now=clock.now())
    except Invalid as error:
        return _page(typed, set(kept), added, error.problems), 422
    flash(_("Saved."), "success")
    return redirect(url_for("admin.sectors"), 303)


def _page(typed: dict[str, str], kept: set[str], added: str, problems: list[Problem]) -> str:
    wrong = {problem.field: problem.sentence for problem in problems}
    return render_template("admin/sectors.html", typed=typed, kept=kept, added=added, wrong=wrong, problems=problems)
