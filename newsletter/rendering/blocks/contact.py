"""Whom to ask, and how to reach them: fields and not text, so that no address can be left out."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, FieldType, text

from .base import PEOPLE_GROUP, BlockKind, Part


class Contact(BlockKind):
    kind = "contact"
    name = _("Contact")
    purpose = _("Somebody to ask, with an email address or a phone number.")
    icon = "contact"
    group = PEOPLE_GROUP
    fields = (
        text("heading", _("Heading"), longest=90, hint=_("Leave it empty for a second contact under one heading.")),
        text("lead", _("When to ask them"), longest=300),
        text("name", _("Name"), longest=100, hint=_("A person or a service.")),
        text("role", _("Role"), longest=120),
        text("organisation", _("Organisation"), longest=120),
        Field(name="email", label=_("Email address"), type=FieldType.EMAIL, longest=254),
        Field(name="phone", label=_("Phone number"), type=FieldType.PHONE, longest=40),
    )

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        if not data["email"] and not data["phone"]:
            yield Problem("email", _("Enter an email address or phone number."))
        if not any((data["heading"], data["lead"], data["name"], data["role"])):
            yield Problem("name", _("Say who this is, or what they help with."))

    def say(self, part: Part) -> str:
        data = part.data
        role = ", ".join(filter(None, (data["role"], data["organisation"])))
        card = [
            data["name"],
            role,
            part.words("Phone: {number}", number=data["phone"]) if data["phone"] else "",
            part.words("Email: {address}", address=data["email"]) if data["email"] else "",
        ]
        lines = plain.lines(*(plain.wrap(line, "  ") for line in card))
        return part.opened(data["heading"], plain.spaced(plain.wrap(data["lead"]), lines))
