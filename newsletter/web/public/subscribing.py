"""Signing up: the form, and the one page that everybody sees after it, whatever became of it (ASVS 6.3.8)."""

import re
from datetime import datetime
from urllib.parse import urlsplit

from flask import request
from werkzeug.wrappers import Response

from ... import addresses, clock
from ...db import transaction
from ...domain.subscribers import address_advice, subscribing
from ...domain.subscribers.offering import Offer, offers, offers_apart
from ...errors import Invalid
from ..access import public
from ..limits import cut_short
from . import proof_of_work
from .asking import may_ask
from .form_tokens import NAME, QUICK, opened_at
from .forms import TRAP, SubscribeForm
from .room import blueprint, page

_SOURCE = "sign-up form"
#: Fields that say where the form stood. An embedded one asks for it ("1"); ours then carries the site's name along.
FROM = "from"
#: Asked for by "Correct it": the form again, with all that was typed.
_CORRECT = "correct"
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?")


@blueprint.route("/subscribe", methods=["GET", "POST"])
@public
def subscribe() -> Response:
    """The form. Posted well, it leads to "Check your inbox"; what was decided stands in the mail alone."""
    now = clock.now()
    opened = opened_at(request.form.get(NAME, ""), now) if request.method == "POST" else None
    # Whoever opened the form before a wording was changed agreed to the words they saw.
    offered = offers_apart(opened or now)
    # A section of an issue may offer one of the lists: whoever comes from there finds it ticked.
    asked = {"lists": [request.args.get("list", "")]}
    typed = request.form if request.method == "POST" else None
    form = SubscribeForm(typed, offered=[offer.mailing_list for offer in offered], data=asked)
    if request.method != "POST" or not offered:
        return _form_page(form, offered)
    if opened is None and request.form.get(FROM):
        return _form_page(form, offered, why="elsewhere")
    if request.form.get("do") == _CORRECT:
        return _form_page(form, offered, why=_CORRECT)
    valid = form.validate()
    if opened is None:
        return _form_page(form, offered, 400, why="again" if valid else "")
    if not valid:
        return _form_page(form, offered, 422)
    quick = proof_of_work.is_missing(now) or now - opened < QUICK
    if not request.form.get(TRAP) and may_ask(form.address, quick=quick, now=now):
        _ask(form, offered, now)
    return _sent_page(form.address, form, offered=offered)


def _ask(form: SubscribeForm, offered: list[Offer], now: datetime) -> None:
    chosen = [(one.mailing_list, one.wording) for one in offered if one.mailing_list.slug in form.lists.data]
    site = _site()
    with transaction():
        subscribing.request_subscription(
            address=form.address,
            lists_with_wordings=chosen,
            name=form.name.data,
            organisation=form.organisation.data,
            sector=form.sector.data,
            source=f"form on {site}" if site else _SOURCE,
            network=cut_short(request.remote_addr),
            now=now,
        )


def _site() -> str:
    """The site that the person came from with a form of ours, as far as it is a name: evidence, not proof."""
    said = request.form.get(FROM, "")
    if opened_at(request.form.get(NAME, ""), clock.now()) is None:
        try:
            said = urlsplit(request.headers.get("Origin") or request.referrer or "").hostname or ""
        except ValueError:
            said = ""
    return said.lower() if _HOST.fullmatch(said.lower()) and said != "1" else ""


@blueprint.get("/check-inbox")
@public
def check_inbox() -> Response:
    """The page again, without an address: for whoever comes back to it."""
    return _sent_page("")


@blueprint.post("/check-inbox")
@public
def send_again() -> Response:
    """ "Send it again": at most one more, and the same answer in every case."""
    now = clock.now()
    try:
        address = addresses.clean(request.form.get("email", ""))
    except Invalid:
        return _sent_page("", status=400)
    if opened_at(request.form.get(NAME, ""), now) is None:
        return _sent_page(address, status=400, pressed="late")
    if may_ask(address, now=now):
        with transaction():
            subscribing.send_again(address, now=now)
    return _sent_page(address, pressed="sent")


def _form_page(form: SubscribeForm, offered: list[Offer], status: int = 200, *, why: str = "") -> Response:
    only = offered[0].mailing_list if len(offered) == 1 else None
    values = {"form": form, "offers": offered, "why": why, "trap": TRAP, "from_name": FROM, "site": _site()}
    asked = {"sum": proof_of_work.ask(clock.now()), "sum_name": proof_of_work.NAME}
    return page("subscribe", status, mailing_list=only, found=True, **values, **asked)


def _sent_page(
    address: str,
    form: SubscribeForm | None = None,
    *,
    offered: list[Offer] | None = None,
    status: int = 200,
    pressed: str = "",
) -> Response:
    lists = [offer.mailing_list for offer in (offers(clock.now()) if offered is None else offered)]
    sender = lists[0].sender_address if lists else ""
    only = lists[0] if len(lists) == 1 else None
    return page(
        "check_inbox",
        status,
        mailing_list=only,
        address=address,
        sender=sender,
        pressed=pressed,
        meant=address_advice.suggestion(address) if address else None,
        # What was typed beside the address, so that nobody types it twice to correct one letter.
        typed=[(name, value) for name, value in request.form.items(multi=True) if form and name in form][:60],
    )
