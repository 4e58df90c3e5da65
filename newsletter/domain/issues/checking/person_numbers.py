"""The numbers that public bodies give to persons, told from other numbers by their check digits."""

import re

TEN_DIGITS = re.compile(r"(?<![\d.,/£$+-])(?<!\d )\d{3}[ .-]?\d{3}[ .-]?\d{4}(?![\d/]|[.,]\d| \d|-\d)")
NI_NUMBER = re.compile(
    r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ .-]?"
    r"(?:\d{2}[ .-]?\d{2}[ .-]?\d{2}|\d{6})[ .-]?[A-D]\b",
    re.IGNORECASE,
)
UPN = re.compile(r"\b[A-HJ-NP-RT-Z][ -]?\d{3}[ -]?\d{4}[ -]?\d{4}[0-9A-Z]\b", re.IGNORECASE)
_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def is_nhs_number(number: str) -> bool:
    """Whether ten digits are an NHS number: weights 10 to 2, modulus 11, the last digit the check."""
    if len(number) != 10 or not number.isdecimal() or len(set(number)) == 1:
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(number, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == int(number[9])


def is_upn(number: str) -> bool:
    """Whether thirteen characters are a unique pupil number: a check letter over the twelve behind it, weights 2 to 13,
    modulus 23. The last is a letter in a temporary one, and counts by its place among the letters."""
    if len(number) != 13 or not number[1:12].isdecimal() or number[12] not in "0123456789" + _LETTERS:
        return False
    values = [int(digit) for digit in number[1:12]]
    values.append(int(number[12]) if number[12].isdecimal() else _LETTERS.index(number[12]))
    return number[0] == _LETTERS[sum(value * weight for value, weight in zip(values, range(2, 14), strict=True)) % 23]
