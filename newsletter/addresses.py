"""Email addresses: what we take, how two are compared, how one is shown to somebody it does not belong to.

Sources: RFC 5321 §4.5.3.1 (lengths), RFC 5322 §3.4.1, RFC 5891 (IDNA). We take what mail systems carry, not all
that the grammar allows: no quoted local part, no comment, no domain literal, no non-ASCII local part.
"""

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from .errors import Invalid, Problem

#: What people paste along with an address and cannot see: zero-width marks, BOM, soft hyphen, bidi marks.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: What looks like an address within a sentence.
_QUOTED = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]*[A-Za-z0-9]")
_LONGEST = 254
_LONGEST_LOCAL = 64


def clean(typed: str, *, field: str = "email") -> str:
    """The address in `typed`, ready to be stored and sent to.

    Outer spaces and invisible marks are dropped, the domain is lower-cased and turned to its A-label form
    (RFC 5891); the local part stays as typed. Raises Invalid, naming `field`, with a sentence that says what
    is wrong.
    """
    address = _INVISIBLE.sub("", typed).strip().strip("\u00a0")
    if not address:
        raise _invalid(field, "Enter an email address")
    if _CONTROL.search(address):
        raise _invalid(field, "An email address cannot hold line breaks or control characters")
    if re.search(r"\s", address):
        raise _invalid(field, "Enter one email address, without spaces")
    address = unicodedata.normalize("NFC", address)
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise _invalid(field, "Enter an email address in the form name@example.org")
    if not local.isascii():
        raise _invalid(field, "The part before the @ can only hold unaccented letters, digits and . _ - + '")
    if len(local) > _LONGEST_LOCAL:
        raise _invalid(field, "The part before the @ is too long (64 characters at most)")
    if local.startswith('"'):
        raise _invalid(field, "Addresses in quotation marks are not supported")
    ascii_domain = _ascii_domain(domain, field)
    if len(local) + 1 + len(ascii_domain) > _LONGEST:
        raise _invalid(field, "The email address is too long (254 characters at most)")
    _check_grammar(f"{local}@{ascii_domain}", field)
    return f"{local}@{ascii_domain}"


def key(address: str) -> str:
    """What two spellings of one address have in common: the whole in lower case. `+tags` stay."""
    local, _, domain = address.rpartition("@")
    return f"{unicodedata.normalize('NFC', local).casefold()}@{domain.lower()}"


def domain_of(address: str) -> str:
    """The part after the @, in lower case."""
    return address.rpartition("@")[2].lower()


def mask(address: str) -> str:
    """The address for a page that anybody holding a link can open: "to…le@example.org"."""
    local, _, domain = address.rpartition("@")
    shown = f"{local[:2]}…{local[-2:]}" if len(local) > 5 else f"{local[:1]}…"
    return f"{shown}@{domain}"


def mask_within(text: str) -> str:
    """Words with every address in them masked: mail servers quote whom they refuse."""
    return _QUOTED.sub(lambda found: mask(found[0]), text)


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid([Problem(field, sentence)])


def _ascii_domain(domain: str, field: str) -> str:
    from idna import IDNAError, encode

    domain = domain.lower()
    if domain.startswith("["):
        raise _invalid(field, "Enter a name after the @, not a number in brackets")
    if domain.isascii():
        return domain
    try:
        return encode(domain, uts46=True).decode()
    except IDNAError:
        raise _invalid(field, f"“{domain}” is not a name that a mail server can have") from None


def _check_grammar(address: str, field: str) -> None:
    try:
        validate_email(
            address,
            check_deliverability=False,
            allow_smtputf8=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            test_environment=True,
        )
    except EmailNotValidError:
        raise _invalid(field, "Enter an email address in the form name@example.org") from None
