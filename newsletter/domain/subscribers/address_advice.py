"""What an address looks like, for people to look at: likely slips of the finger, a shared mailbox, a throwaway one.

Nothing here stops anybody. The lists are short and ours: what is commonly typed, and what is commonly meant.
"""

from enum import StrEnum

from ... import addresses

#: Where very many people have their mail. Never taken from our subscribers: a suggestion must not tell who they are.
_COMMON = (
    "gmail.com", "googlemail.com", "hotmail.com", "hotmail.co.uk", "outlook.com", "live.com", "live.co.uk",
    "yahoo.com", "yahoo.co.uk", "ymail.com", "icloud.com", "me.com", "btinternet.com",
    "talktalk.net", "virginmedia.com", "ntlworld.com", "protonmail.com", "proton.me", "nhs.net",
)  # fmt: skip
#: Ends of names that stand in no register, and what was meant.
_SLIPS = {
    ".con": ".com", ".cmo": ".com", ".ocm": ".com", ".comm": ".com", ".vom": ".com", ".xom": ".com",
    ".co.u": ".co.uk", ".co.ku": ".co.uk", ".couk": ".co.uk", ".co.ulk": ".co.uk",
    ".gov.u": ".gov.uk", ".gov.ku": ".gov.uk", ".govuk": ".gov.uk", ".gov.ulk": ".gov.uk", ".gov.uk.com": ".gov.uk",
    ".nhs.u": ".nhs.uk", ".nhs.ku": ".nhs.uk", ".nhsuk": ".nhs.uk",
    ".org.u": ".org.uk", ".org.ku": ".org.uk", ".orguk": ".org.uk", ".ogr": ".org", ".ac.ku": ".ac.uk",
}  # fmt: skip
_ROLES = frozenset({
    "abuse", "accounts", "admin", "administration", "administrator", "all", "contact", "duty", "enquiries",
    "enquiry", "everyone", "feedback", "hello", "help", "helpdesk", "hr", "info", "inbox", "it", "mail",
    "marketing", "media", "news", "newsletter", "no-reply", "noreply", "office", "postmaster", "press", "reception",
    "referrals", "safeguarding", "secretary", "service", "sales", "staff", "support", "team", "webmaster",
})  # fmt: skip
_DISPOSABLE = frozenset({
    "10minutemail.com", "33mail.com", "discard.email", "dispostable.com", "emailondeck.com", "fakeinbox.com",
    "getnada.com", "guerrillamail.com", "guerrillamail.info", "guerrillamail.net", "guerrillamailblock.com",
    "inboxkitten.com", "maildrop.cc", "mailinator.com", "mailinator.net", "mailnesia.com", "mintemail.com",
    "moakt.com", "mohmal.com", "sharklasers.com", "spam4.me", "spamgourmet.com", "temp-mail.org", "tempmail.dev",
    "tempr.email", "throwawaymail.com", "trashmail.com", "yopmail.com", "yopmail.fr",
})  # fmt: skip


class Flag(StrEnum):
    """What staff are shown beside an address."""

    ROLE = "role"
    DISPOSABLE = "disposable"


def suggestion(address: str) -> str | None:
    """What was probably meant by a cleaned address, if its domain is one slip away from where many people have mail."""
    local, _at, domain = address.rpartition("@")
    domain = domain.lower()
    if domain in _COMMON:
        return None
    for slip, meant in _SLIPS.items():
        if domain.endswith(slip):
            return f"{local}@{domain.removesuffix(slip)}{meant}"
    close = [known for known in _COMMON if _one_slip(domain, known)]
    return f"{local}@{close[0]}" if len(close) == 1 else None


def flags(address: str) -> list[Flag]:
    """What is worth knowing of an address: that several people read it, or that nobody will for long."""
    local, domain = addresses.key(address).rpartition("@")[::2]
    found = [Flag.ROLE] if local.partition("+")[0] in _ROLES else []
    below = [".".join(domain.split(".")[at:]) for at in range(domain.count("."))]
    return [*found, Flag.DISPOSABLE] if _DISPOSABLE.intersection(below) else found


def _one_slip(typed: str, meant: str) -> bool:
    """Whether one letter is left out, doubled, wrong or swapped with its neighbour.

    The ends must agree and short names are left alone: "me.com" is one letter from too many.
    """
    if len(meant) < 7 or abs(len(typed) - len(meant)) > 1 or typed[:1] != meant[:1]:
        return False
    at = next((at for at, (one, other) in enumerate(zip(typed, meant, strict=False)) if one != other), len(meant))
    rest, wanted = typed[at:], meant[at:]
    swapped = len(rest) == len(wanted) > 1 and rest[1::-1] + rest[2:] == wanted
    return rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:] or swapped
