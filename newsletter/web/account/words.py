"""Words that these pages and those for administrators share."""

import re

from flask import Flask

from ...domain.staff.invitations import ROLE_WORDS
from ...i18n import gettext as _

#: What a browser calls itself, most telling first: every one of them claims to be several.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "a Mac"),
    ("Linux", "Linux"),
)


def browser_words(user_agent: str) -> str:
    """ "Firefox on Windows", from the User-Agent header; "A browser" where it tells nothing."""
    browser = next((name for sign, name in _BROWSERS if re.search(rf"\b{sign}", user_agent)), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if not browser:
        return _("A browser")
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system} if system else browser


def install_words(app: Flask) -> None:
    """Let templates say what a role and a browser are called."""
    app.jinja_env.globals["role_words"] = {role: _(words) for role, words in ROLE_WORDS.items()}
    app.jinja_env.filters["browser_words"] = browser_words
