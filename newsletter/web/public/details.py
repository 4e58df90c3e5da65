"""Name, organisation and sector, changed by the link to one's own data, which was mailed within the hour."""

from flask import request, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.subscribers import preferences
from ...models import Subscriber
from ..access import public
from .form_tokens import NAME, opened_at
from .forms import PersonForm
from .own_data import by_link
from .room import blueprint, page


@blueprint.route("/your-data/<token>/details", methods=["GET", "POST"])
@public
def own_details(token: str) -> Response:
    """The three answers of the sign-up form that are not the address."""
    now = clock.now()
    found = by_link(token, now)
    if not isinstance(found, Subscriber):
        return found
    form = PersonForm(request.form if request.method == "POST" else None, obj=found)
    if request.method != "POST":
        return page("own_details", form=form, token=token)
    if opened_at(request.form.get(NAME, ""), now) is None:
        return page("own_details", 400, form=form, token=token)
    if not form.validate():
        return page("own_details", 422, form=form, token=token)
    with transaction():
        preferences.change_details(
            found, name=form.name.data, organisation=form.organisation.data, sector=form.sector.data, now=now
        )
    return redirect(url_for("public.own_data", token=token), 303)
