"""Which tables hold the sums of calls that are gone, and what of them a table of sums is built of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from syncd.store.dialect import rows_of


class Base(NamedTuple):
    """A table with the sums of calls that are gone, and what it sums by beside its day or month."""

    table: str
    span: str
    keys: tuple[str, ...]


DAY = Base("sealed_day", "day", ("org_id", "direction", "class", "carrier_id", "trunk_id"))
DESTINATION = Base("sealed_destination", "month", ("org_id", "destination_id", "class"))
HOUR = Base("sealed_hour", "month", ("org_id", "weekday", "hour", "direction"))
BASES = {
    "rollup_day": DAY,
    "rollup_destination": DESTINATION,
    "rollup_hour": HOUR,
    "rollup_line": DAY,
}
"""By the table of sums: every one that is summed from the rows has one. What of its keys is not kept
is 0: nobody's, no line, no profile."""


def base_of(table: str, keys: Sequence[str], span: int, measures: Iterable[str]) -> str:
    """Return the SELECT of what a table of sums has of calls that are gone, for a day or month: its
    keys and the measures. Empty when there is nothing."""
    base = BASES[table]
    where = f"{base.span} = {span}"
    if base is DAY and table != "rollup_day":
        where = f"day >= {span * 100} AND day < {span * 100 + 100}"
    if not rows_of(f"SELECT 1 FROM {base.table} WHERE {where} LIMIT 1"):
        return ""
    kept = ", ".join(key if key in base.keys else "0" for key in keys)
    return f"SELECT {kept}, {', '.join(measures)} FROM {base.table} WHERE {where}"
