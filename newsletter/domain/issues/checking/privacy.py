"""Personal data that does not belong in a newsletter: it cannot be called back.

What is found is masked wherever it is shown, stored or logged, and stops the issue until a named person writes why it
may be published. What a Contact section gives, and the publisher's own domains, phones and postcode, are meant to be
read. Sources: NHS Data Dictionary (NHS number, modulus 11); HMRC NIM39110 (National Insurance numbers); DfE, "Unique
pupil numbers" (check letter, modulus 23); Ofcom, National Telephone Numbering Plan.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from .... import addresses
from ....i18n import gettext as _
from ..spoken_dates import FULL_DATE, spoken_dates
from .findings import Finding
from .passages import Address, Passage
from .person_numbers import NI_NUMBER, TEN_DIGITS, UPN, is_nhs_number, is_upn
from .surroundings import POSTCODE, Surroundings, digits

_NUMERIC_DATE = r"\d{1,2}[/.-]\d{1,2}[/.-](?P<numeric_year>(?:19|20)\d{2}|\d{2})(?!\d)"
_BORN = re.compile(
    r"(?:\bborn(?: on)?|\bdate of birth|\bbirth ?date|\bbirthday|\bd\.?o\.?b\b\.?|\bb\.)(?: (?:is|was|of))?\W{0,4}"
    rf"(?:(?:(?:{'|'.join(('Mon', 'Tues', 'Wednes', 'Thurs', 'Fri', 'Satur', 'Sun'))})day,? )?"
    rf"(?:{FULL_DATE.pattern}|{_NUMERIC_DATE}))",
    re.IGNORECASE,
)
#: "Sam Lund (3 May 2015)", "Sam Lund, 03/05/2015": a name, and a day behind it.
_NAME = r"\b[A-Z][a-z'’-]+ (?:[A-Z]\. )?[A-Z][a-z'’-]+(?:-[A-Z][a-z]+)?"
_NAMED_DAY = re.compile(rf"{_NAME}(?: ?\(|, | – | - |: )(?P<date>{_NUMERIC_DATE}|{FULL_DATE.pattern})")
#: Words in capitals that begin a name of something else.
_NO_NAME = re.compile(
    r"\b(?:Act|Bill|Board|Centre|Committee|Conference|Council|Day|Executive|Forum|Group|Guidance|Guide|Hall|Handling|House|Issue|Library"
    r"|Meeting|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Order|Park|Partnership|Plan|Policy|Protocol"
    r"|Regulations|Report|Review|School|Service|Standards|Strategy|Street|Team|The|Together|Toolkit|Town|Training|Trust|Version"
    r"|Week|Workshop|Year|January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
#: Somebody's own mailbox, at a provider where anybody has one.
_PRIVATE_MAIL = frozenset(
    (
        "gmail.com", "googlemail.com", "hotmail.com", "hotmail.co.uk", "outlook.com", "live.com", "live.co.uk",
        "msn.com", "yahoo.com", "yahoo.co.uk", "ymail.com", "icloud.com", "me.com", "mac.com", "aol.com", "aol.co.uk",
        "btinternet.com", "btopenworld.com", "sky.com", "talktalk.net", "virginmedia.com", "ntlworld.com",
        "blueyonder.co.uk", "tiscali.co.uk", "plus.com", "zoho.com", "gmx.com", "gmx.co.uk", "mail.com", "proton.me",
        "protonmail.com", "pm.me", "fastmail.com", "yandex.com", "hey.com", "tutanota.com",
    )
)  # fmt: skip
#: Tried once in each run of such characters, however long it is.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9.!#$%&'*+/=?^_`{|}~-])[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
_PHONE = re.compile(r"(?<![\d+£$.,/-])(?:(?:\+|\b00)44[ ()0.-]{0,4}|\(?0)\d(?:[ ().-]{0,2}\d){8,9}(?![\d/]|[.,]\d)")
#: Free and public numbers belong to services, never to a person: 0300, 0800, 084, 087, 09, 116 and the like.
_SERVICE = re.compile(r"0(?:3|8|9|5[05])")
_STREET = (
    r"(?:Street|St|Road|Rd|Lane|Ln|Avenue|Ave|Close|Cl|Drive|Dr|Way|Crescent|Court|Ct|Place|Pl|Gardens|Gdns|Grove"
    r"|Terrace|Terr|Row|Walk|Mews|Hill|Green|Square|Sq|Rise|View|Park|Parade|Mount|End|Meadow|Meadows|Wharf|Quay)"
)
_HOUSE = re.compile(
    rf"\b(?:Flat \w+,? )?\d{{1,4}}[A-Za-z]?(?:-\d{{1,4}})?,? (?:[A-Z][\w'’-]* ){{1,4}}?{_STREET}\b\.?"
    rf"(?P<between>[^\d]{{0,70}}?)(?P<postcode>{POSTCODE.pattern})"
)
_CONTACT = _("If people are meant to use it, give it in a Contact section, where somebody has agreed to it.")
_PERSON = _("A newsletter cannot be called back.")
#: Kinds and fields that are there to say how to reach somebody, or where to come.
_CONTACT_KINDS = frozenset({"contact", "footer"})
_PLACES = frozenset({"place", "venue"})
#: One character each, so that places in the text stay what they are.
_PLAIN = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | dict.fromkeys("\xa0\u2007\u2009\u202f", " "))


def check_privacy(passage: Passage, around_it: Surroundings) -> Iterator[Finding]:
    """The findings of one passage; of a contact, those that no contact needs."""
    text = passage.text.translate(_PLAIN)
    yield from _numbers(passage, text)
    yield from _births(passage, text, around_it)
    if passage.block.kind in _CONTACT_KINDS:
        return
    for found in _EMAIL.finditer(text):
        yield from _email(found[0], passage.block_id, passage.field, around_it)
    for found in _PHONE.finditer(text):
        yield from _phone(found[0], passage.block_id, passage.field, around_it)
    if passage.field.rpartition(".")[2] not in _PLACES:
        for found in _HOUSE.finditer(text):
            if found["postcode"].replace(" ", "").upper() not in around_it.postcodes:
                words = _("This looks like the address of somebody’s home.")
                yield _finding(passage, "postal_address", words, found[0])


def check_address(link: Address, around_it: Surroundings) -> Iterator[Finding]:
    """The findings of the mailbox or phone that a link leads to; what its words say is looked at as words."""
    scheme, _colon, rest = link.url.partition(":")
    if link.block.kind in _CONTACT_KINDS:
        return
    if scheme == "mailto":
        found = _EMAIL.search(unquote(rest.partition("?")[0]))
        if found and found[0] not in link.words:
            yield from _email(found[0], link.block.id, link.field, around_it)
    elif scheme == "tel" and digits(rest) != digits(link.words):
        yield from _phone(unquote(rest), link.block.id, link.field, around_it)


def _numbers(passage: Passage, text: str) -> Iterator[Finding]:
    for found in TEN_DIGITS.finditer(text):
        if is_nhs_number("".join(filter(str.isdigit, found[0]))):
            yield _finding(passage, "nhs_number", _("This looks like an NHS number."), found[0])
    for found in NI_NUMBER.finditer(text):
        yield _finding(passage, "ni_number", _("This looks like a National Insurance number."), found[0])
    for found in UPN.finditer(text):
        if is_upn(re.sub(r"[ -]", "", found[0]).upper()):
            yield _finding(passage, "upn", _("This looks like a pupil’s number."), found[0])


def _births(passage: Passage, text: str, around_it: Surroundings) -> Iterator[Finding]:
    words = _("This looks like somebody’s date of birth.")
    seen = 0
    for found in _BORN.finditer(text):
        seen = found.end()
        yield _finding(passage, "birth_date", words, found[0])
    for found in _NAMED_DAY.finditer(text, seen):
        year = _year(found["date"], around_it.send.year)
        if (
            year is not None
            and 1 < around_it.send.year - year <= 110
            and not _NO_NAME.search(found[0][: -len(found["date"])])
        ):
            yield _finding(passage, "birth_date", words, found[0])


def _year(date: str, this_year: int) -> int | None:
    numeric = re.fullmatch(_NUMERIC_DATE, date)
    if numeric is None:
        return next((spoken.day.year for spoken in spoken_dates(date) if spoken.day), None)
    year = int(numeric["numeric_year"])
    if year >= 100:
        return year
    return year + 2000 if year + 2000 <= this_year else year + 1900


def _email(address: str, block_id: str | None, field: str, around_it: Surroundings) -> Iterator[Finding]:
    domain = addresses.domain_of(address)
    if any(domain == own or domain.endswith(f".{own}") for own in around_it.domains):
        return
    code, blocking, sentence = "outside_email", False, _("An email address of another organisation stands in the text.")
    if domain in _PRIVATE_MAIL:
        code, blocking, sentence = "personal_email", True, _("Somebody’s private email address stands in the text.")
    yield Finding(code, blocking, sentence, _CONTACT, block_id, field, excerpt=masked(address), exact=address)


def _phone(number: str, block_id: str | None, field: str, around_it: Surroundings) -> Iterator[Finding]:
    national = digits(number)
    if national in around_it.phones or _SERVICE.match(national) or len(national) not in (10, 11):
        return
    words = _("A phone number stands in the text.")
    yield Finding("phone_number", True, words, _CONTACT, block_id, field, excerpt=masked(number), exact=national)


def _finding(passage: Passage, code: str, sentence: str, words: str) -> Finding:
    return Finding(code, True, sentence, _PERSON, passage.block_id, passage.field, excerpt=masked(words), exact=words)


def masked(words: str) -> str:
    """The first two characters and the length: enough to find it in the text, not enough to know it."""
    if "@" in words:
        return addresses.mask(words)
    return words[:2] + re.sub(r"\w", "•", words[2:])
