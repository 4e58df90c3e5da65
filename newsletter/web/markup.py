"""What every template may use: loaders, filters, globals, translations.

A name that a template needs and a view forgot raises (StrictUndefined); what may be absent is named in
templates/base/page.html.
"""

import re
from collections.abc import MutableMapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flask import Flask, current_app, request
from flask.templating import Environment
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from newsletter import addresses, dates
from newsletter.i18n import gettext, ngettext

from .assets import asset, install_assets, manifest
from .brand import brand_url, install_brand
from .components import components
from .fields import field_markup, problem_list
from .tags import tag_of

_BREAKS = re.compile(r"([@.])")
TEMPLATES = Path(__file__).parent / "templates"


def _zone(context: Context) -> str:
    """The zone to print in: the page's own (`timezone`, the list's), else the installation's."""
    settings = current_app.config.get("NEWSLETTER")
    return str(context.get("timezone") or (settings.timezone if settings else "Europe/London"))


@pass_context
def moment(context: Context, value: datetime) -> str:
    """ "5pm, Friday 19 January 2018", of an instant or of a local date and time."""
    return dates.moment(value, _zone(context))


@pass_context
def day(context: Context, value: date) -> str:
    """ "Friday 19 January 2018", of a date or of the day an instant falls on."""
    return dates.day(_local_day(context, value))


@pass_context
def short_day(context: Context, value: date) -> str:
    """ "Fri 19 Jan 2018", for tables."""
    return dates.short_day(_local_day(context, value))


@pass_context
def clock_time(context: Context, value: datetime) -> str:
    """ "10:42am"."""
    return dates.clock_time(dates.local(value, _zone(context)) if value.tzinfo else value)


def _local_day(context: Context, value: date) -> date:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return dates.local(value, _zone(context))
    return value


def number(value: int) -> str:
    """ "4,218"."""
    return f"{value:,}"


def breakable(address: str) -> Markup:
    """An address that, where it does not fit, breaks before its "@" or a dot rather than within a name."""
    return Markup("").join(Markup("<wbr>") + part if part in "@." else part for part in _BREAKS.split(address) if part)


def initials(name: str) -> str:
    """ "RA" of "Ruth Adeyemi"; of an address its first letter."""
    words = name.split() or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def paragraphs(text: str) -> Markup:
    """Plain text as paragraphs: an empty line parts two, a line break stays one. Everything is escaped."""
    parts = [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    return Markup("\n").join(Markup("<p>{}</p>").format(Markup("<br>").join(part.split("\n"))) for part in parts)


def is_htmx() -> bool:
    """Whether a part of a page is asked for, not a whole one."""
    return request.headers.get("HX-Request") == "true"


class _Environment(Environment):
    """Flask's, for templates that have no globals of their own: none of ours does."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # Jinja's own lays an empty one over ours, and at each import asks both for each name: a tenth of a page's time.
        return super().make_globals(d) if d else self.globals


def install_templates(app: Flask) -> None:
    """Set up the app's Jinja environment, and serve the assets and accent colours that pages refer to."""
    own = FileSystemLoader(TEMPLATES)
    app.jinja_loader = ChoiceLoader([own, app.jinja_loader]) if app.jinja_loader else own
    app.jinja_environment = _Environment
    environment = app.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.add_extension("jinja2.ext.i18n")
    # Jinja's extension adds the method when it is loaded.
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]  # from an extension
    environment.filters.update(
        moment=moment,
        day=day,
        short_day=short_day,
        clock_time=clock_time,
        number=number,
        mask=addresses.mask,
        mask_within=addresses.mask_within,
        breakable=breakable,
        initials=initials,
        paragraphs=paragraphs,
    )
    environment.globals.update(
        components(),
        asset=asset,
        assets_built=lambda: bool(manifest.names),
        brand_url=brand_url,
        field_markup=field_markup,
        is_htmx=is_htmx,
        problem_list=problem_list,
        tag_of=tag_of,
        zone_words=dates.zone_words,
    )
    install_assets(app)
    install_brand(app)
