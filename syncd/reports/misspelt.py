"""Names in filters that nobody and nothing has: what a report without rows says of them."""

from __future__ import annotations

import difflib

from syncd.domain.days import Days, day_number
from syncd.domain.party import CUSTOM_FIELDS, name_key
from syncd.reports.dimensions import DIMENSIONS
from syncd.reports.environment import Environment
from syncd.reports.lookups import NAMES, ORG_FIELDS, Lookups
from syncd.reports.permissions import Reach
from syncd.reports.render.table import UNASSIGNED
from syncd.reports.scope import Door
from syncd.reports.specification import Specification

NAMED = frozenset((*ORG_FIELDS, *CUSTOM_FIELDS, *NAMES, "person", "username", "site", "country"))
"""The dimensions of which a filter gives a name."""
_MOST = 20_000
"""Among more names none is looked for that is near: that would take longer than the report."""


def misspelt(door: Door, specification: Specification, environment: Environment) -> list[str]:
    """Return a note for each name in a filter that there is not, with the nearest one that there is.

    Only for who sees every row: to anybody else it would tell which names there are elsewhere.
    """
    if door.scope.reach is not Reach.ALL:
        return []
    first, end = day_number(specification.first), day_number(specification.end)
    lookups = Lookups(Days(environment.zone), first, end)
    found = []
    for key, values in specification.filters:
        for value in values if key in NAMED else ():
            # The rows know most: what there is stands in these, and in the directory of today.
            raw = DIMENSIONS[key].raw[-1]
            if name_key(value) in ("", UNASSIGNED) or lookups.select(key, raw, (value,)):
                continue
            heading = environment.custom_fields.get(key, key.replace("_", " "))
            hint = _nearest(value, lookups.names(key, raw))
            found.append(f"there is no {heading} {value!r}{hint}")
    return found


def _nearest(value: str, names: set[str]) -> str:
    by_key = {name_key(name): name for name in names}
    if len(by_key) > _MOST:
        return ""
    close = difflib.get_close_matches(name_key(value), by_key, 1)
    return f"; did you mean {by_key[close[0]]}?" if close else ""
