"""Which records belong together, and what runs through them: the outside legs (pure).

Source: docs/rules.md 5.1 and 5.3. A leg on a trunk to a carrier keeps the direction, trunk, carrier
and number of the record in which it was set up, through every later record that carries its leg id:
a transferred outgoing call stays outgoing although its last record comes "from" the gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from syncd.calls.trunks import Endpoint, Kind
from syncd.domain.codes import Direction
from syncd.domain.leg import Leg
from syncd.domain.rate import NormalisedNumber

# Members of an enumeration are slow to look up, and this is done for every record.
OUTSIDE, TIE, NOTHING = Kind.OUTSIDE, Kind.TIE, Kind.NOTHING
INTERNAL, OUTGOING, INCOMING = Direction.INTERNAL, Direction.OUTGOING, Direction.INCOMING
TRANSIT, ON_NET = Direction.TRANSIT, Direction.ON_NET

CONFERENCE, PARK, FORWARD, TRANSFER = 4, 3, 5, 10
BARGE, DIRECTED_PARK = 15, 26
"""Features ("on behalf of") that tie records."""

CARRIED_ON = (CONFERENCE, PARK, TRANSFER, DIRECTED_PARK)
"""Features whose record goes on with a leg that another record set up."""
TAKEN_BACK = (CONFERENCE, PARK, DIRECTED_PARK)
"""Those of them in which even the called leg was set up before: a party taken off a park number."""


BRIDGED = "conference"
"""The kind of key that members of a conference share."""

WITHHELD = frozenset(
    {"anonymous", "private", "restricted", "unavailable", "unknown", "withheld", "blocked"}
)
"""What gateways and SIP trunks show instead of the number of a caller who does not want it shown."""


class Rec(NamedTuple):
    """A record in hand: its id, file and row in the store, the neutral leg, and the hash of its key
    (0 for one that is stored already)."""

    id: int
    file_id: int
    row: int
    leg: Leg
    key_hash: int = 0


@dataclass(slots=True)
class OutsideLeg:
    """A leg on a trunk to a carrier, followed through its records."""

    leg_id: int
    direction: Direction
    number: NormalisedNumber
    raw: str
    trunk: Endpoint
    set_up_in: int
    """Index of the record."""
    connected_at: int = 0
    """Of the first connected segment; 0 when never connected."""
    segments: list[tuple[int, int]] = field(default_factory=list)
    """(record index, connected seconds), in order of time; only connected records."""
    private: bool = False
    """Somebody called out on their own account (docs/rules.md 7.7)."""

    @property
    def seconds(self) -> int:
        """Connected seconds of the whole leg; connected for 0 s counts as 1 s."""
        return max(1, sum(seconds for _, seconds in self.segments)) if self.connected_at else 0


class Ends(NamedTuple):
    """What stands at both ends of a record."""

    orig: Endpoint
    dest: Endpoint


def in_order(records: Iterable[Rec]) -> list[Rec]:
    """Return records in the order in which their calls happened: by start; what was joined in the
    same second comes after what it was joined from; then by key."""
    return sorted(
        records, key=lambda rec: (rec.leg.started_at, rec.leg.joined_by != 0, rec.leg.key)
    )


def ends_of(records: Sequence[Rec], endpoints: Callable[..., Endpoint]) -> list[Ends]:
    """Return what stands at both ends of each record. A leg on a trunk stays on it: what its set-up
    was told by number or pattern is not to be seen in the records that follow."""
    ends = []
    for rec in records:
        leg = rec.leg
        ends.append(
            Ends(
                endpoints(leg.orig_device, leg.incoming_protocol, leg.calling_number),
                endpoints(
                    leg.dest_device,
                    leg.outgoing_protocol,
                    leg.final_number,
                    leg.final_partition,
                    leg.final_pattern,
                ),
            )
        )
    if len(records) > 1:
        set_up: dict[int, Endpoint] = {}
        for index, (rec, both) in enumerate(zip(records, ends, strict=True)):
            first = [
                set_up.setdefault(leg_id, end) if leg_id and end.trunk else end
                for leg_id, end in zip((rec.leg.orig_leg, rec.leg.dest_leg), both, strict=True)
            ]
            ends[index] = Ends(*first)
    return ends


def partition_of(number: str, records: Sequence[Rec]) -> str:
    """Return the partition of a number that takes part in a conversation: the comment that names a
    conference's controller does not say it."""
    for rec in records:
        if rec.leg.calling_number == number:
            return rec.leg.calling_partition
        if rec.leg.final_number == number:
            return rec.leg.final_partition
    return ""


