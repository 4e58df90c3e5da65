"""Proving anew who one is, before something that matters: by a code of one's app, or at the organisation's service.

Whoever has an app types its code into the form itself. Whoever signs in elsewhere, with both steps there, is sent there
once more and comes back proved for ten minutes. The demo's people have nothing to prove themselves by.
"""

from enum import StrEnum

from flask import request

from ... import clock
from ...config import current_settings
from ...domain.staff import browser_sessions, installation, one_time_codes, second_step
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...models import Account
from ..sessions import browser_session
from . import throttle

_WRONG_CODE = "That code is not right, or was used before. Wait for the next one and enter it"


class Way(StrEnum):
    """How somebody proves it."""

    APP = "app"
    ORGANISATION = "organisation"
    DEMO = "demo"
    NONE = "none"


def way_of(person: Account) -> Way:
    """How this person proves who they are."""
    if second_step.has_app(person):
        return Way.APP
    publisher = installation.organisation()
    if publisher is not None and publisher.demo:
        return Way.DEMO
    return Way.ORGANISATION if current_settings().oidc_issuer else Way.NONE


def is_proved(person: Account) -> bool:
    """Whether nothing more is to be asked: they have just been at the organisation's service, or it is the demo."""
    row, way = browser_session().row, way_of(person)
    if way is Way.ORGANISATION:
        return row is not None and browser_sessions.has_proved(row, clock.now())
    return way is Way.DEMO


def step_of(person: Account, typed: str) -> int | None:
    """The app's step that the code belongs to, if it is one; counted as a try. Outside `transaction()`.

    Raises Invalid, naming the field "code", for too many tries.
    """
    now = clock.now()
    if not throttle.may_try_code(person, request.remote_addr, now):
        raise Invalid([Problem("code", _(throttle.TOO_OFTEN))])
    return one_time_codes.step_of(typed, person.tf_totp_secret or "", person.tf_last_step, now)


def spend(person: Account, typed: str, step: int | None) -> None:
    """Within the transaction of what it is for: the code, of the app or on paper, counts once. Raises Invalid."""
    right = one_time_codes.use_paper_code(person, typed) if step is None else one_time_codes.use_step(person, step)
    if not right:
        raise Invalid([Problem("code", _(_WRONG_CODE))])
