"""A sign-up form for other websites: plain HTML to copy, which works without a script and asks for nothing of theirs.

Posted from there it opens our own form with what was typed: there the words that are agreed to stand as they are now,
and one press more shows that a person reads them.
"""

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from ... import clock
from ...config import current_settings
from ...domain.staff.permissions import Permission
from ...domain.subscribers.offering import offers
from ..access import staff
from .room import blueprint


@blueprint.get("/desk/settings/sign-up-form")
@staff(Permission.MANAGE_LISTS)
def embedding() -> ResponseReturnValue:
    """One form for all newsletters that are offered, and one for each where there are several."""
    offered = offers(clock.now())
    groups = [offered, *([one] for one in offered if len(offered) > 1)] if offered else []
    address = current_settings().public_url.rstrip("/")
    forms = [
        {
            "lists": [one.mailing_list for one in group],
            "html": render_template(
                "admin/_embedded_form.html",
                offers=group,
                action=address + url_for("public.subscribe"),
                privacy=address + url_for("public.privacy"),
            ).strip(),
        }
        for group in groups
    ]
    return render_template("admin/embedding.html", forms=forms, origin=address)
