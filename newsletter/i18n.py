"""Interface texts go through gettext, so that a translation is a catalogue and no change of code.

English is the source language and needs no catalogue. A catalogue, where there is one, is
`newsletter/locale/<language>/LC_MESSAGES/newsletter.mo`.
"""

import gettext as _gettext
from functools import lru_cache
from pathlib import Path

_LOCALES = Path(__file__).parent / "locale"


@lru_cache
def translations(language: str = "en-GB") -> _gettext.NullTranslations:
    """The catalogue of `language` (a BCP 47 tag), or the source texts where there is none."""
    return _gettext.translation(
        "newsletter", _LOCALES, languages=[language.replace("-", "_"), language.split("-")[0]], fallback=True
    )


def gettext(text: str) -> str:
    """`text` in the interface's language."""
    return translations().gettext(text)


def ngettext(singular: str, plural: str, number: int) -> str:
    """The form of the text that goes with `number`; the number itself is put in by the caller."""
    return translations().ngettext(singular, plural, number)
