"""Who is subscribed: search, counts, page by page; and one person's story."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import flash, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from newsletter import addresses, clock, dates
from newsletter.db import db, transaction
from newsletter.domain.staff.permissions import Permission, may, may_anywhere
from newsletter.domain.subscribers import finding, forgetting, leaving, preferences, story
from newsletter.domain.subscribers.finding import Count, Standing
from newsletter.errors import NotAllowed, NotFound
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Account, MailingList, Subscriber, Subscription
from newsletter.rendering import characters
from newsletter.states import SubscriptionState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.notice_names import NAMES
from newsletter.web.tags import Tag

from .room import blueprint, lists_for, page, to

_PEOPLE = 50
#: Of older issues the story has one line, and a link to all of it.
_ISSUES_TOLD = 6
_STANDINGS = (
    (Standing.ACTIVE, _("Subscribed")),
    (Standing.PAUSED, _("Paused")),
    (Standing.LEFT, _("Left")),
)


@blueprint.get("/desk/subscribers")
@staff(Permission.VIEW_SUBSCRIBERS)
def subscribers() -> tuple[str, int]:
    account, now = signed_in_account(), clock.now()
    lists = lists_for(account, Permission.VIEW_SUBSCRIBERS)
    chosen = chosen_list(account, lists, request.args.get("list"))
    query = characters.one_line(request.args.get("q", ""))[:200]
    standing = standing_of(request.args.get("state"))
    after = characters.one_line(request.args.get("after", ""))[:300] or None
    found = finding.find_subscribers(query, chosen, standing, after, _PEOPLE, now=now)
    counts = finding.counts(query, chosen, now=now)
    everybody = finding.counts("", chosen, now=now) if query else counts
    sees = _sees(account, chosen)
    return page(
        "subscribers.html",
        lists=lists,
        list_items=_list_items(account, lists, chosen),
        chosen=chosen,
        query=query,
        standing=standing,
        number=counts[standing].number,
        more=counts[standing].more,
        matches=_matches(query, counts[standing]) if query else "",
        heading=_people(everybody[Standing.ACTIVE]),
        rows=[_row(person, chosen, sees) for person in found.subscribers],
        chips=_chips(query, chosen, standing, counts),
        nobody=not query and not counts[None].number,
        next_url=_url(query, chosen, standing, found.after_key) if found.after_key else "",
        first_url=_url(query, chosen, standing) if after else "",
        masked=not sees,
        manages=may_anywhere(account, Permission.MANAGE_SUBSCRIBERS),
        export_url=_export_url(account, query, chosen, standing),
        timezone=chosen.timezone if chosen else (lists[0].timezone if lists else None),
    )


def _people(count: Count) -> str:
    if count.more:
        return _("More than {number} subscribers").format(number=f"{count.number:,}")
    said = ngettext("%(number)s subscriber", "%(number)s subscribers", count.number)
    return said % {"number": f"{count.number:,}"}


def _matches(query: str, count: Count) -> str:
    """How many there are, in a sentence."""
    number = f"{count.number:,}"
    if count.more:
        return _("More than {number} people match “{query}”. Type more of it.").format(number=number, query=query)
    said = ngettext("{number} person matches “{query}”.", "{number} people match “{query}”.", count.number)
    return said.format(number=number, query=query)


def chosen_list(account: Account, lists: Sequence[MailingList], slug: str | None) -> MailingList | None:
    """The list with this slug. Who may see some lists only must name one: the first, where none is named."""
    asked = next((each for each in lists if each.slug == slug), None)
    if asked is not None or may(account, Permission.VIEW_SUBSCRIBERS):
        return asked
    if not lists:
        raise NotAllowed(_("You may not see subscribers."))
    return lists[0]


def _list_items(account: Account, lists: Sequence[MailingList], chosen: MailingList | None) -> list[dict[str, object]]:
    everywhere: list[dict[str, object]] = (
        [{"value": "", "text": _("Every list")}] if may(account, Permission.VIEW_SUBSCRIBERS) else []
    )
    return [
        *everywhere,
        *(
            {"value": each.slug, "text": each.name, "selected": chosen is not None and each.id == chosen.id}
            for each in lists
        ),
    ]


def standing_of(asked: str | None) -> Standing | None:
    """What a search asks for; None for everybody. Without a word it is those who are subscribed."""
    if asked is None:
        return Standing.ACTIVE
    return Standing(asked) if asked in set(Standing) else None


def _sees(account: Account, mailing_list: MailingList | None) -> bool:
    """Whether addresses are shown whole."""
    return may(account, Permission.SEE_ADDRESSES, mailing_list)


def _url(query: str, chosen: MailingList | None, standing: Standing | None, after: str | None = None) -> str:
    return url_for(
        "editor.subscribers",
        q=query or None,
        list=chosen.slug if chosen else None,
        state=standing.value if standing else "all",
        after=after,
    )


def _export_url(account: Account, query: str, chosen: MailingList | None, standing: Standing | None) -> str:
    """The way to export all of them; "" for whoever may not."""
    if not may(account, Permission.EXPORT_SUBSCRIBERS, chosen):
        return ""
    of = chosen.slug if chosen else None
    return url_for("editor.export", which="all", of=of, q=query or None, state=standing.value if standing else "all")


def _chips(
    query: str, chosen: MailingList | None, standing: Standing | None, counts: Mapping[Standing | None, Count]
) -> list[dict[str, object]]:
    """The states with how many of those searched for stand in each."""
    return [
        {
            "label": label,
            "count": counts[each].number,
            "more": counts[each].more,
            "url": _url(query, chosen, each),
            "current": each is standing,
        }
        for each, label in (*_STANDINGS, (None, _("All")))
    ]


def _row(person: Subscriber, chosen: MailingList | None, sees: bool) -> dict[str, object]:
    theirs = [each for each in person.subscriptions if chosen is None or each.list_id == chosen.id]
    joined = min((each.joined_at for each in theirs), default=person.created_at)
    return {
        "public_id": person.public_id,
        "name": person.name,
        "address": person.address if sees else addresses.mask(person.address),
        "organisation": person.organisation,
        "joined": joined,
        "lists": ", ".join(each.mailing_list.name for each in theirs if each.state is SubscriptionState.ACTIVE),
        "tag": _tag(theirs),
    }


def _tag(theirs: Sequence[Subscription]) -> Tag:
    now = clock.now()
    active = [each for each in theirs if each.state is SubscriptionState.ACTIVE]
    if any(not each.paused_until or each.paused_until <= now for each in active):
        return Tag(_("Subscribed"), "green")
    return Tag(_("Paused"), "yellow") if active else Tag(_("Left"), "grey")


# --- one person --------------------------------------------------------------------------------------------------


def _find(public_id: UUID, permission: Permission) -> tuple[Subscriber, list[Subscription]]:
    """The person and those of their subscriptions on which this may be done. Raises NotFound."""
    account = signed_in_account()
    person = db.session.scalar(select(Subscriber).where(Subscriber.public_id == public_id))
    theirs = [each for each in person.subscriptions if may(account, permission, each.mailing_list)] if person else []
    if person is None or not theirs:
        raise NotFound(_("There is no such person here. They may have been erased."))
    return person, theirs


@blueprint.get("/desk/subscribers/<uuid:public_id>")
@staff(Permission.VIEW_SUBSCRIBERS)
def subscriber(public_id: UUID) -> tuple[str, int]:
    person, theirs = _find(public_id, Permission.VIEW_SUBSCRIBERS)
    account = signed_in_account()
    sees = any(may(account, Permission.SEE_ADDRESSES, each.mailing_list) for each in theirs)
    zone = theirs[0].mailing_list.timezone
    every = "all" in request.args
    told = story.story(
        person, among=theirs, newest_issues=None if every else _ISSUES_TOLD, notice_names=NAMES, staff_names=True
    )
    return page(
        "subscriber.html",
        shortened=not every and story.count_deliveries(theirs) > _ISSUES_TOLD,
        under="editor.subscribers",
        who=person,
        address=person.address if sees else addresses.mask(person.address),
        theirs=theirs,
        sees=sees,
        tag=_tag(theirs),
        now=clock.now(),
        manages=any(may(account, Permission.MANAGE_SUBSCRIBERS, each.mailing_list) for each in theirs),
        erases=may(account, Permission.MANAGE_SUBSCRIBERS),
        events=[
            {
                "when": dates.moment(event.at, zone),
                "instant": event.at,
                "what": event.what,
                "more": event.more,
                "quote": event.quote if sees else addresses.mask_within(event.quote),
                "kind": "",
            }
            for event in told
        ],
        timezone=zone,
    )


@blueprint.post("/desk/subscribers/<uuid:public_id>/leave/<int:list_id>")
@staff(Permission.MANAGE_SUBSCRIBERS)
def subscriber_leave(public_id: UUID, list_id: int) -> Response:
    """Unsubscribe somebody at their request."""
    _person, theirs = _find(public_id, Permission.MANAGE_SUBSCRIBERS)
    subscription = next((each for each in theirs if each.list_id == list_id), None)
    if subscription is None:
        raise NotFound(_("They are not on this list."))
    name = subscription.mailing_list.name
    with transaction():
        leaving.unsubscribe(subscription, route="staff", now=clock.now(), actor=signed_in_account())
    flash(_("They no longer get “{list}”. They can subscribe again themselves.").format(list=name), "success")
    return to("subscriber", public_id=public_id)


@blueprint.post("/desk/subscribers/<uuid:public_id>/link")
@staff(Permission.MANAGE_SUBSCRIBERS)
def subscriber_link(public_id: UUID) -> Response:
    """Mail somebody the link to their own data."""
    person, _theirs = _find(public_id, Permission.MANAGE_SUBSCRIBERS)
    with transaction():
        sent = preferences.send_fresh_link(person, now=clock.now())
    if sent is None:
        flash(_("They were sent a link already, not long ago."), "notice")
    else:
        flash(_("They get an email with a link that works for one hour."), "success")
    return to("subscriber", public_id=public_id)


@blueprint.route("/desk/subscribers/<uuid:public_id>/forget", methods=["GET", "POST"])
@staff(Permission.MANAGE_SUBSCRIBERS)
def subscriber_forget(public_id: UUID) -> Response | tuple[str, int]:
    """Erase a person, after a page that says what goes and what stays."""
    person, theirs = _find(public_id, Permission.MANAGE_SUBSCRIBERS)
    account = signed_in_account()
    if not may(account, Permission.MANAGE_SUBSCRIBERS):
        raise NotAllowed(_("Only somebody with a role on all lists may erase a person."))
    if request.method == "GET":
        return page("forget.html", under="editor.subscribers", who=person, theirs=theirs)
    with transaction():
        forgetting.erase_subscriber(person, route="staff", now=clock.now(), actor=account)
    flash(_("Forgotten. Only what keeps them from being written to again is left."), "success")
    return to("subscribers")