def outside_legs(
    records: Sequence[Rec],
    ends: Sequence[Ends],
    outgoing: Callable[[str, str], NormalisedNumber],
    incoming: Callable[[str], NormalisedNumber],
) -> dict[int, OutsideLeg]:
    """Return the outside legs of a conversation by leg id, given its records in order and their ends.

    A leg without an id gets one of its own (negative), so that two of them are never taken for one.
    """
    legs: dict[int, OutsideLeg] = {}
    for index, (rec, (orig, dest)) in enumerate(zip(records, ends, strict=True)):
        if not legs and orig.kind is not OUTSIDE and dest.kind is not OUTSIDE:
            continue
        leg = rec.leg
        for called, leg_id, end in ((False, leg.orig_leg, orig), (True, leg.dest_leg, dest)):
            known = legs.get(leg_id) if leg_id else None
            if known is None:
                if end.kind is not OUTSIDE:
                    continue
                leg_id = leg_id or -(rec.id * 2 + called)
                raw = leg.final_number if called else _shown(leg.calling_number)
                number = outgoing(raw, leg.final_pattern) if called else incoming(raw)
                known = legs[leg_id] = OutsideLeg(
                    leg_id, OUTGOING if called else INCOMING, number, raw, end, index
                )
                if called:
                    known.private = number.private or end.private
            if leg.connected_at:
                known.connected_at = known.connected_at or leg.connected_at
                known.segments.append((index, leg.duration))
    return legs


def _shown(number: str) -> str:
    """Return a caller's number, empty when a word says that it was withheld."""
    return "" if number[:1].isalpha() and number.casefold() in WITHHELD else number


def carried(
    leg: Leg, record_id: int, legs: dict[int, OutsideLeg]
) -> tuple[OutsideLeg | None, OutsideLeg | None]:
    """Return the outside legs at the originating and the destination end of a record."""
    return (
        legs.get(leg.orig_leg or -(record_id * 2)),
        legs.get(leg.dest_leg or -(record_id * 2 + 1)),
    )


def is_provisional(
    index: int, leg: Leg, at_orig: OutsideLeg | None, at_dest: OutsideLeg | None = None
) -> bool:
    """Tell whether the set-up of the leg that a joined record goes on with has not been seen."""
    if at_orig is not None and at_orig.set_up_in == index and leg.joined_by in CARRIED_ON:
        return True
    return at_dest is not None and at_dest.set_up_in == index and leg.joined_by in TAKEN_BACK


def direction_of(
    leg: Leg, ends: Ends, at_orig: OutsideLeg | None, at_dest: OutsideLeg | None
) -> Direction:
    """Return which way a record goes; without outside legs and tie lines it is internal."""
    if at_orig is not None and at_dest is not None:
        if at_orig.direction is at_dest.direction:
            return at_orig.direction
        return TRANSIT
    outside = at_orig or at_dest
    if outside is not None:
        return outside.direction
    if TIE in (ends.orig.kind, ends.dest.kind):
        return ON_NET
    if ends.dest.kind is NOTHING and (leg.pattern_usage == 5 or ends.dest.role is not None):
        return OUTGOING
    return INTERNAL


def consult_records(records: Sequence[Rec]) -> set[int]:
    """Return the indexes of the consult records of transfers: ended by a transfer, and one of their
    legs goes on in a joined record of another call id."""
    consults: set[int] = set()
    finals = [rec.leg for rec in records if rec.leg.joined_by == TRANSFER]
    for index, rec in enumerate(records):
        leg = rec.leg
        if TRANSFER not in (leg.orig_ended_by, leg.dest_ended_by) or not leg.dest_leg:
            continue
        if any(
            final.call_ref != leg.call_ref
            and leg.dest_leg in (final.orig_leg, final.dest_leg)
            and final is not leg
            for final in finals
        ):
            consults.add(index)
    return consults


class Ties:
    """Groups tied records by call id and leg ids within the hold window (union-find)."""

    def __init__(self, hold: int) -> None:
        """``hold``: seconds within which two records may be tied."""
        self._hold = hold
        self._parent: dict[int, int] = {}
        self._last: dict[tuple[str, int], tuple[int, int]] = {}
        self._until: dict[int, int] = {}
        """When the last of the members of a conference so far leaves it."""

    def _root(self, node: int) -> int:
        while self._parent[node] != node:
            self._parent[node] = self._parent[self._parent[node]]
            node = self._parent[node]
        return node

    def add(self, rec: Rec) -> None:
        """Add a tied record. Records must be added in the order of their start."""
        leg = rec.leg
        self._parent.setdefault(rec.id, rec.id)
        for key in keys_of(leg):
            known = self._last.get(key)
            near = known is not None and leg.started_at - known[1] <= self._hold
            if key[0] == BRIDGED:
                # Conference ids are used again: members of one are there at the same time.
                until = self._until.get(key[1], 0)
                near = near and leg.started_at <= until
                self._until[key[1]] = max(until, leg.ended_at) if near else leg.ended_at
            if near and known is not None:
                self._parent[self._root(rec.id)] = self._root(known[0])
            self._last[key] = (rec.id, leg.started_at)

    def groups(self) -> dict[int, list[int]]:
        """Return the record ids of each group."""
        groups: dict[int, list[int]] = {}
        for node in self._parent:
            groups.setdefault(self._root(node), []).append(node)
        return groups


def keys_of(leg: Leg) -> list[tuple[str, int]]:
    """Return what ties a record to others: its call id, its leg ids, and the conference that it is a
    member of. Who barges in names the leg that is listened to, which ties nothing."""
    keys = [("call", leg.call_ref)] if leg.call_ref else []
    keys += [("leg", leg_id) for leg_id in {leg.orig_leg, leg.dest_leg} if leg_id]
    if leg.conference and leg.joined_by != BARGE:
        keys.append((BRIDGED, leg.conference))
    return keys
