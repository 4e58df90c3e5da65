"""The people of the demo: made of lists of names, all of them fictional, all of them at example.org."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

_FIRST = (
    "Amira", "Ben", "Carys", "Dev", "Elif", "Femi", "Grace", "Hamza", "Ines", "Jonah", "Kavita", "Lewis", "Maeve",
    "Nadia", "Owen", "Priya", "Quentin", "Rosa", "Samir", "Tegan", "Uma", "Viktor", "Wren", "Yusuf", "Zofia",
)  # fmt: skip
_LAST = (
    "Adair", "Bello", "Cadwallader", "Dunmore", "Eastwood", "Farrow", "Gill", "Hollis", "Idowu", "Jarvis", "Kaur",
    "Lomax", "Mistry", "Nowak", "O’Shea", "Penhale", "Quist", "Rahman", "Shaw", "Treloar", "Underhill", "Varga",
    "Whitlock", "Yates",
)  # fmt: skip
_AGENCIES = (
    ("Larkmere Council", "council"),
    ("Larkmere Police", "police"),
    ("Larkmere Health Trust", "health"),
    ("Millbrook Primary School", "millbrook"),
    ("Oakfield School", "oakfield"),
    ("Larkmere Family Hubs", "hubs"),
    ("Weir Street Surgery", "surgery"),
    ("Larkmere Youth Alliance", "youth"),
    ("Lakeside Housing", "housing"),
)


@dataclass(frozen=True)
class Reader:
    """Somebody who gets the newsletter."""

    name: str
    address: str
    agency: str


def readers(number: int) -> list[Reader]:
    """The first `number` readers, always the same ones, no address twice."""
    return list(islice(_all(), number))


def _all() -> Iterator[Reader]:
    for turn in count():
        # 25 and 24 have no common divisor: every first name meets every last one before any pair comes back.
        first, last = _FIRST[turn % len(_FIRST)], _LAST[turn % len(_LAST)]
        agency, domain = _AGENCIES[turn % len(_AGENCIES)]
        again = turn // (len(_FIRST) * len(_LAST))
        local = f"{first}.{last}{again + 1 if again else ''}".lower().replace("’", "")
        yield Reader(f"{first} {last}", f"{local}@{domain}.example.org", agency)


def as_csv(people: list[Reader]) -> io.BytesIO:
    """The readers as a file that the product imports."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["Email", "Name", "Organisation"])
    writer.writerows([one.address, one.name, one.agency] for one in people)
    return io.BytesIO(text.getvalue().encode())
