"""What a notice says, worked out from its row when the mail is made: words from the tables, links from its nonce.

A notice whose reason has gone (the sign-up was confirmed, the invitation withdrawn, the person erased) is not
written any more: its maker raises `NoLongerNeeded`.
"""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ... import addresses, dates
from ...config import current_settings
from ...db import db
from ...domain.calls.deadline import reading, rights
from ...domain.calls.texts.sent_pictures import shown_with
from ...domain.subscribers import access, addressing, mail_domains, preferences, rejoining, sign_ups
from ...errors import NotFound
from ...i18n import gettext as _
from ...models import (
    AddressChange,
    Contribution,
    Invitation,
    Issue,
    MailingList,
    Notice,
    SignUp,
    Subscriber,
    Subscription,
)
from ...states import SubscriptionState
from ...tokens import Purpose
from . import call_values, contributor_values, outcome_values, renewal_values
from .links import link, nonce_link, preferences_link, token_link

Values = dict[str, Any]
#: What goes to addresses that nobody has shown to be theirs.
_UNPROVED = (sign_ups.CONFIRMATION, sign_ups.REMINDER, sign_ups.CONFIRM_ADDRESS)
_NO_ID = str(uuid.UUID(int=0))
#: Those whose words are worked out beside this module. They give None where the reason has gone.
_OF_OTHER_ROOMS = {**outcome_values.MAKERS, **contributor_values.MAKERS, **call_values.MAKERS, **renewal_values.MAKERS}


class NoLongerNeeded(Exception):
    """The reason for the notice has gone; `str()` says which, for staff."""


def values_of(notice: Notice, now: datetime) -> Values:
    """All that the notice's template needs. Raises NoLongerNeeded."""
    if notice.template in _UNPROVED and mail_domains.takes_no_mail(notice.address, now):
        raise NoLongerNeeded(_("The domain of the address takes no mail."))
    if notice.template in _OF_OTHER_ROOMS:
        values = _OF_OTHER_ROOMS[notice.template](notice, now)
        if values is None:
            raise NoLongerNeeded(_("What it tells of has changed."))
        return values
    made = _MAKERS.get(notice.template, _about_an_issue)
    return made(notice, now)


def _confirmation(notice: Notice, now: datetime) -> Values:
    sign_up = db.session.scalar(
        select(SignUp).where(SignUp.public_id == uuid.UUID(notice.values.get("sign_up", _NO_ID)))
    )
    if sign_up is None or sign_ups.state_of(sign_up, now) is not sign_ups.SignUpState.OPEN:
        raise NoLongerNeeded(_("The sign-up is over."))
    lists = sign_ups.lists_of(sign_up)
    return {
        "lists": [one.name for one in lists],
        "works_until": dates.moment(sign_up.expires_at, lists[0].timezone),
        "confirm_url": token_link("public.confirm", Purpose.CONFIRM, sign_up.public_id),
        "not_me_url": token_link("public.not_me", Purpose.NOT_ME, sign_up.public_id),
    }


def _already_subscribed(notice: Notice, _now: datetime) -> Values:
    subscription = db.session.scalar(
        select(Subscription)
        .join(Subscriber)
        .where(Subscriber.address_key == notice.address_key, Subscription.state == SubscriptionState.ACTIVE)
        .limit(1)
    )
    if subscription is None:
        raise NoLongerNeeded(_("The person has left."))
    ids = notice.values.get("lists", [])
    lists = db.session.scalars(select(MailingList).where(MailingList.id.in_(ids)).order_by(MailingList.id))
    return {"lists": [one.name for one in lists], "preferences_url": preferences_link(subscription.public_id)}


def _fresh_link(notice: Notice, _now: datetime) -> Values:
    return {"data_url": nonce_link("public.own_data", Purpose.OWN_DATA, notice.nonce)}


def _left_link(notice: Notice, _now: datetime) -> Values:
    try:
        subscription = access.find_subscription(uuid.UUID(notice.values.get("subscription", _NO_ID)))
    except NotFound:
        raise NoLongerNeeded(_("The person has left.")) from None
    if subscription.subscriber is None or access.is_active(subscription):
        raise NoLongerNeeded(_("They are on the list again."))
    return {
        "list": subscription.mailing_list.name,
        "works_until": dates.moment(notice.created_at + rejoining.WORKS_FOR, subscription.mailing_list.timezone),
        "rejoin_url": nonce_link("public.rejoin", Purpose.REJOIN, notice.nonce),
    }


