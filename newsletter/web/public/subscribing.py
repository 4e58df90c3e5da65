"""Signing up: the form, and the one page that everybody sees after it, whatever became of it (ASVS 6.3.8)."""

from flask import request
from werkzeug.wrappers import Response

from ... import addresses, clock
from ...db import transaction
from ...domain.subscribers import subscribing
from ...domain.subscribers.offering import Offer, offers
from ...errors import Invalid
from ..access import public
from ..limits import cut_short
from .asking import may_ask
from .form_tokens import NAME, QUICK, opened_at
from .forms import TRAP, SubscribeForm
from .room import blueprint, page

_SOURCE = "sign-up form"


@blueprint.route("/subscribe", methods=["GET", "POST"])
@public
def subscribe() -> Response:
    """The form. Posted well, it leads to "Check your inbox"; what was decided stands in the mail alone."""
    now = clock.now()
    opened = opened_at(request.form.get(NAME, ""), now) if request.method == "POST" else None
    # Whoever opened the form before a wording was changed agreed to the words they saw.
    offered = offers(opened or now)
    form = SubscribeForm(request.form, offered=[offer.mailing_list for offer in offered])
    if request.method != "POST" or not offered:
        return _form_page(form, offered)
    valid = form.validate()
    if opened is None:
        return _form_page(form, offered, 400, again=valid)
    if not valid:
        return _form_page(form, offered, 422)
    quick = now - opened < QUICK
    if not request.form.get(TRAP) and may_ask(form.address, quick=quick, now=now):
        chosen = [(one.mailing_list, one.wording) for one in offered if one.mailing_list.slug in form.lists.data]
        with transaction():
            subscribing.request_subscription(
                address=form.address,
                lists_with_wordings=chosen,
                name=form.name.data,
                organisation=form.organisation.data,
                source=_SOURCE,
                network=cut_short(request.remote_addr),
                now=now,
            )
    return _sent_page(form.address)


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
        return _sent_page("", 400)
    if opened_at(request.form.get(NAME, ""), now) is None:
        return _sent_page(address, 400, pressed="late")
    if may_ask(address, now=now):
        with transaction():
            subscribing.send_again(address, now=now)
    return _sent_page(address, pressed="sent")


def _form_page(form: SubscribeForm, offered: list[Offer], status: int = 200, *, again: bool = False) -> Response:
    only = offered[0].mailing_list if len(offered) == 1 else None
    values = {"form": form, "offers": offered, "again": again, "trap": TRAP}
    return page("subscribe", status, mailing_list=only, found=True, **values)


def _sent_page(address: str, status: int = 200, *, pressed: str = "") -> Response:
    lists = [offer.mailing_list for offer in offers(clock.now())]
    sender = lists[0].sender_address if lists else ""
    only = lists[0] if len(lists) == 1 else None
    return page("check_inbox", status, mailing_list=only, address=address, sender=sender, pressed=pressed)
