"""Who stands where: the people in one of the seven states, and those of whom somebody has to decide."""

from functools import partial
from typing import Any

from flask import flash, request, url_for
from sqlalchemy import Row, select
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.reports import accounts
from newsletter.delivery.reports.people_lines import COLUMNS, people_lines
from newsletter.domain.staff.permissions import Permission, may, require
from newsletter.domain.subscribers.taking_out import Whom
from newsletter.errors import NotFound, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Delivery, Issue, Subscriber, Subscription
from newsletter.states import DeliveryState, IssueState
from newsletter.web.access import signed_in_account, staff

from .exports import Asked, ask
from .report_words import SKIPPED_WORDS
from .room import blueprint, find_issue, page, to

_PEOPLE = 50
#: In these an issue's deliveries may be tried again.
_GOING = (IssueState.SENDING, IssueState.SENT)


@blueprint.get("/desk/issues/<slug>/sending/<state>")
@staff(Permission.VIEW_SUBSCRIBERS)
def issue_recipients(slug: str, state: str) -> tuple[str, int]:
    """The people in one of the seven states, by the order they were frozen in."""
    issue = find_issue(slug, Permission.VIEW_SUBSCRIBERS)
    if state not in set(DeliveryState):
        raise NotFound(_("There is no such state."))
    after = request.args.get("after", "0")
    rows = _people(issue, DeliveryState(state), int(after) if after.isdecimal() and len(after) < 18 else 0)
    counts, more = accounts.counts(issue), len(rows) > _PEOPLE
    last = rows[_PEOPLE - 1][0].id if more else 0
    return page(
        "recipients.html",
        issue=issue,
        state=DeliveryState(state),
        number=getattr(counts, state),
        rows=rows[:_PEOPLE],
        next_url=url_for("editor.issue_recipients", slug=slug, state=state, after=last) if more else "",
        going=issue.state in _GOING,
        given_up=accounts.aggregated_at(issue),
        undecided=len(accounts.in_doubt(issue, undecided_only=True)) if state == DeliveryState.UNSURE else 0,
        see=may(signed_in_account(), Permission.SEE_ADDRESSES, issue.mailing_list),
        skip_words=SKIPPED_WORDS,
    )


def _people(issue: Issue, state: DeliveryState, after: int) -> list[Row[Delivery, Subscriber]]:
    """A page of them, and one more if there is another."""
    return list(
        db.session.execute(
            select(Delivery, Subscriber)
            .join(Subscription, Subscription.id == Delivery.subscription_id)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id, isouter=True)
            .where(Delivery.issue_id == issue.id, Delivery.state == state, Delivery.id > after)
            .order_by(Delivery.id)
            .limit(_PEOPLE + 1)
        )
    )


@blueprint.route("/desk/issues/<slug>/sending/<state>/people.csv", methods=["GET", "POST"])
@staff(Permission.EXPORT_SUBSCRIBERS)
def issue_people_csv(slug: str, state: str) -> Response | tuple[str, int]:
    """All of them as a file, with their addresses: for a reason and with a proof, like every export of people."""
    issue = find_issue(slug, Permission.EXPORT_SUBSCRIBERS)
    require(signed_in_account(), Permission.SEE_ADDRESSES, issue.mailing_list)
    if state not in set(DeliveryState):
        raise NotFound(_("There is no such state."))
    these = select(Delivery.subscription_id).where(Delivery.issue_id == issue.id, Delivery.state == state)
    words = _("{state}, of “{issue}”").format(state=state.capitalize(), issue=issue.title)
    return ask(
        Asked(
            whom=Whom(issue.mailing_list, these, words, COLUMNS, issue),
            url=url_for("editor.issue_people_csv", slug=slug, state=state),
            carried=[],
            back=url_for("editor.issue_recipients", slug=slug, state=state),
            rows=partial(people_lines, issue, DeliveryState(state)),
        )
    )


# --- those of whom nobody knows ----------------------------------------------------------------------------------


@blueprint.post("/desk/issues/<slug>/deliveries/<int:delivery_id>/<any(again, leave):answer>")
@staff(Permission.CONTROL_SENDING)
def issue_decide(slug: str, delivery_id: int, answer: str) -> Response:
    """Send an unsure one again, or leave it."""
    issue = find_issue(slug, Permission.CONTROL_SENDING)
    delivery = db.session.get(Delivery, delivery_id)
    if delivery is None or delivery.issue_id != issue.id:
        raise NotFound(_("There is no such message in this issue."))
    verb = control.send_again if answer == "again" else control.leave
    done = _("It is sent once more.") if answer == "again" else _("Left as it is.")
    return _decide(slug, verb, delivery, lambda _nothing: done)


@blueprint.route("/desk/issues/<slug>/sending/unsure/<any(again, leave):answer>", methods=["GET", "POST"])
@staff(Permission.CONTROL_SENDING)
def issue_decide_all(slug: str, answer: str) -> Response | tuple[str, int]:
    """The same for all of them at once, after a page that says what that means."""
    issue = find_issue(slug, Permission.CONTROL_SENDING)
    if request.method == "POST":
        verb = control.send_all_again if answer == "again" else control.leave_all
        return _decide(slug, verb, issue, _sent_again if answer == "again" else _left)
    number = len(accounts.in_doubt(issue, undecided_only=True))
    if not number or (answer == "again" and issue.state not in _GOING):
        return to("sending", slug=slug)
    return page("decide_all.html", issue=issue, answer=answer, number=number)


def _decide(slug: str, verb: Any, what: Any, words: Any) -> Response:
    """Do it, and say so: `words` makes the sentence of what the verb returned."""
    try:
        with transaction():
            done = verb(what, actor=signed_in_account(), now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
    else:
        flash(words(done), "success")
    return to("sending", slug=slug)


def _sent_again(number: int) -> str:
    return ngettext("It is sent once more.", "All %(num)s are sent once more.", number) % {"num": number}


def _left(number: int) -> str:
    return ngettext("Left as it is.", "All %(num)s are left as they are.", number) % {"num": number}
