"""Two hundred sentences that hold personal data: (the code of the check that should find it, the sentence).

Nobody real stands behind them. NHS numbers begin with 999, which is kept for tests; pupils' numbers name the local
authority 000, which is none; phone numbers are those that Ofcom keeps for drama; the postcode area LK does not exist;
Gmail allows no underscore in an address; names are made up, and so are the National Insurance numbers, whose form
does not tell a made-up one from a real one. Some are hard, as people write them; the test says how many are found.
"""

from collections.abc import Iterator

from newsletter.domain.issues.checking.person_numbers import is_nhs_number, is_upn

NAMES = (
    "Sam Lund",
    "Tegan Penhale",
    "Mira Okafor",
    "Bethan Price",
    "Owen Marsh-Gill",
    "Asha Verne",
    "Kit O’Dell",
    "Rowan Tarn",
    "Ines Calder",
    "Jude Fallow",
)


def nhs_numbers() -> Iterator[str]:
    """Valid ones of the range for tests, without end."""
    number = 9991000000
    while True:
        number += 37
        if is_nhs_number(str(number)):
            yield str(number)


def pupils_numbers() -> Iterator[str]:
    """Valid ones of no authority, without end."""
    number = 12345
    while True:
        number += 4321
        digits = f"000{number:09}"[:12]
        yield next(letter + digits for letter in "ABCDEFGHJKLMNPQRTUVWXYZ" if is_upn(letter + digits))


_NHS = (
    "Her NHS number is {a} {b} {c}.",
    "NHS no. {a}{b}{c}",
    "NHS No: {a}-{b}-{c}",
    "Please quote {a} {b} {c} when you ring.",
    "{name} ({a} {b} {c}) was seen on Monday.",
    "Patient {a}{b}{c} is well.",
    "The record ({a}{b}{c}) was shared.",
    "Refer to {a} {b} {c}, and to the plan.",
    "Number: {a}\u00a0{b}\u00a0{c}.",
    "We discussed {name}, {a}-{b}-{c}, at length.",
    "NHS:{a}{b}{c}",
    "Case of {a} {b} {c}; see the notes.",
    "“{a} {b} {c}” stood on the letter.",
    "Send it with {a}{b}{c} in the subject.",
    "NHS number\u2009{a}\u2009{b}\u2009{c}",
)
_HARD_NHS = ("Number {a}.{b}.{c} is hers.", "NHS {a}{b} {c}", "NHS number: {a} / {b} / {c}")
_NI = (
    "NI number {p} {a} {b} {c} {s}.",
    "National Insurance: {p}{a}{b}{c}{s}",
    "Her NINO is {p}{a}{b}{c}{s}.",
    "{name}, {p} {a}{b}{c} {s}, has moved.",
    "Quote {p}-{a}-{b}-{c}-{s}.",
    "({p}{a}{b}{c}{s})",
    "nino {lower}",
    "The form asks for {p} {a} {b} {c} {s}, as before.",
    "Payroll: {p}{a}{b}{c}{s}, {name}.",
    "NI: {p} {a} {b} {c} {s}",
    "Ring about {p}{a} {b} {c}{s}.",
    "Number {p}\u00a0{a}\u00a0{b}\u00a0{c}\u00a0{s}.",
)
_HARD_NI = ("NI number {p}.{a}.{b}.{c}.{s}", "NI number {a}{b}{c}, letters {p} and {s}")
_UPN = (
    "UPN {upn}.",
    "Pupil {upn} has moved school.",
    "{name} (UPN: {upn}) starts on Monday.",
    "The pupil’s number is {upn}.",
    "Unique pupil number {upn}, year 4.",
    "See {upn} in the register.",
    "upn {lower}",
    "“{upn}”",
    "({upn})",
    "Transfer of {upn} to Larkmere Primary.",
)
_HARD_UPN = ("UPN {spaced}", "UPN {dashed}")
_BORN = (
    "{name}, born on {day}, is well.",
    "{name} was born on {day}.",
    "DOB: {numeric}",
    "{name} DOB {numeric}.",
    "D.O.B. {numeric}, {name}",
    "{name} (born {day})",
    "Date of birth: {day}. Name: {name}.",
    "Date of birth {numeric}, seen by the nurse.",
    "{name}, d.o.b. {numeric}.",
    "{name} (b. {day})",
    "{name} ({numeric})",
    "{name}, {numeric}, lives with her aunt.",
    "{name} ({day}) was placed in care.",
    "Her date of birth is {day}.",
    "{name}’s birthday is {day}.",
    "{name} – {numeric} – year 6",
    "A girl, born Tuesday {day}, was named {name}.",
    "{name}: {numeric}",
    "dob {dashed}",
    "{name} ({short}) attends the nursery.",
)
_HARD_BORN = (
    "{name} turned eight on {day}.",
    "{numeric} is when {name} was born.",
    "{name} came into the world in spring 2015.",
)
_DAYS = (
    ("3 May 2015", "03/05/2015", "03-05-2015", "3/5/15"),
    ("21 August 2011", "21/08/2011", "21-08-2011", "21/8/11"),
    ("9 January 2008", "09/01/2008", "09-01-2008", "9/1/08"),
    ("30 November 1971", "30/11/1971", "30-11-1971", "30/11/71"),
    ("14 February 2019", "14/02/2019", "14-02-2019", "14/2/19"),
)
_PHONES = (
    "01632 960{n}",
    "01632960{n}",
    "01632 960 {n}",
    "(01632) 960{n}",
    "+44 1632 960{n}",
    "+44 (0)1632 960 {n}",
    "07700 900{n}",
    "07700900{n}",
    "07700 900 {n}",
    "+447700900{n}",
    "+44 7700 900 {n}",
    "020 7946 0{n}",
    "0207 946 0{n}",
    "0117 496 0{n}",
    "0113 4960{n}",
    "0191 498 0{n}",
    "0044 7700 900{n}",
    "01632-960-{n}",
    "07700\u00a0900\u00a0{n}",
    "01632.960.{n}",
)
_RING = (
    "Ring {name} on {phone}.",
    "Phone {phone} before five.",
    "{name}: {phone}",
    "Her mobile is {phone}; leave a message.",
    "Call {phone}, any day.",
    "Text “yes” to {phone}",
)
_HARD_PHONES = ("Ring 07700 nine double-oh 123.", "Mobile: 0 7 7 0 0 9 0 0 1 2 3 is hers", "Ring 960143 (Larkmere).")
_HOMES = (
    "12 Mill Lane, Larkmere, LK1 2AB",
    "7 Orchard Road, Larkmere LK3 4DE",
    "Flat 3, 18 Quay Street, Larkmere, LK1 9FG",
    "45a Boathouse Way, LK2 7HJ",
    "101 Long Meadow Drive, Little Larkmere, Larkmere, LK14 5LN",
    "3 St Anne’s Close, LK1 1PQ",
    "9 Station Rd, Larkmere, LK5 6RS",
    "22 Ferry Court, LK1 3TU",
    "6 The Green, Upper Marsh, LK8 8WX",
    "14 Lakeside Terrace, LK2 2YZ",
)
_LIVES = ("{name} lives at {home}.", "Write to {name}, {home}.", "The family moved to {home}, in May.")
_HARD_HOMES = ("She lives at Rose Cottage, Mill Lane, LK1 2AB.", "The house, no. 12 in Mill Lane, is hers (LK1 2AB).")
_MAILS = (
    "sam_lund@gmail.com",
    "tegan_p@googlemail.com",
    "mira_1@gmail.com",
    "b_price@gmail.com",
    "owen_mg@gmail.com",
    "Asha_Verne@Gmail.com",
    "kit_@gmail.com",
    "_rowan@gmail.com",
    "i_c@gmail.com",
    "jude_fallow+news@gmail.com",
)
_WRITE = ("Write to {mail} today.", "{name} ({mail}) has the key.", "Email: {mail}")
_HARD_MAILS = ("Write to sam_lund at gmail dot com.", "sam_lund [at] gmail.com is hers.")


