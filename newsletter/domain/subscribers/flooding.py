"""Telling staff that the sign-up form is used by something that is not people."""

import logging
from datetime import datetime

from ...db import db
from ...i18n import gettext as _
from .. import notices
from ..queries import administrators
from ..staff import activity

_log = logging.getLogger(__name__)


def tell(now: datetime) -> None:
    """Write to the administrators. When it may be done again is the caller's to know."""
    what = _("The sign-up form is used far more often than people use it: from one place, for one domain, or all over.")
    for account in db.session.scalars(administrators()):
        notices.send_notice("sign_up_flood", account.email, now=now, values={"what": what, "name": account.name})
    activity.record("sign_up.flood", actor=None, now=now)
    _log.warning("Far more sign-ups than usual: the administrators were told")
