"""Names in filters that nobody and nothing has: what a report says of them."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from syncd.domain.countries import COUNTRIES
from syncd.domain.days import Days, day_number
from syncd.domain.party import CUSTOM_FIELDS, name_key
from syncd.reports.comparisons import UNEQUAL
from syncd.reports.dimensions import DIMENSIONS
from syncd.reports.environment import Environment
from syncd.reports.lookups import LINE_FIELDS, NAMES, ORG_FIELDS, Lookups
from syncd.reports.permissions import Reach
from syncd.reports.render.table import UNASSIGNED
from syncd.reports.scope import Door
from syncd.reports.specification import Specification

NAMED = frozenset(
    (*ORG_FIELDS, *CUSTOM_FIELDS, *NAMES, *LINE_FIELDS, "person", "username", "country")
)
"""The dimensions of which a filter gives a name."""
_OF_CALLS = ("destination", "matter")
"""Those of which only the names that calls have had are known."""
_MOST = 20_000
"""Among more names none is looked for that is near: that would take longer than the report."""


def misspelt(
    door: Door, specification: Specification, environment: Environment, *, rows: bool
) -> list[str]:
    """Return a note for each name in a filter that there is not, with the nearest one that there is.

    ``rows``: the report has some. Then only those are looked for that nobody would miss in them: one
    of several names, and one that is left out.
    Only for who sees every row: to anybody else it would tell which names there are elsewhere.
    """
    if door.scope.reach is not Reach.ALL:
        return []
    asked = [(key, values) for key, values in specification.filters if not rows or len(values) > 1]
    asked += [
        (one.key, tuple(map(str, one.values)))
        for one in specification.comparisons
        if one.operator == UNEQUAL
    ]
    first, end = day_number(specification.first), day_number(specification.end)
    lookups = Lookups(Days(environment.zone), first, end)
    found = []
    for key, values in asked:
        for value in values if key in NAMED else ():
            # The rows know most: what there is stands in these, in the directory of today, and in
            # the settings.
            raw = DIMENSIONS[key].raw[-1]
            others = _besides(key, environment)
            if name_key(value) in ("", UNASSIGNED) or name_key(value) in map(name_key, others):
                continue
            if lookups.select(key, raw, (value,)):
                continue
            heading = environment.custom_fields.get(key, DIMENSIONS[key].heading)
            of_field = heading if key in environment.custom_fields else heading.lower()
            hint = _nearest(value, lookups.names(key, raw).union(others))
            there = f"no call has the {of_field}" if key in _OF_CALLS else f"there is no {of_field}"
            found.append(f"{there} {value!r}{hint}")
    return list(dict.fromkeys(found))


def _besides(key: str, environment: Environment) -> Collection[str]:
    """Return the names that there are, whether a call has them or not."""
    if key == "country":
        return (*COUNTRIES.values(), *COUNTRIES)
    return environment.named.get(key, ())


def _nearest(value: str, names: Collection[str]) -> str:
    by_key = {name_key(name): name for name in names}
    if len(by_key) > _MOST:
        return ""
    close = difflib.get_close_matches(name_key(value), by_key, 1)
    return f"; did you mean {by_key[close[0]]}?" if close else ""
