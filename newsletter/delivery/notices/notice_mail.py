"""From a notice's row to the bytes of its mail."""

import uuid
from datetime import datetime

from sqlalchemy import select

from ...config import current_settings
from ...db import db
from ...i18n import gettext as _
from ...mail.message import Mailbox, bare_message_id, build_single
from ...mail.relay import Envelope
from ...models import MailingList, Notice, Organisation, PrivacyNotice, Rendition
from ...rendering import personalise
from ...rendering.notices import NoticeFrame, above_issue, compose
from .links import link, preferences_link, unsubscribe_link
from .notice_values import NoLongerNeeded, values_of

_TEST_COPY = "test_issue"
#: Whoever is asked to approve an issue reads it in the very mail that asks.
_HOLDS_THE_ISSUE = "approval_requested"
_NOBODY = uuid.UUID(int=0)
#: Why each mail came, where the words of the mail do not say it themselves.
_ASKED = _("You get this because somebody entered your address on our page.")
_MOVED = _("You get this because this address is, or was, subscribed.")
_READS = _("You get this because you are subscribed, and have not told us for long whether you still want it.")
_STAFF = _("You get this because you work on this newsletter.")
_SENDS_NEWS = _("You get this because somebody asked for it with this address, or because you send news for an agency.")
_IN_A_CALL = _("You get this because you send us news. To get no more of these, answer this email.")
_TO_EDITORS = ("call_digest", "more_time_asked", "more_time_told")
_SENT_IN = _("You get this because news was sent to us with this address.")


def write(notice: Notice, now: datetime) -> Envelope:
    """The whole mail of a notice, the same bytes at each try. Reads the database; not for inside a transaction.

    Raises NoLongerNeeded where its reason has gone; Invalid, ValueError or NotFound where it cannot be written.
    """
    mailing_list = db.session.get(MailingList, notice.list_id) if notice.list_id else None
    organisation = db.session.get(Organisation, 1)
    sender = _sender(mailing_list, organisation)
    reply_to = mailing_list.contact_address if mailing_list else sender.address
    leave = unsubscribe_link(_NOBODY) if notice.template == _TEST_COPY else ""
    if notice.template == _TEST_COPY:
        subject, text, html = _test_copy(notice)
    else:
        frame, values = _frame(notice, mailing_list, organisation), values_of(notice, now)
        leave = values.get("unsubscribe_url", "")
        subject, text, html = compose(notice.template, values, frame)
        if notice.template == _HOLDS_THE_ISSUE:
            text, html = _with_the_issue(notice, text, html)
    message = build_single(
        to=Mailbox("", notice.address),
        sender=sender,
        reply_to=Mailbox("", reply_to) if reply_to != sender.address else None,
        subject=subject,
        text=text,
        html=html,
        message_id=notice.message_id,
        # The day it was asked for, whenever it leaves: a second copy is the same mail.
        date=notice.created_at.replace(microsecond=0),
        language=mailing_list.language if mailing_list else "en-GB",
        headers=_answering(notice),
        unsubscribe_url=leave,
    )
    return Envelope(sender.address, notice.address, message)


def _answering(notice: Notice) -> dict[str, str]:
    """What marks the mail as the automatic answer to somebody's own (RFC 3834 §3.1.7, RFC 5322 §3.6.4)."""
    if "answers" not in notice.values:
        return {}
    try:
        answered = f"<{bare_message_id(notice.values['answers'])}>"
    except ValueError:
        return {"Auto-Submitted": "auto-replied"}
    return {"Auto-Submitted": "auto-replied", "In-Reply-To": answered, "References": answered}


def _sender(mailing_list: MailingList | None, organisation: Organisation | None) -> Mailbox:
    if mailing_list is not None:
        return Mailbox(mailing_list.sender_name, mailing_list.sender_address)
    first = db.session.scalar(select(MailingList).order_by(MailingList.id).limit(1))
    if first is not None:
        return Mailbox(organisation.name if organisation else first.sender_name, first.sender_address)
    if organisation is not None:
        return Mailbox(organisation.name, organisation.email)
    host = current_settings().public_host.partition(":")[0]
    return Mailbox("", f"newsletter@{host}")


def _frame(notice: Notice, mailing_list: MailingList | None, organisation: Organisation | None) -> NoticeFrame:
    name = organisation.name if organisation else _("Newsletter")
    shown = {
        "publication": mailing_list.name if mailing_list else name,
        "organisation": name,
        "address": organisation.address if organisation else "",
        "contact_email": mailing_list.contact_address if mailing_list else (organisation.email if organisation else ""),
        "privacy_url": link("public.privacy") if db.session.get(PrivacyNotice, 1) else "",
        "reason": _reason(notice.template),
    }
    if mailing_list is not None:
        return NoticeFrame(**shown, accent=mailing_list.accent, language=mailing_list.language)
    return NoticeFrame(**shown)


def _reason(template: str) -> str:
    if template.startswith("confirm_") or template in ("already_subscribed", "address_known"):
        return _ASKED
    if template.startswith("contributor_") and template != "contributor_asked":
        return _SENDS_NEWS
    if template.startswith(("call_", "more_time_")) and template not in _TO_EDITORS:
        return _IN_A_CALL
    if template.startswith("contribution_") or template == "prove_address":
        return _SENT_IN
    if template.startswith("renewal_"):
        return _READS
    if template.startswith("address_change") or template in ("fresh_link", "left_link"):
        return _MOVED
    return "" if template == "staff_invitation" else _STAFF


def _test_copy(notice: Notice) -> tuple[str, str, str]:
    """An issue's own mail, as a reader would get it, with the links of nobody in it."""
    chosen = select(Rendition).where(Rendition.issue_id == notice.issue_id)
    rendition_id = notice.values.get("rendition")
    if rendition_id is not None:
        chosen = chosen.where(Rendition.id == rendition_id)
    rendition = db.session.scalar(chosen.order_by(Rendition.id.desc()).limit(1))
    subject, text, html = (notice.values.get(part) for part in ("subject", "text", "html"))
    if rendition is None and not (text and html):
        raise NoLongerNeeded(_("The words that were to be tested are gone."))
    links = _links_of_nobody()
    if rendition is not None:
        subject, text, html = rendition.subject, rendition.text, rendition.html
    return (
        _("[Test] %(subject)s") % {"subject": subject},
        personalise.fill(str(text), links, html=False),
        personalise.fill(str(html), links, html=True),
    )


def _with_the_issue(notice: Notice, text: str, html: str) -> tuple[str, str]:
    """The words of the notice with the issue that it is about below them, where it is kept still."""
    rendition = db.session.get(Rendition, notice.values.get("rendition") or 0)
    if rendition is None or rendition.issue_id != notice.issue_id:
        return text, html
    links = _links_of_nobody()
    return above_issue(
        text,
        html,
        personalise.fill(rendition.text, links, html=False),
        personalise.fill(rendition.html, links, html=True),
    )


def _links_of_nobody() -> dict[str, str]:
    """What stands where a reader's own links stand: they lead to a page that knows nobody."""
    return {"unsubscribe_url": unsubscribe_link(_NOBODY), "preferences_url": preferences_link(_NOBODY)}
