"""Who is meant by what was ticked or searched for on the page of subscribers, carried to a page that asks."""

from typing import Any
from uuid import UUID

from flask import request

from newsletter.domain.staff.permissions import Permission
from newsletter.domain.subscribers.bulk_actions import Selection
from newsletter.models import Account
from newsletter.rendering import characters

from .room import lists_for
from .subscribers import chosen_list, standing_of


def selection_of(account: Account) -> Selection:
    """The people that the request names, as far as this person may see them."""
    asked = request.values
    picked: tuple[UUID, ...] | None = None
    if asked.get("which") != "all":
        picked = tuple(found for typed in asked.getlist("who") if (found := _uuid(typed)))
    return Selection(
        mailing_list=chosen_list(account, lists_for(account, Permission.VIEW_SUBSCRIBERS), asked.get("of")),
        query=characters.one_line(asked.get("q", ""))[:200],
        state=standing_of(asked.get("state")),
        picked=picked,
        shown=int(shown) if (shown := asked.get("shown", "")).isdecimal() and len(shown) < 10 else None,
    )


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def search_of(selection: Selection) -> dict[str, Any]:
    """The arguments of the page that they were chosen on."""
    return {
        "list": selection.mailing_list.slug if selection.mailing_list else None,
        "q": selection.query or None,
        "state": selection.state.value if selection.state else "all",
    }


def carried(selection: Selection) -> list[tuple[str, str]]:
    """What a confirming form brings along to say who is meant."""
    search = search_of(selection)
    fields = [("of", search["list"] or ""), ("q", search["q"] or ""), ("state", search["state"] or "")]
    if selection.picked is None:
        return [*fields, ("which", "all")]
    return [*fields, *(("who", str(one)) for one in selection.picked)]
