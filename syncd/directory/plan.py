"""What a sync starts from and what it decides, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from syncd.directory.claims import Claim, Owner, SiteNumbers
from syncd.directory.protocol import HuntGroup
from syncd.domain.codes import Role
from syncd.domain.errors import Problem
from syncd.domain.party import (
    FLAG_FIELDS,
    PARTY_FIELDS,
    PROFILE_FIELDS,
    FieldValue,
    Line,
    PartyState,
    default_value,
)

LOCAL = "local"
"""The source of parties made by hand: no sync touches them."""

NAMED_FIELDS = ("department", "cost_center", "office_location")
NOT_NUMBERS = (Role.USER_ID, Role.DEVICE)
BILLING_FLAGS = tuple(name for name in FLAG_FIELDS if name.startswith("bill_"))
_DEFAULTS = {name: default_value(name) for name in PARTY_FIELDS}


@dataclass(frozen=True, slots=True)
class OpenProfile:
    """The profile of a party that is in force; ``values`` in the order of PROFILE_FIELDS."""

    id: int
    values: tuple[str, ...]
    valid_from: int


@dataclass(frozen=True, slots=True)
class PartyRow:
    """A party of the source as it is stored."""

    id: int
    external_id: str
    fields: dict[str, FieldValue]
    departed_at: int | None = None
    closed_at: int | None = None
    profile: OpenProfile | None = None
    profile_until: int = 0
    """End of the last profile that was closed (epoch seconds)."""


@dataclass(frozen=True, slots=True)
class OtherParty:
    """A party of another source, of which only the holdings matter."""

    id: int
    source: str
    name: str
    departed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """An open assignment, of any party of any source."""

    id: int
    party_id: int
    role: Role
    line: Line
    billed: bool
    shared: bool
    valid_from: int

    @property
    def claim(self) -> Claim:
        return Claim(self.role, self.line, self.billed)


@dataclass(frozen=True, slots=True)
class PastHolding:
    """Until when a line was held by somebody."""

    party_id: int
    role: Role
    line: Line
    shared: bool
    valid_to: int


class Counts(Protocol):
    """Counts over the people who stay and about whom there is nothing to decide."""

    @property
    def people(self) -> int: ...
    @property
    def numbers(self) -> int:
        """Held by them, user ids and devices not counted."""
        ...

    @property
    def flags(self) -> int:
        """Billing flags that are on."""
        ...

    def filled_in(self, name: str) -> int:
        """How many have a value in a field that is not empty."""
        ...

    def named(self, field: str) -> Mapping[str, int]:
        """How many are in each department, cost center or office location, by its text."""
        ...


@dataclass(slots=True)
class Rest:
    """Counts over the people who stay and about whom there is nothing to decide: that is nearly
    everybody, and what they are need not be in memory."""

    people: int = 0
    numbers: int = 0
    """Held by them, user ids and devices not counted."""
    flags: int = 0
    """Billing flags that are on."""
    filled: list[int] = field(default_factory=lambda: [0] * len(PARTY_FIELDS))
    """How many have a value that is not empty, in the order of PARTY_FIELDS."""
    names: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter() for name in NAMED_FIELDS}
    )
    """How many are in a department, cost center and office location, by its text."""

    def count(self, row: PartyRow, holdings: Iterable[Holding], by: int = 1) -> None:
        """Count somebody in, or out with ``by`` -1."""
        fields = row.fields
        self.people += by
        self.numbers += by * sum(holding.role not in NOT_NUMBERS for holding in holdings)
        self.flags += by * sum(fields[name] is True for name in BILLING_FLAGS)
        for place, name in enumerate(PARTY_FIELDS):
            if fields[name]:
                self.filled[place] += by
        for name, counter in self.names.items():
            counter[str(fields[name])] += by

    def filled_in(self, name: str) -> int:
        """See ``Counts``."""
        return self.filled[PARTY_FIELDS.index(name)]

    def named(self, field: str) -> Mapping[str, int]:
        """See ``Counts``."""
        return self.names[field]


@dataclass(frozen=True, slots=True)
class Current:
    """What is stored when a sync begins."""

    parties: list[PartyRow] = field(default_factory=list)
    """Of this source, those who left too."""
    others: dict[int, OtherParty] = field(default_factory=dict)
    holdings: list[Holding] = field(default_factory=list)
    past: list[PastHolding] = field(default_factory=list)
    rest: Counts = field(default_factory=Rest)
    """Of this source's people that are not among ``parties``."""
    newcomers: Sequence[PartyState] = ()
    """Who is new and claims nothing that anybody else has to do with."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new party."""

    external_id: str
    fields: dict[str, FieldValue]
    where: str
    kind: str = "person"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a known party that gets another value."""

    party_id: int
    field: str
    old: FieldValue
    new: FieldValue


@dataclass(frozen=True, slots=True)
class Opening:
    """An assignment that begins."""

    owner: Owner
    claim: Claim
    shared: bool
    valid_from: int


@dataclass(frozen=True, slots=True)
class Closing:
    """An assignment that ends (exclusive)."""

    holding: Holding
    valid_to: int


@dataclass(frozen=True, slots=True)
class ProfileOpening:
    """A profile that begins; ``values`` in the order of PROFILE_FIELDS."""

    owner: Owner
    values: tuple[str, ...]
    valid_from: int


@dataclass(frozen=True, slots=True)
class ProfileClosing:
    """A profile that ends (exclusive)."""

    profile_id: int
    valid_to: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A number, user id or device that ``who`` claims and ``holder`` holds."""

    who: str
    where: str
    role: Role
    line: Line
    holder: str
    owner: Owner = 0
    """Who claims it."""

    def __str__(self) -> str:
        return (
            f"{self.who} ({self.where}) claims {self.line.line_id} as {self.role.word}, which"
            f" {self.holder} holds and keeps"
        )

    def as_dict(self) -> dict[str, str]:
        return {
            "who": self.who,
            "where": self.where,
            "role": self.role.word,
            "line_id": self.line.line_id,
            "holder": self.holder,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a sync changes, for people to read."""

    who: str
    what: str
    """``arrived | departed | returned | changed | closed``."""
    field: str = ""
    old: str = ""
    new: str = ""
    owner: Owner = 0

    def as_dict(self) -> dict[str, str]:
        return {
            "who": self.who,
            "what": self.what,
            "field": self.field,
            "old": self.old,
            "new": self.new,
        }


@dataclass(frozen=True, slots=True)
class HuntChanges:
    """What a list changes of its hunt groups."""

    gone: tuple[str, ...]
    """Keys of groups that are no longer there."""
    written: tuple[HuntGroup, ...]
    """New groups, and those that changed."""
    differences: tuple[Difference, ...]
    lost: int
    """Members that are in a group no longer, and how many there were."""
    members: int

    @property
    def empty(self) -> bool:
        return not (self.gone or self.written)


@dataclass(frozen=True, slots=True)
class Terms:
    """The circumstances of a sync."""

    now: int
    """Epoch seconds: the moment of every change. But an assignment or a profile lasts a second at
    least: where the clock stood still or went back, the next one begins a second after it."""
    first: bool = False
    """Never read completely before: what the source says holds from the beginning of time."""
    grace: int = 0
    """Seconds between a departure and the closing of assignments and profile."""
    default_site: str = ""
    """Site of the people who have none."""
    sites: Sequence[SiteNumbers] = ()
    absent_departed: bool = True
    """Whether who is not in the snapshot has left. False when some entries could not be told apart:
    each of them may be anybody."""


@dataclass(slots=True)
class People:
    """Who is there after a run."""

    fields: dict[Owner, dict[str, FieldValue]] = field(default_factory=dict)
    """Fields after the run of everybody who may claim numbers."""
    where: dict[Owner, str] = field(default_factory=dict)
    gone: dict[int, int] = field(default_factory=dict)
    """When those left (of any source) whose holdings are open but give way, by party id."""
    ended: set[int] = field(default_factory=set)
    """Whose grace is over in this run."""


@dataclass(slots=True)
class Plan:
    """All that a sync is going to do."""

    arrivals: list[Arrival] = field(default_factory=list)
    departures: list[int] = field(default_factory=list)
    returns: list[int] = field(default_factory=list)
    closed_parties: list[int] = field(default_factory=list)
    """Whose grace is over."""
    changes: list[FieldChange] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    profile_closings: list[ProfileClosing] = field(default_factory=list)
    profile_openings: list[ProfileOpening] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    staying: dict[int, dict[str, FieldValue]] = field(default_factory=dict)
    """Fields after the run of those who were there and stay, by party id: what the guard weighs."""
    granted: dict[Owner, list[Claim]] = field(default_factory=dict)
    """What those who are not settled are to hold."""
    settled: frozenset[Owner] = frozenset()
    """Who holds exactly what they claim, and shares nothing of it."""
    newcomers: Sequence[PartyState] = ()
    """Who arrives besides ``arrivals``, and gets all that they claim: their assignments and their
    profile are not among the openings, but made of what they are."""
    newcomers_from: int = 0
    """When what newcomers have begins (epoch seconds)."""
    hunt: HuntChanges | None = None
    """What a list of places changes of its hunt groups; None where nothing."""

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not (
            self.arrivals
            or self.newcomers
            or self.departures
            or self.returns
            or self.closed_parties
            or self.changes
            or self.closings
            or self.openings
            or self.profile_closings
            or self.profile_openings
            or self.hunt
        )


def fields_of(state: PartyState) -> dict[str, FieldValue]:
    """Return all fields of somebody who is new."""
    return _DEFAULTS | state.fields


def name_of(fields: dict[str, FieldValue], otherwise: str) -> str:
    """Return how a party is called in messages."""
    return str(fields.get("display_name") or fields.get("username") or otherwise)


def profile_values(fields: dict[str, FieldValue]) -> tuple[str, ...]:
    """Return what a call snapshots of a party with these fields."""
    return tuple(str(fields.get(name, "")) for name in PROFILE_FIELDS)


def shown(value: FieldValue) -> str:
    """Return a field's value as people read it, and as it is stored where it is a list."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ";".join(value)
    return str(value)