def _address_change_link(notice: Notice, _now: datetime) -> Values:
    return {"change_url": nonce_link("public.new_address", Purpose.NEW_ADDRESS, notice.nonce)}


def _confirm_new_address(notice: Notice, now: datetime) -> Values:
    change = _address_change(notice)
    if addressing.state_of(change, now) is not addressing.ChangeState.OPEN:
        raise NoLongerNeeded(_("The change of address is over."))
    lists = preferences.lists_of(change.subscriber)
    zone = lists[0].timezone if lists else current_settings().timezone
    return {
        "lists": [one.name for one in lists],
        "works_until": dates.moment(change.expires_at, zone),
        "confirm_url": token_link("public.confirm_address", Purpose.CONFIRM_ADDRESS, change.public_id),
    }


def _address_known(notice: Notice, _now: datetime) -> Values:
    """A link to what the new address gets by itself; whoever asked is not named."""
    subscription = db.session.scalar(
        select(Subscription).join(Subscriber).where(Subscriber.address_key == notice.address_key).limit(1)
    )
    if subscription is None:
        raise NoLongerNeeded(_("The person has left."))
    return {"preferences_url": preferences_link(subscription.public_id)}


def _address_changed(notice: Notice, now: datetime) -> Values:
    change = _address_change(notice)
    ends = addressing.undo_ends(change)
    if ends is None or not addressing.can_be_undone(change, now):
        raise NoLongerNeeded(_("The change of address is over."))
    return {
        "masked": addresses.mask(change.new_address),
        "works_until": dates.moment(ends, current_settings().timezone),
        "undo_url": token_link("public.undo_address", Purpose.UNDO_ADDRESS, change.public_id),
    }


def _address_change_undone(notice: Notice, _now: datetime) -> Values:
    change = _address_change(notice)
    return {"masked": addresses.mask(change.old_address) if change.old_address else ""}


def _address_change(notice: Notice) -> AddressChange:
    try:
        return addressing.find_change(uuid.UUID(notice.values.get("change", str(uuid.UUID(int=0)))))
    except NotFound:
        raise NoLongerNeeded(_("The change of address is over.")) from None


def _invitation(page: str) -> Callable[[Notice, datetime], Values]:
    def made(notice: Notice, now: datetime) -> Values:
        invitation = db.session.scalar(
            select(Invitation).where(Invitation.nonce_hash == hashlib.sha256(notice.nonce).digest())
        )
        if invitation is None or invitation.accepted_at or invitation.revoked_at or now >= invitation.expires_at:
            raise NoLongerNeeded(_("The invitation is over."))
        role = notice.values.get("role", "")
        on = notice.values.get("list", "")
        return {
            "url": nonce_link(page, Purpose.INVITATION, notice.nonce),
            "by": notice.values.get("inviter", ""),
            "role": _("%(role)s of %(list)s") % {"role": role, "list": on} if role and on else role,
            "works_until": dates.moment(invitation.expires_at, current_settings().timezone),
        }

    return made


_CHANGES = {
    "password": _("Your password was changed."),
    "organisation's account": _("Your organisation’s account was tied to yours here, and signs in as you."),
    "second step": _("The second step of your sign-in was changed."),
}


def _account_changed(notice: Notice, _now: datetime) -> Values:
    what = str(notice.values.get("what", ""))
    return {
        "what": _CHANGES.get(what, what) or _("The way you sign in was changed."),
        "when": dates.moment(notice.created_at, current_settings().timezone),
    }


def _contribution_to_prove(notice: Notice, now: datetime) -> Values:
    proof = contributor_values.proof_values(notice, now)
    if proof is None:
        raise NoLongerNeeded(_("The link was used, replaced or is over."))
    return _contribution(notice, now) | proof


