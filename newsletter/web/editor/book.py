"""The book: people, links and acronyms of a list, kept on a page of their own and put into sections."""

from datetime import time
from typing import Any
from uuid import UUID

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock, dates
from newsletter.config import current_settings
from newsletter.db import db, transaction
from newsletter.domain.issues import book, editing
from newsletter.domain.staff.permissions import Permission, may, require
from newsletter.errors import Conflict, Invalid, NotFound
from newsletter.i18n import gettext as _
from newsletter.models import Account, Block, BookEntry, MailingList
from newsletter.rendering.blocks import kind as kind_of
from newsletter.states import BookKind
from newsletter.web.access import current_account, signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.reading_dates import Unreadable, read_day
from newsletter.web.section_forms import common_of, read_data

from . import compose
from .book_forms import FORMS, HEADINGS, EndForm, EntryForm
from .room import blueprint, find_issue, lists_for, page, to
from .words import name_of

_BOOK = "/desk/book"
_ENTRY = f"{_BOOK}/<int:number>"


@blueprint.context_processor
def _entries_that_fit() -> dict[str, Any]:
    """The desk offers what the book has for the open section."""
    return {"from_book": _choices}


def _choices(mailing_list: MailingList, block: Block) -> list[dict[str, Any]]:
    """The entries that fit into a section, as options of a select."""
    kind = book.FILLS.get(block.kind)
    found = book.entries(mailing_list, kind) if kind else []
    return [
        {
            "value": entry.id,
            "text": ", ".join(filter(None, (entry.name, entry.data.get("role", ""), entry.data.get("type", "")))),
        }
        for entry in found
    ]


def _may_change(entry_list: MailingList | None) -> bool:
    return may(current_account(), Permission.EDIT_ISSUES, entry_list)


def _list_of(entry: BookEntry) -> MailingList | None:
    return db.session.get(MailingList, entry.list_id) if entry.list_id else None


def _find(number: int, permission: Permission = Permission.EDIT_ISSUES) -> BookEntry:
    """The entry, if the person may do this with it. Raises NotFound, NotAllowed."""
    entry = book.find_entry(number)
    if entry.list_id or permission is not Permission.VIEW_ISSUES:
        require(current_account(), permission, _list_of(entry))
    return entry


@blueprint.get(_BOOK, endpoint="book")
@staff(Permission.VIEW_ISSUES)
def the_book() -> tuple[str, int]:
    lists = lists_for(signed_in_account(), Permission.VIEW_ISSUES)
    asked = request.args.get("list", "")
    chosen = next((each for each in lists if each.slug == asked), lists[0] if len(lists) == 1 else None)
    known = [
        entry
        for each in ([chosen] if chosen else lists)
        for entry in book.entries(each, ended=True)
    ]  # fmt: skip
    entries = list(dict.fromkeys(known or book.entries(None, ended=True)))
    in_use = [entry for entry in entries if entry.ended_at is None]
    names = {each.id: each.name for each in lists}
    return page(
        "book.html", under="editor.issues", lists=lists, chosen=chosen, names=names,
        groups=[(kind, HEADINGS[kind], [each for each in in_use if each.kind is kind]) for kind in BookKind],
        ended=[entry for entry in entries if entry.ended_at is not None],
        editable={entry.id for entry in entries if _may_change(_list_of(entry))},
        may_add=bool(lists_for(signed_in_account(), Permission.EDIT_ISSUES)),
    )  # fmt: skip


