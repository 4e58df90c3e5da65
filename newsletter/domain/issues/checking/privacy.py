"""Personal data that does not belong in a newsletter: numbers of persons, private addresses, dates of birth.

What is found is masked wherever it is shown, stored or logged. Contact fields, and the publisher's own domains and
phones, are meant to be read and are not looked at. Sources: NHS Data Dictionary (NHS number, modulus 11); HMRC NIM39110
(National Insurance numbers); DfE (unique pupil numbers).
"""

import re
from collections.abc import Callable, Iterator

from .... import addresses
from ..spoken_dates import FULL_DATE
from .findings import Finding
from .passages import Passage
from .surroundings import Surroundings, digits

_TEN_DIGITS = re.compile(r"(?<![\d.,/-])(\d{3})([ -]?)(\d{3})\2(\d{4})(?![\d/-])")
_NI = re.compile(r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b")
_UPN = re.compile(r"\b[A-HJ-NP-RT-Z]\d{11}[0-9A-Z]\b")
_BORN = re.compile(
    rf"\b(?:born(?: on)?|date of birth|d\.?o\.?b\.?)\W{{0,4}}(?:{FULL_DATE.pattern}|\d{{1,2}}/\d{{1,2}}/\d{{2,4}})",
    re.IGNORECASE,
)
#: Tried once in each run of such characters, however long it is.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9.!#$%&'*+/=?^_`{|}~-])[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
_PHONE = re.compile(r"(?<![\d+])(?:\+44[ ()0-]{0,4}|0)\d(?:[ ()-]?\d){8,9}(?!\d)")
_ADD_CONTACT = "If people are meant to use it, give it in a Contact section, where somebody has agreed to it."
_PERSON = "It may be a person's own number. Take it out: a newsletter cannot be called back."


def check_privacy(passage: Passage, around_it: Surroundings) -> Iterator[Finding]:
    """The findings of one passage; none in the fields of a contact."""
    if passage.block.kind == "contact":
        return
    for pattern, code, sentence, really in _NUMBERS:
        for found in pattern.finditer(passage.text):
            if really(found):
                yield _finding(passage, code, True, sentence, _PERSON, found[0])
    for found in _EMAIL.finditer(passage.text):
        domain = addresses.domain_of(found[0])
        if not any(domain == own or domain.endswith(f".{own}") for own in around_it.domains):
            words = "An email address of another organisation, or of a person, stands in the text."
            yield _finding(passage, "outside_email", False, words, _ADD_CONTACT, found[0])
    for found in _PHONE.finditer(passage.text):
        if digits(found[0]) not in around_it.phones:
            yield _finding(passage, "phone_number", False, "A phone number stands in the text.", _ADD_CONTACT, found[0])


def is_nhs_number(number: str) -> bool:
    """Whether ten digits are an NHS number: weights 10 to 2, modulus 11, the last digit the check."""
    if len(number) != 10 or not number.isdecimal() or len(set(number)) == 1:
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(number, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == int(number[9])


def _looks_like_nhs(found: re.Match[str]) -> bool:
    return is_nhs_number(digits(found[0]))


def _always(_found: re.Match[str]) -> bool:
    return True


_NUMBERS: tuple[tuple[re.Pattern[str], str, str, Callable[[re.Match[str]], bool]], ...] = (
    (_TEN_DIGITS, "nhs_number", "This looks like an NHS number.", _looks_like_nhs),
    (_NI, "ni_number", "This looks like a National Insurance number.", _always),
    (_UPN, "upn", "This looks like a pupil's number.", _always),
    (_BORN, "birth_date", "This looks like somebody's date of birth.", _always),
)


def _finding(passage: Passage, code: str, blocking: bool, sentence: str, why: str, words: str) -> Finding:
    return Finding(code, blocking, sentence, why, passage.block.id, passage.field, excerpt=masked(words), exact=words)


def masked(words: str) -> str:
    """The first two characters and the length: enough to find it in the text, not enough to know it."""
    if "@" in words:
        return addresses.mask(words)
    return words[:2] + re.sub(r"\w", "•", words[2:])
