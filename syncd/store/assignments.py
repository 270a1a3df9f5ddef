"""The history of who held what, as attribution and the licence read it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from syncd.domain.codes import Role
from syncd.store.models import Assignment, Line


class Held(NamedTuple):
    """An assignment with its line. Times are epoch seconds, ``until`` exclusive."""

    party: int
    role: Role
    line: int
    """Row of ``line``."""
    line_id: str
    site: str
    partition: str
    number: str
    billed: bool
    shared: bool
    learned_at: int
    since: int
    until: int


def assignments(roles: Collection[Role] = ()) -> Iterator[Held]:
    """Yield every assignment that ever was, the oldest row first; of some roles where they are
    named."""
    query = (
        Assignment.select(
            Assignment.party,
            Assignment.role,
            Assignment.line,
            Line.line_id,
            Assignment.site,
            Assignment.partition,
            Assignment.number,
            Assignment.billed,
            Assignment.shared,
            Assignment.learned_at,
            Assignment.valid_from,
            Assignment.valid_to,
        )
        .join(Line)
        .order_by(Assignment.id)
        .tuples()
    )
    if roles:
        query = query.where(Assignment.role << [int(role) for role in roles])
    by_number = {int(role): role for role in Role}
    for party, role, line, line_id, site, partition, number, billed, shared, *times in query:
        learned_at, since, until = times
        yield Held(
            party,
            by_number[role],
            line,
            line_id,
            site,
            partition,
            number,
            bool(billed),
            bool(shared),
            learned_at,
            since,
            until,
        )