@blueprint.route(f"{_BOOK}/new/<kind>", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def book_new(kind: str) -> Response | tuple[str, int]:
    if kind not in set(BookKind):
        raise NotFound(_("There is no such kind of entry."))
    form = FORMS[BookKind(kind)]()
    account = signed_in_account()
    lists = lists_for(account, Permission.EDIT_ISSUES)
    form.list.choices = [
        *((each.slug, each.name) for each in lists),
        *([("", _("All lists"))] if may(account, Permission.EDIT_ISSUES) and len(lists) != 1 else []),
    ]
    if request.method == "GET":
        asked = request.args.get("list", "")
        form.list.data = asked if asked in dict(form.list.choices) else form.list.choices[0][0]
        return _form_page(form, BookKind(kind))
    if not form.validate():
        return _form_page(form, BookKind(kind), status=422)
    chosen = next((each for each in lists if each.slug == form.list.data), None)
    try:
        with transaction():
            entry = book.add(
                chosen, BookKind(kind), form.name.data or "", form.values(), actor=account, now=clock.now()
            ).name
    except Invalid as error:
        put_problems(form, error)
        return _form_page(form, BookKind(kind), status=422)
    flash(_("{name} is in the book.").format(name=entry), "success")
    return to("book", list=form.list.data or None)


def _form_page(form: EntryForm, kind: BookKind, entry: BookEntry | None = None, status: int = 200) -> tuple[str, int]:
    return page(
        "book_entry.html", under="editor.issues", status=status, form=form, kind=kind, entry=entry,
        uses=_uses(entry) if entry else [],
    )  # fmt: skip


def _uses(entry: BookEntry) -> list[dict[str, Any]]:
    """Where the entry still stands, on lists that the person may see."""
    account: Account = signed_in_account()
    return [
        {"use": use, "name": name_of(use.block)}
        for use in book.uses(entry)
        if may(account, Permission.VIEW_ISSUES, use.issue.mailing_list)
    ]


@blueprint.route(_ENTRY, methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def book_entry(number: int) -> Response | tuple[str, int]:
    entry = _find(number)
    form = FORMS[entry.kind]()
    del form.list
    if request.method == "GET":
        form.fill(entry)
        return _form_page(form, entry.kind, entry)
    valid = form.validate()
    try:
        if valid:
            with transaction():
                book.change(
                    _find(number), form.name.data or "", form.values(), actor=signed_in_account(), now=clock.now()
                )
    except Invalid as error:
        put_problems(form, error)
    if form.errors:
        return _form_page(form, entry.kind, _find(number), 422)
    flash(_("Saved. Sections keep the words they have."), "success")
    return to("book_entry", number=number)


@blueprint.route(f"{_ENTRY}/end", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def book_end(number: int) -> Response | tuple[str, int]:
    entry, form = _find(number), EndForm()
    mailing_list = _list_of(entry)
    zone = mailing_list.timezone if mailing_list else current_settings().timezone
    if request.method == "GET":
        form.day.data = dates.day(dates.local(clock.now(), zone).date())
        return _end_page(entry, form)
    form.validate()
    try:
        on = dates.to_instant(read_day(form.day.data or ""), time(0), zone)
        if not form.errors:
            with transaction():
                book.end(_find(number), on, form.reason.data or "", actor=signed_in_account(), now=clock.now())
    except Unreadable as unreadable:
        form.day.errors = [*form.day.errors, str(unreadable)]
    except Invalid as error:
        put_problems(form, error)
    if form.errors:
        return _end_page(_find(number), form, 422)
    flash(_("Ended. Below is where it still stands."), "success")
    return to("book_entry", number=number, anchor="uses")


def _end_page(entry: BookEntry, form: EndForm, status: int = 200) -> tuple[str, int]:
    return page(
        "book_end.html", under="editor.issues", status=status, entry=entry, form=form, uses=_uses(entry)
    )  # fmt: skip


@blueprint.post(f"{_ENTRY}/again")
@staff(Permission.EDIT_ISSUES)
def book_again(number: int) -> Response:
    with transaction():
        book.take_up_again(_find(number), actor=signed_in_account(), now=clock.now())
    flash(_("It is in use again."), "success")
    return to("book_entry", number=number)


@blueprint.post("/desk/issues/<slug>/write/<uuid:block_id>/book")
@staff(Permission.EDIT_ISSUES)
def issue_block_from_book(slug: str, block_id: UUID) -> Response | tuple[str, int]:
    """Put an entry into the open section, with all that was typed there. What cannot be saved is shown as by Save."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    block = editing.find_block(issue, str(block_id))
    typed = request.form.get("book", "")
    expected = request.form.get("expected", "")
    if not (typed.isdecimal() and len(typed) < 10 and expected.isdecimal() and len(expected) < 10):
        flash(_("Choose somebody or something from the book first."), "notice")
        return compose.issue_block_save(slug, block_id)
    entry = _find(int(typed), Permission.VIEW_ISSUES)
    try:
        data = book.filled(block.kind, read_data(kind_of(block.kind).fields, request.form), entry)
        with transaction():
            editing.edit_block(
                editing.find_block(issue, str(block_id)), data, expected_version=int(expected),
                common=common_of(request.form), actor=signed_in_account(), now=clock.now(),
            )  # fmt: skip
    except (Conflict, Invalid):
        return compose.issue_block_save(slug, block_id)
    flash(_("{name} was put in from the book.").format(name=entry.name), "success")
    return to("compose", slug=slug, block_id=block_id, anchor="write")
