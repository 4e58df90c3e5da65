"""SPF records: who may send for a domain (RFC 7208). Reading one asks nobody; counting its lookups asks the DNS."""

import re
from dataclasses import dataclass

from ..mail.names import Names

#: RFC 7208 §4.6.4: more than ten terms that ask the DNS, or more than two that find nothing, is a permanent error.
MOST_LOOKUPS = 10
MOST_VOID = 2
_ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})
_KNOWN = _ASKING | {"all", "ip4", "ip6"}
_NEED_VALUE = frozenset({"include", "exists", "ip4", "ip6"})
_MECHANISM = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9._-]*)(?::([^\s/]\S*))?((?:/\d{1,3})?(?://\d{1,3})?)")
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(\S*)")
#: Where counting stops: a record that includes itself would go on for ever.
_ENOUGH = 2 * MOST_LOOKUPS


class SpfBroken(Exception):
    """The record is a permanent error for whoever receives our mail; `str()` is a clause that says why."""


@dataclass(frozen=True, slots=True)
class Term:
    """One mechanism: its sign ("+" where none is written), its name in lower case, and what follows the colon."""

    sign: str
    mechanism: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """The mechanisms in order, and the domain of `redirect=` or ""."""

    terms: tuple[Term, ...]
    redirect: str = ""

    @property
    def ending(self) -> str:
        """The sign of `all`: "-", "~", "?" or "+"; "" where there is none."""
        return next((term.sign for term in self.terms if term.mechanism == "all"), "")


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record at all (RFC 7208 §4.5)."""
    return text.lower().split(" ", 1)[0] == "v=spf1"


def parse(text: str) -> SpfRecord:
    """The record. Raises SpfBroken for what breaks it as a whole (RFC 7208 §4.6)."""
    terms: list[Term] = []
    redirects: list[str] = []
    for word in text.split()[1:]:
        modifier = _MODIFIER.fullmatch(word)
        if modifier is not None:
            if modifier[1].lower() == "redirect":
                redirects.append(modifier[2])
            continue
        terms.append(_term(word))
    if len(redirects) > 1 or "" in redirects:
        raise SpfBroken("its “redirect=” is there twice or names nothing")
    return SpfRecord(tuple(terms), redirects[0] if redirects else "")


def _term(word: str) -> Term:
    match = _MECHANISM.fullmatch(word)
    name = match[2].lower() if match else ""
    if match is None or name not in _KNOWN or (name in _NEED_VALUE and not match[3]):
        raise SpfBroken(f"it holds “{word[:60]}”, which is no mechanism of SPF")
    value = (match[3] or "") if name in ("ip4", "ip6") else (match[3] or "").partition("/")[0]
    return Term(match[1] or "+", name, value.lower())


def records_of(domain: str, names: Names) -> list[str]:
    """The SPF records of a domain: one, if all is well. Raises NamesUnavailable."""
    return [text for text in names.texts(domain) if is_spf(text)]


@dataclass(slots=True)
class Count:
    """What a receiver would ask for one of our mails: lookups, those that found nothing, and how the record ends."""

    lookups: int = 0
    void: int = 0
    ending: str = ""


def count(domain: str, record: SpfRecord, names: Names) -> Count:
    """Follow the record to its end, as a receiver would if nothing matched.

    Stops at twice the number of lookups that is allowed. Raises SpfBroken for what breaks it on the way,
    NamesUnavailable.
    """
    total = Count()
    _follow(domain, record, names, total, outermost=True)
    return total


def _follow(domain: str, record: SpfRecord, names: Names, total: Count, *, outermost: bool) -> None:
    if outermost:
        total.ending = record.ending
    for term in record.terms:
        if term.mechanism in _ASKING and total.lookups < _ENOUGH:
            total.lookups += 1
            _ask(domain, term, names, total)
    if record.redirect and not record.ending and total.lookups < _ENOUGH:
        total.lookups += 1
        if "%" not in record.redirect:
            _follow(record.redirect, _only_record(record.redirect, names), names, total, outermost=outermost)


def _ask(domain: str, term: Term, names: Names, total: Count) -> None:
    target = term.value or domain
    if "%" in target or term.mechanism == "ptr":
        return  # a macro stands for the address of whoever sends: it cannot be asked about here
    if term.mechanism == "include":
        _follow(target, _only_record(target, names), names, total, outermost=False)
    elif not (names.mail_servers(target) if term.mechanism == "mx" else names.addresses(target)):
        total.void += 1


def _only_record(domain: str, names: Names) -> SpfRecord:
    found = records_of(domain, names)
    if len(found) != 1:
        raise SpfBroken(f"it leads to {domain}, which has {'no SPF record' if not found else 'several SPF records'}")
    return parse(found[0])
