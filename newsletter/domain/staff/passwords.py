"""Passwords: what makes a good one, and proving one without telling who exists.

Hashing takes a moment and happens outside `transaction()`. Rules: OWASP ASVS 5.0, 6.2 and NIST SP 800-63B-4, 3.1.1:
length counts, nothing has to be mixed in, what everybody uses is refused, nothing is cut off.
"""

import re
import unicodedata
from pathlib import Path

from flask_security import hash_password, verify_password

from ...errors import Invalid, Problem
from ...models import Account

SHORTEST = 12
LONGEST = 256

#: An argon2id hash of nothing anybody knows, made with our own parameters: proving takes as long without an account.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$vLj0iGfTYU5MqDv4rNanVw$oguHNf72YekUbCdcuzKOmb+IIqutq0D80iy32zsLrkE"

#: Words that long passwords of many people are made of; digits and signs around or within them change nothing.
_COMMON_WORDS = frozenset(Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").split())
_RUNS = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
    "qwertyuiopasdfghjklzxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
)
_LOOK_ALIKES = str.maketrans("013457@$!", "oieastasi")


def check(typed: str, *, person: tuple[str, ...] = (), field: str = "password") -> str:
    """The password in the form in which it is hashed. Raises Invalid with a sentence that says what to do.

    `person` holds what anybody knows of them (name, address, organisation): a password made of that is refused.
    """
    password = normal(typed)
    if len(password) < SHORTEST:
        raise _invalid(field, f"Use {SHORTEST} characters or more. Three or four words do well")
    if len(password) > LONGEST:
        raise _invalid(field, f"Use {LONGEST} characters or fewer")
    if _common(password) or any(_made_of(password, words) for words in person):
        raise _invalid(field, "Choose another password: this one is easy to guess")
    return password


def normal(typed: str) -> str:
    """One spelling for characters that can be typed in two ways (NFKC); nothing is cut or trimmed."""
    return unicodedata.normalize("NFKC", typed)


def hashed(password: str) -> str:
    """The argon2id hash of a checked password. Slow on purpose: outside `transaction()`."""
    value: str = hash_password(password)
    return value


def proves(account: Account | None, typed: str) -> bool:
    """Whether `typed` is this account's password; as slow for nobody's, and for an account without one."""
    known = account.password if account is not None else None
    password = normal(typed)
    # No password is longer, and the hash refuses very long ones; what is cut proves nothing, and takes as long.
    right: bool = verify_password(password[: LONGEST + 1], known or _NOBODYS)
    return right and known is not None and len(password) <= LONGEST


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid([Problem(field, sentence)])


def _common(password: str) -> bool:
    plain = password.casefold()
    squeezed = re.sub(r"\s+", "", plain)
    return (
        _repeats(squeezed)
        or any(squeezed in run for run in _RUNS)
        or any(_letters(form) in _COMMON_WORDS for form in (squeezed, squeezed.translate(_LOOK_ALIKES)))
    )


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text)


def _repeats(text: str) -> bool:
    """Whether it is one short piece over and over: "aaaaaaaaaaaa", "abc1abc1abc1"."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 2 + 1))


def _made_of(password: str, words: str) -> bool:
    """Whether what is left without those words is less than half a password."""
    left = password.casefold()
    for word in [words.casefold(), *re.split(r"[\s@._+-]+", words.casefold())]:
        if len(word) > 3:
            left = left.replace(word, "")
    return len(left) < SHORTEST / 2
