"""The mail's own templates. People's words are values in them, escaped; they are never template source."""

from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from newsletter.resources import data_dir

from . import rich, typography, when


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Jinja over `templates/email`, with autoescape on for every file."""
    made = Environment(
        loader=FileSystemLoader(data_dir("templates/email")), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.filters.update(
        bind=lambda text: typography.bind(str(text)),
        title=lambda text: typography.title(str(text)),
        unbroken=lambda text: typography.unbroken(str(text)),
        when=lambda text: typography.bind(when.words(text)),
        iso=_machine,
        tel=tel,
        web=rich.to_web,
    )
    return made


def fill(name: str, values: dict[str, Any]) -> Markup:
    """The template `name` with its values."""
    return Markup(environment().get_template(name).render(values).strip())  # noqa: S704 - autoescaped


def tel(number: str) -> str:
    """The href of a phone number (RFC 3966); an extension is left for the person to dial."""
    return "tel:" + "".join(character for character in number.lower().partition("x")[0] if character in "+0123456789")


def _machine(text: str) -> str:
    """The `datetime` attribute of a date that can be read, else ""."""
    found = when.parse(text)
    return found.iso if found else ""
