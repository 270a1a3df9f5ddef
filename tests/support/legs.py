"""Legs and records made by hand, for the rules that know no database."""

from __future__ import annotations

from typing import Any, get_type_hints

from syncd.calls.conversation import Rec
from syncd.domain.leg import Leg

BLANK = Leg(**{name: kind() for name, kind in get_type_hints(Leg).items()})
"""A leg in which nothing happened."""


def make_leg(**columns: Any) -> Leg:
    """Return a leg with these columns, neutral otherwise; its key is its start unless given."""
    columns.setdefault("key", str(columns.get("started_at", 0)))
    return BLANK._replace(**columns)


def make_rec(number: int, **columns: Any) -> Rec:
    """Return a record with this id, which is its key too."""
    return Rec(number, 1, number, make_leg(**{"key": str(number), **columns}))
