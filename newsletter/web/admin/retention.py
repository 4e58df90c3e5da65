"""What is kept for how long, and what the next run takes: looked at, before it happens."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ... import clock
from ...domain.staff.permissions import Permission, require
from ...domain.subscribers import retaining
from ..access import signed_in_account, staff
from .room import blueprint

_MANAGE = Permission.MANAGE_INSTALLATION


@blueprint.get("/desk/settings/retention")
@staff(_MANAGE)
def retention() -> ResponseReturnValue:
    """Each rule with how much there is, how much goes next, and when the first goes."""
    require(signed_in_account(), _MANAGE)
    return render_template("admin/retention.html", rows=retaining.outlook(clock.now()))
