"""Why a mail server said no, or later, in words for people who never read one.

By the enhanced status (RFC 3463) where the server gave one, else by its words, else by the code alone (RFC 5321
§4.2). What the server really said is shown beside it: this is a reading, not a finding.
"""

import re

from ...i18n import gettext as _

_NO_MAILBOX = _("There is no such mailbox")
_FULL = _("The mailbox is full")
_SWITCHED_OFF = _("The mailbox is switched off")
_NO_DOMAIN = _("What stands after the @ takes no mail, or is misspelt")
_TURNED_AWAY = _("Their mail server turned it away by a rule of its own")
_WAIT = _("Their mail server asked us to wait")
_NOT_REACHED = _("Their mail server could not be reached")
_TOO_BIG = _("It is too big for their mail server")
_TROUBLE = _("Their mail server has trouble of its own")
_NO = _("Their mail server does not take it")
_BROKEN_OFF = _("The connection to the mail server broke off")

#: The second and third number of a status, as a pattern that matches the whole; the first row that does decides.
_BY_STATUS = (
    (r"1\.(1|3|6|10)", _NO_MAILBOX),
    (r"1\.(2|9)|4\.[347]|1\.0|1\.4", _NO_DOMAIN),
    (r"2\.1", _SWITCHED_OFF),
    (r"2\.2", _FULL),
    (r"2\.3|3\.4", _TOO_BIG),
    (r"4\.[0-9]+", _NOT_REACHED),
    (r"7\.[0-9]+|6\.[0-9]+", _TURNED_AWAY),
    (r"3\.[0-9]+", _TROUBLE),
)
_BY_WORDS = (
    (r"over ?quota|(mailbox|inbox)( is)? full|out of storage|insufficient (system )?storage", _FULL),
    (
        r"no such|unknown (user|recipient|address)|(user|recipient|mailbox|address)( is)? (unknown|not found|invalid)"
        r"|does ?n[o']t (exist|have)|no mailbox|unrouteable",
        _NO_MAILBOX,
    ),
    (r"disabled|inactive|suspended|deactivated", _SWITCHED_OFF),
    (r"gr[ae]y ?list|try (again|later)|too (many|fast)|rate|temporar|throttl|slow down", _WAIT),
    (r"spam|block(ed|ing| ?list)|black ?list|policy|reputation|denied|dmarc|\bspf\b", _TURNED_AWAY),
    (r"too (big|large|long)|size", _TOO_BIG),
    (r"(host|domain|name)( name)? (not found|unknown)|null ?mx|no route", _NO_DOMAIN),
)
#: What a server that asks to wait says of itself; none of it is final, so none of it is shown as a verdict.
_NOT_FINAL = frozenset({"", _TURNED_AWAY, _NO_MAILBOX, _TROUBLE})


def plain(code: int | None, enhanced: str, words: str) -> str:
    """One short sentence without a full stop, from a reply's code, its status ("5.1.1") and its words.

    `code` None: there was no reply, the connection failed. A 4xx is never called final, whatever its status says.
    """
    if code is None:
        return _BROKEN_OFF
    said = _by_status(enhanced) or _by_words(words)
    if code < 500 and said in _NOT_FINAL:
        return _WAIT
    return said or _NO


def _by_status(enhanced: str) -> str:
    status = enhanced.partition(".")[2]
    return next((said for pattern, said in _BY_STATUS if re.fullmatch(pattern, status)), "")


def _by_words(words: str) -> str:
    return next((said for pattern, said in _BY_WORDS if re.search(pattern, words, re.IGNORECASE)), "")
