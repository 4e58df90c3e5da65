"""Complaining about how data were used: how it goes, and a form that anybody may send."""

from datetime import timedelta

from flask import request
from werkzeug.wrappers import Response
from wtforms import EmailField, StringField, TextAreaField

from ... import clock
from ...db import transaction
from ...domain.staff import data_complaints, governance
from ...errors import Invalid
from ...i18n import gettext as _
from ...states import GovernanceText
from ..access import public
from ..fields import put_problems
from ..form_bases import PlainForm
from ..limits import hashed, network_of, within
from .form_tokens import NAME, opened_at
from .forms import TRAP
from .room import blueprint, page

_HOUR = timedelta(hours=1)


class ComplaintForm(PlainForm):
    """Who, how to reach them, and what happened."""

    name = StringField(_("Your name (optional)"), render_kw={"autocomplete": "name"})
    address = EmailField(_("Your email address (optional)"), description=_("Without one we cannot answer you."))
    words = TextAreaField(_("What happened, and what would put it right?"), render_kw={"rows": 8})


@blueprint.route("/complaints", methods=["GET", "POST"])
@public
def complaints() -> Response:
    """The procedure, and the form. What a machine sends gets the same thanks and is not kept."""
    form, now = ComplaintForm(request.form), clock.now()
    if request.method != "POST":
        return _page(form)
    if opened_at(request.form.get(NAME, ""), now) is None:
        return _page(form, 400)
    network = hashed(network_of(request.remote_addr))
    kept = not request.form.get(TRAP) and within(
        [(f"complaint network:{network}", 10, _HOUR), ("complaint everywhere:", 200, _HOUR)], now
    )
    reference = ""
    if kept:
        try:
            with transaction():
                reference = data_complaints.take(
                    form.name.data or "", form.address.data or "", form.words.data or "", now=now
                ).reference
        except Invalid as error:
            put_problems(form, error)
            return _page(form, 422)
    return page("complaint_sent", reference=reference, found=True)


def _page(form: ComplaintForm, status: int = 200) -> Response:
    text = governance.text_of(GovernanceText.COMPLAINTS)
    return page("complaints", status, form=form, text=text, trap=TRAP, found=True)
