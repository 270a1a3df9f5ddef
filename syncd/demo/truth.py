"""What really happened in a conversation, kept beside its records and computed without them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

from syncd.demo.deck import price_of
from syncd.demo.outside import Outside
from syncd.demo.stations import Station

CALLING, CALLED, FIRST_REDIRECTING, REDIRECTING, PILOT = range(5)
"""Whose side of a record it is, in the order in which a line's first side is found."""

CONFERENCE = "conference"
"""The other number of who talks on a bridge."""


Talk = TypedDict(
    "Talk",
    {"line_id": str, "username": str | None, "number": str | None, "from": int, "to": int},
)
"""A stretch in which a line was connected; times in epoch seconds UTC."""


class Participation(TypedDict):
    """One line's part in the conversation."""

    line_id: str
    username: str | None
    outcome: str


class Acquirable(TypedDict):
    """A participation that exists only with automatic acquisition; ``hunt`` lines take no slot."""

    line_id: str
    outcome: str
    hunt: bool


class Charge(TypedDict):
    """One segment's share of an outside leg; ``billed`` when a row is expected for it.

    ``micros`` is None when the leg is unrated.
    """

    line_id: str
    username: str | None
    seconds: int
    micros: int | None
    billed: bool
    record: str


class Leg(TypedDict):
    """An outside leg; ``number`` is None when withheld, ``micros`` None when unrated."""

    direction: str
    number: str | None
    number_class: str
    destination: str
    answered: bool
    seconds: int
    micros: int | None


class Truth(TypedDict):
    """A line of ``truth.jsonl``.

    ``price`` is the sum of what all answered outgoing legs cost, None when one of them is unrated;
    ``charges`` add up to it. ``price_billed`` is what the expected rows cost together.
    ``conversations`` is how many conversations the records are: who is called back has two.
    """

    scenario: str
    started_at: int
    ended_at: int
    records: list[str]
    excluded_records: list[str]
    excluded: bool
    conversations: int
    direction: str
    withheld: bool
    hunt: bool
    billed: bool
    price: int | None
    price_billed: int | None
    talks: list[Talk]
    participations: list[Participation]
    acquirable: list[Acquirable]
    legs: list[Leg]
    charges: list[Charge]


@dataclass(slots=True)
class OutsideLeg:
    """A leg on a trunk; its segments follow one another and never overlap."""

    direction: str
    """``outgoing``, ``incoming`` or ``on-net``."""
    number: Outside
    rated: bool = True
    """False on a trunk that no configuration names."""
    segments: list[tuple[Station | None, int, str]] = field(default_factory=list)
    """Who pays if anybody, seconds, record."""

    @property
    def seconds(self) -> int:
        return sum(seconds for _, seconds, _ in self.segments)

    @property
    def micros(self) -> int | None:
        """The price; None when it has none, 0 when nothing is due."""
        if self.direction != "outgoing" or not self.segments:
            return 0
        if not self.rated or self.number.tariff is None:
            return None
        return price_of(self.number.tariff, self.seconds)

    def told(self) -> Leg:
        tariff = self.number.tariff if self.direction == "outgoing" else None
        return {
            "direction": self.direction,
            "number": self.number.e164 or None,
            "number_class": tariff.number_class if tariff else "",
            "destination": tariff.destination if tariff else "",
            "answered": bool(self.segments),
            "seconds": self.seconds,
            "micros": self.micros,
        }

    def charges(self) -> list[Charge]:
        """Return the shares: by seconds, rounded down, the last one takes the remainder."""
        if self.direction != "outgoing":
            return []
        price = self.micros
        total = self.seconds
        left = price
        charges: list[Charge] = []
        last = len(self.segments) - 1
        for place, (payer, seconds, record) in enumerate(self.segments):
            if payer is None:
                raise ValueError("an outgoing leg that nobody pays for")
            share = left
            if price is not None and left is not None and place < last:
                share = price * seconds // total if total else 0
                left -= share
            charges.append(
                {
                    "line_id": payer.line_id,
                    "username": payer.username or None,
                    "seconds": seconds,
                    "micros": share,
                    "billed": payer.billed,
                    "record": record,
                }
            )
        return charges


class Account:
    """Collects what a script tells of one conversation."""

    __slots__ = (
        "conversations",
        "excluded_records",
        "hunt",
        "legs",
        "parts",
        "records",
        "talks",
    )

    def __init__(self) -> None:
        self.records: list[str] = []
        self.excluded_records: list[str] = []
        self.hunt = False
        self.legs: list[OutsideLeg] = []
        self.talks: list[Talk] = []
        self.parts: dict[tuple[int, str], tuple[Station, list[tuple[int, int, bool]]]] = {}
        self.conversations = 1

    def another(self) -> None:
        """What is told from now on is another conversation, which no identifier ties to this one."""
        self.conversations += 1

    def took_part(self, line: Station, at: int, side: int, *, connected: bool) -> None:
        """Note a line's side in a record that began at this second."""
        key = (self.conversations, line.line_id)
        known = self.parts.get(key)
        if known is None:
            self.parts[key] = (line, [(at, side, connected)])
        else:
            known[1].append((at, side, connected))

    def talked(self, line: Station, number: str | None, began: int, ended: int) -> None:
        """Note that a line was connected with this number."""
        self.talks.append(
            {
                "line_id": line.line_id,
                "username": line.username or None,
                "number": number,
                "from": began,
                "to": ended,
            }
        )

    def truth(self, scenario: str, started_at: int, ended_at: int) -> Truth:
        """Return the whole truth of the conversation."""
        participations: list[Participation] = []
        acquirable: list[Acquirable] = []
        for line, sides in self.parts.values():
            if line.billed:
                participations.append(
                    {
                        "line_id": line.line_id,
                        "username": line.username or None,
                        "outcome": outcome(sides),
                    }
                )
            elif line.anonymous:
                acquirable.append(
                    {"line_id": line.line_id, "outcome": outcome(sides), "hunt": line.hunt}
                )
        charges = [charge for leg in self.legs for charge in leg.charges()]
        prices = [leg.micros for leg in self.legs]
        return {
            "scenario": scenario,
            "started_at": started_at,
            "ended_at": ended_at,
            "records": self.records,
            "excluded_records": self.excluded_records,
            "excluded": not self.records,
            "conversations": self.conversations,
            "direction": direction([leg.direction for leg in self.legs]),
            "withheld": any(leg.number.e164 == "" for leg in self.legs),
            "hunt": self.hunt,
            "billed": bool(participations),
            "price": _sum(prices),
            "price_billed": _sum([charge["micros"] for charge in charges if charge["billed"]]),
            "talks": self.talks,
            "participations": participations,
            "acquirable": acquirable,
            "legs": [leg.told() for leg in self.legs],
            "charges": charges,
        }


def outcome(sides: list[tuple[int, int, bool]]) -> str:
    """Return how a participation ended, from its sides: (record's start, side, connected).

    Only a line that called first can be ``unanswered``: the first forwarder of a chain missed the
    call as much as the last one.
    """
    if any(connected for _, side, connected in sides if side in (CALLING, CALLED)):
        return "answered"
    _, first, _ = min(sides)
    return "unanswered" if first == CALLING else "missed"


def direction(of_legs: list[str]) -> str:
    """Return the conversation's direction from those of its outside legs."""
    if "incoming" in of_legs and "outgoing" in of_legs:
        return "transit"
    for word in ("outgoing", "incoming", "on-net"):
        if word in of_legs:
            return word
    return "internal"


def _sum(amounts: list[int | None]) -> int | None:
    """Return the sum, None when an amount is missing."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None
