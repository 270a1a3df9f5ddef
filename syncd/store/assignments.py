"""The history of who held what, as attribution and the licence read it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.store.database import get_meta
from syncd.store.models import Assignment, Line, database

DIRECTORY_VERSION = "directory_version"
"""Key under which the database counts the changes of the directory: who caches it looks here."""


def directory_version() -> str:
    """Return what changes whenever the directory does."""
    return get_meta(DIRECTORY_VERSION, "0")


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


def changes_by_itself(now: int) -> bool:
    """Tell whether time alone will bring another holder: something begins or ends after a moment
    (epoch seconds)."""
    later = (Assignment.valid_from > now) | (
        (Assignment.valid_to > now) & (Assignment.valid_to < FOREVER)
    )
    return bool(Assignment.select(Assignment.id).where(later).exists())


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
    )
    if roles:
        query = query.where(Assignment.role << [int(role) for role in roles])
    by_number = {int(role): role for role in Role}
    # As the database gives them: several times faster than through the query builder's values.
    rows = database.obj.execute(query)
    for party, role, line, line_id, site, partition, number, billed, shared, *times in rows:
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
