"""How the installation runs: what is wrong and what to do about it, else one line that says that all is well."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ... import clock
from ...domain.staff.permissions import Permission, require
from ...operations.facts import facts
from ...operations.judging import judge
from ...operations.signs import gather
from ...operations.watching import past_troubles
from ..access import signed_in_account, staff
from .room import blueprint

_MANAGE = Permission.MANAGE_INSTALLATION
#: How many troubles that are over are shown.
_PAST = 20


@blueprint.get("/desk/operations", endpoint="operations")
@staff(_MANAGE)
def how_it_runs() -> ResponseReturnValue:
    """Looked at anew for each request, so it is true even where no worker runs that would look."""
    require(signed_in_account(), _MANAGE)
    signs = gather(clock.now())
    return render_template("admin/operations.html", found=judge(signs), facts=facts(signs), past=past_troubles(_PAST))
