"""The board of a call: agency by agency, or person by person, who is in, who writes, who is silent, and what they were
sent. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .... import dates
from ....models import Chase, Contribution, Extension, Issue
from ....states import ChaseKind, ContributionState, ExtensionState
from . import chase_rows, extending
from .concerned import Party, Standing, parties

#: In which order the lanes stand.
LANES = (Standing.IN, Standing.WRITING, Standing.NOTHING, Standing.SILENT)


@dataclass(frozen=True)
class Mailed:
    """What went to an agency's people, and when it last did."""

    kind: ChaseKind
    at: datetime
    people: int


@dataclass(frozen=True)
class Row:
    """One agency or person. `sent` is what the editors may read; of drafts there is only the number, but for those that
    came too late, which are meant for them."""

    party: Party
    standing: Standing
    sent: tuple[Contribution, ...]
    late: tuple[Contribution, ...]
    drafts: int
    mailed: tuple[Mailed, ...]
    #: Waits for an answer.
    asks: Extension | None
    #: More time that they have.
    has: Extension | None

    @property
    def name(self) -> str:
        return self.party.name

    @property
    def waits(self) -> tuple[Contribution, ...]:
        """What of theirs an editor must still decide on."""
        return tuple(one for one in self.sent if one.state is ContributionState.SUBMITTED)


@dataclass(frozen=True)
class Board:
    rows: tuple[Row, ...]

    def lane(self, standing: Standing) -> list[Row]:
        return [row for row in self.rows if row.standing is standing]

    @property
    def asks(self) -> list[Row]:
        return [row for row in self.rows if row.asks is not None]


def board(issue: Issue) -> Board:
    """The issue's board."""
    mails, extensions, zone = chase_rows.rows_of(issue), extending.extensions_of(issue), issue.mailing_list.timezone
    return Board(tuple(_row(party, mails, extensions, zone) for party in parties(issue)))


def find_row(found: Board, key: str) -> Row | None:
    """The row of this key (`key_of`)."""
    return next((row for row in found.rows if key_of(row.party) == key), None)


def key_of(party: Party) -> str:
    """What names a row in a form: the public id of the agency, or of the person."""
    return str(party.agency.public_id if party.agency else party.people[0].public_id)


def _row(party: Party, mails: Iterable[Chase], extensions: Iterable[Extension], zone: str) -> Row:
    mine = [one for one in extensions if _is_of(one, party)]
    late = tuple(one for one in party.drafts if one.late)
    return Row(
        party=party,
        standing=party.standing,
        sent=tuple(party.sent),
        late=late,
        drafts=len(party.drafts) - len(late),
        mailed=_mailed(party, mails, zone),
        asks=next((one for one in mine if one.state is ExtensionState.ASKED), None),
        has=next((one for one in mine if one.state is ExtensionState.GRANTED), None),
    )


def _is_of(extension: Extension, party: Party) -> bool:
    pieces = {one.id for one in (*party.sent, *party.drafts)}
    return (
        (party.agency is not None and extension.agency_id == party.agency.id)
        or extension.contributor_id in {person.id for person in party.people}
        or extension.contribution_id in pieces
    )


def _mailed(party: Party, mails: Iterable[Chase], zone: str) -> tuple[Mailed, ...]:
    """One line for each kind and day, oldest first."""
    theirs = {person.address_key for person in party.people}
    found: dict[tuple[ChaseKind, object], Mailed] = {}
    for row in mails:
        if row.address_key in theirs:
            key = (row.kind, dates.local(row.at, zone).date())
            before = found.get(key)
            found[key] = Mailed(row.kind, row.at, before.people + 1 if before else 1)
    return tuple(found.values())