def _nhs() -> Iterator[tuple[str, str]]:
    numbers = nhs_numbers()
    forms = (*_NHS, *_NHS[:10], *_HARD_NHS)
    for place, form in enumerate(forms):
        number = next(numbers)
        yield "nhs_number", form.format(a=number[:3], b=number[3:6], c=number[6:], name=NAMES[place % 10])


def _ni() -> Iterator[tuple[str, str]]:
    for place, form in enumerate((*_NI, *_NI[:11], *_HARD_NI)):
        prefix, suffix = ("JR", "SY", "WM", "ZX", "HK")[place % 5], "ABCD"[place % 4]
        a, b, c = "00", f"{place:02}", f"{99 - place:02}"
        yield (
            "ni_number",
            form.format(
                p=prefix, a=a, b=b, c=c, s=suffix, name=NAMES[place % 10], lower=f"{prefix}{a}{b}{c}{suffix}".lower()
            ),
        )


def _upn() -> Iterator[tuple[str, str]]:
    numbers = pupils_numbers()
    for place, form in enumerate((*_UPN, *_UPN, *_HARD_UPN)):
        upn = next(numbers)
        spaced = " ".join((upn[0], upn[1:4], upn[4:8], upn[8:]))
        yield (
            "upn",
            form.format(
                upn=upn, lower=upn.lower(), spaced=spaced, dashed=spaced.replace(" ", "-"), name=NAMES[place % 10]
            ),
        )


def _births() -> Iterator[tuple[str, str]]:
    for place, form in enumerate((*_BORN, *_BORN[:14], *_HARD_BORN)):
        day, numeric, dashed, short = _DAYS[(place + place // len(_BORN)) % len(_DAYS)]
        yield (
            "birth_date",
            form.format(
                name=NAMES[(place + place // len(_BORN)) % 10], day=day, numeric=numeric, dashed=dashed, short=short
            ),
        )


def _phones() -> Iterator[tuple[str, str]]:
    for place in range(34):
        phone = _PHONES[place % len(_PHONES)].format(n=143 + place)
        yield "phone_number", _RING[place % len(_RING)].format(phone=phone, name=NAMES[place % 10])
    for sentence in _HARD_PHONES:
        yield "phone_number", sentence


def _homes() -> Iterator[tuple[str, str]]:
    for place in range(25):
        home = _HOMES[place % len(_HOMES)]
        yield "postal_address", _LIVES[place % len(_LIVES)].format(home=home, name=NAMES[(place * 3) % 10])
    for sentence in _HARD_HOMES:
        yield "postal_address", sentence


def _mails() -> Iterator[tuple[str, str]]:
    for place in range(22):
        mail = _MAILS[place % len(_MAILS)]
        yield "personal_email", _WRITE[place % len(_WRITE)].format(mail=mail, name=NAMES[place % 10])
    for sentence in _HARD_MAILS:
        yield "personal_email", sentence


POSITIVES: tuple[tuple[str, str], ...] = (
    *_nhs(),
    *_ni(),
    *_upn(),
    *_births(),
    *_phones(),
    *_homes(),
    *_mails(),
)
