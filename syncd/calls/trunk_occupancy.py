"""What records do to trunks: seizures, failures, and how long a circuit was occupied (pure).

docs/rules.md 5.8. A leg on a trunk seizes a circuit once, in the record in which it was set up, and
occupies it through every record that carries it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from syncd.calls.conversation import Rec, ends_of, in_order
from syncd.calls.disposition import disposition_of
from syncd.calls.trunks import Endpoint
from syncd.domain.codes import Disposition
from syncd.domain.days import QUARTER

LONGEST = 86_400
"""Seconds after which a record occupies nothing any more: a clock was wrong, or a release lost."""


class Occupancy(NamedTuple):
    """A trunk as one end of one record; times are epoch seconds."""

    trunk: str
    seizure: bool
    """The record in which its leg was set up."""
    failed: bool
    since: int
    until: int


def occupancies(
    records: Sequence[Rec], wanted: Collection[int], endpoints: Callable[..., Endpoint]
) -> Iterator[Occupancy]:
    """Yield what the wanted ones (by id) of a conversation's records do to trunks. The records are
    those that carry the legs of the wanted ones."""
    ordered = in_order(records)
    seen: set[int] = set()
    for rec, ends in zip(ordered, ends_of(ordered, endpoints), strict=True):
        leg = rec.leg
        for leg_id, end in zip((leg.orig_leg, leg.dest_leg), ends, strict=True):
            if not end.trunk:
                continue
            seizure = leg_id not in seen
            if leg_id:
                seen.add(leg_id)
            if rec.id in wanted:
                failed = seizure and disposition_of(leg) is Disposition.FAILED
                until = min(max(leg.ended_at, leg.started_at), leg.started_at + LONGEST)
                yield Occupancy(end.trunk, seizure, failed, leg.started_at, until)


def by_quarter(occupancy: Occupancy) -> Iterable[tuple[int, int]]:
    """Return the seconds of an occupancy by quarter of an hour (epoch seconds // 900); the quarter
    in which it begins is always among them."""
    first, last = occupancy.since // QUARTER, occupancy.until // QUARTER
    if first == last:
        return ((first, occupancy.until - occupancy.since),)
    return [
        (
            quarter,
            min(occupancy.until, (quarter + 1) * QUARTER) - max(occupancy.since, quarter * QUARTER),
        )
        for quarter in range(first, last + 1)
    ]
