"""Records that stand alone, decided without the store, so that another process may do it.

The rules are those of every record (``calls.sides``, ``calls.pricing``, ``calls.rows``); only what
the store gives out, ids and keys of dimensions, is filled in later. All of it is plain values, which
pass between processes quickly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from syncd.calls import rows
from syncd.calls.analysis import Rules
from syncd.calls.conversation import Rec
from syncd.calls.dimensions import Dimensions
from syncd.calls.pricing import Pricer
from syncd.calls.private import private_side
from syncd.calls.rows import CallTuple, Pending, call_rows
from syncd.calls.sides import analyse
from syncd.domain.codes import Role
from syncd.domain.leg import Leg
from syncd.domain.party import Line
from syncd.licensing.slots import SlotKey

STAND_IN = 1
"""The record's id until it has one."""

_ROLES = {int(role): role for role in Role}


class Alone(NamedTuple):
    """What becomes of a record that belongs to no other."""

    outcome: int
    reason: str
    provisional: int
    unknown: tuple[tuple[Any, ...], ...]
    """As in ``Analysis``."""
    unknown_trunks: tuple[str, ...]
    rows: tuple[tuple[tuple[int, int, Any], bool, CallTuple], ...]
    """((party, role, line) of the slot, is it a hunt number's, call row) with names for the keys of
    dimensions and (site, partition, number) for the key of a line that nobody holds."""
    private: int | None = None
    """Side of who made a private call, -1 for nobody who is billed; None: it is not private."""


class Names:
    """Stands for ``Dimensions`` where there is no store: a name is its own key."""

    def line(self, line: Line) -> Any:
        return tuple(line)

    def trunk(self, name: str) -> Any:
        return name

    carrier = trunk

    def destination(self, name: str, rate: tuple[str, str, str] | None) -> Any:
        return name

    def rate(self, rate: tuple[str, str, str] | None) -> Any:
        return rate


NAMES: Any = Names()


def decide_alone(leg: Leg, rules: Rules, pricer: Pricer) -> Alone:
    """Return what becomes of a record that is not tied to others and bears no account code."""
    records = [Rec(STAND_IN, 0, 0, leg)]
    analysis = analyse(records, rules)
    outcome, reason, provisional = analysis.verdicts[0]
    pending: tuple[Any, ...] = ()
    if analysis.drafts:
        charges = pricer.charges(analysis, records)
        made = call_rows(records, analysis, charges, rules.holders, NAMES, 0, lambda start: 0)
        pending = tuple(
            ((slot.party, int(slot.role), slot.line), hunt, row) for slot, hunt, row in made
        )
    return Alone(
        int(outcome),
        reason,
        provisional,
        tuple(tuple(one) for one in analysis.unknown),
        tuple(trunk for _, trunk in analysis.unknown_trunks),
        pending,
        private_side(analysis) if analysis.private else None,
    )


def placed(alone: Alone, record_id: int, period: int, dimensions: Dimensions) -> list[Pending]:
    """Return the call rows of a decided record as they go into the store."""
    found: list[Pending] = []
    for (party, role, line), hunt, row in alone.rows:
        made = list(row)
        made[rows.ID] = record_id * 8 + row[rows.SIDE]
        made[rows.CONVERSATION] = record_id
        if type(line) is tuple:
            line = dimensions.line(Line(*line))
        if type(made[rows.LINE]) is tuple:
            made[rows.LINE] = dimensions.line(Line(*made[rows.LINE]))
        if made[rows.DESTINATION]:
            # The rate is still what it is of, not yet its key.
            made[rows.DESTINATION] = dimensions.destination(
                made[rows.DESTINATION], made[rows.RATE] or None
            )
        if made[rows.TRUNK]:
            made[rows.TRUNK] = dimensions.trunk(made[rows.TRUNK])
        if made[rows.CARRIER]:
            made[rows.CARRIER] = dimensions.carrier(made[rows.CARRIER])
        if made[rows.RATE]:
            made[rows.RATE] = dimensions.rate(made[rows.RATE])
        made[rows.PERIOD] = period
        if made[rows.LEG] < 0:
            # A leg without an id has one of the record's (conversation.outside_legs).
            made[rows.LEG] += (STAND_IN - record_id) * 2
        found.append((SlotKey(party, _ROLES[role], line), hunt, tuple(made)))
    return found