def _receipt(notice: Notice, now: datetime) -> Values:
    """What was sent in; to an address that nobody has proved, the way to do that, and not a word of its sender's.

    Anybody may type any address: what they wrote would go to it in our name.
    """
    values = _contribution(notice, now) | (contributor_values.proof_values(notice, now) or {})
    found = db.session.get(Contribution, notice.values["contribution"]) if "contribution" in notice.values else None
    if found is not None:
        if not reading.is_proved(found):
            values |= {"title": "", "body": "", "details": [], "pictures": []}
        if found.in_grace or (rights.promise_is_over(found, now) and not found.late):
            # The hour that it would name is over: it came in grace, or by a mail that was read later.
            values["deadline"] = ""
        values["url"] = token_link("contribute.kept", Purpose.CONTRIBUTION, found.public_id)
    return values


def _contribution(notice: Notice, _now: datetime) -> Values:
    """Words of what was sent in, from the table if the row names it, else from the row."""
    given = notice.values
    found = db.session.get(Contribution, given["contribution"]) if "contribution" in given else None
    issue = found.issue if found else db.session.get(Issue, notice.issue_id or 0)
    values: Values = {"note": "", "planned": "", "deadline": "", "details": [], **given}
    if issue is not None:
        values["issue"] = f"{issue.mailing_list.name}, {issue.title}"
        values["deadline"] = values["deadline"] or (issue.deadline.words if issue.deadline else "")
        if issue.planned_at is not None:
            values["planned"] = dates.day(dates.local(issue.planned_at, issue.mailing_list.timezone))
    if found is not None:
        values |= {"title": found.title, "body": found.body, "reference": found.reference}
        values["note"] = values["note"] or found.decision_note
        contact = (found.contact_name, found.agency, found.contact_address, found.contact_phone)
        values["details"] = [part for part in contact if part]
        values["pictures"] = [each.alt or _("a picture without a description") for each in shown_with(found)]
    return values


def _leading_to(page: str) -> Callable[[Notice, datetime], Values]:
    """Its own words, and a way to a page."""
    return lambda notice, _now: {**notice.values, "url": link(page)}


def _exported(notice: Notice, _now: datetime) -> Values:
    return {**notice.values, "number": f"{notice.values.get('number', 0):,}", "url": link("admin.exports")}


#: Where the button of a mail about an issue leads, by how its template's name begins; to the issue itself otherwise.
_PAGES = (
    ("sending_", "editor.sending"),
    ("approval_", "editor.issue_approval"),
    ("comment_", "editor.issue_comments"),
    ("draft_", "editor.issue_comments"),
    ("sender_", "editor.issue_comments"),
)


def _about_an_issue(notice: Notice, _now: datetime) -> Values:
    issue = db.session.get(Issue, notice.issue_id or 0)
    if issue is None:
        raise NoLongerNeeded(_("The issue is gone."))
    page = next((page for start, page in _PAGES if notice.template.startswith(start)), "editor.issue")
    values: Values = {**notice.values.get("counts", {}), **notice.values}
    values["title"] = f"{issue.mailing_list.name}: {issue.title}"
    values["url"] = link(page, slug=issue.slug)
    about = db.session.get(Contribution, notice.values.get("contribution") or 0)
    if about is not None and notice.template != "sender_suggests":
        values["url"] = link("editor.contribution", reference=about.reference)
    at = issue.scheduled_at or issue.planned_at
    if not values.get("at") and at is not None:
        values["at"] = dates.moment(at, issue.mailing_list.timezone)
    return values


_MAKERS: Mapping[str, Callable[[Notice, datetime], Values]] = {
    "confirm_subscription": _confirmation,
    "confirm_reminder": _confirmation,
    "sign_up_flood": _leading_to("editor.subscribers"),
    "subscribers_exported": _exported,
    "already_subscribed": _already_subscribed,
    "fresh_link": _fresh_link,
    "left_link": _left_link,
    "address_change_link": _address_change_link,
    "confirm_new_address": _confirm_new_address,
    "address_known": _address_known,
    "address_changed": _address_changed,
    "address_change_undone": _address_change_undone,
    "staff_invitation": _invitation("admin.accept_invitation"),
    "password_reset_link": _invitation("account.choose_password"),
    "account_changed": _account_changed,
    "trouble_began": _leading_to("admin.operations"),
    "trouble_over": _leading_to("admin.operations"),
    "prove_address": _contribution_to_prove,
    "contribution_receipt": _receipt,
    "contribution_late": _receipt,
    "contribution_not_taken": _leading_to("contribute.calls"),
}
