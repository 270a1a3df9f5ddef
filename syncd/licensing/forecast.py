"""What automatic acquisition would take, by the numbers that records have shown (docs/rules.md
6.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from syncd.domain.party import line_identifier
from syncd.licensing.claims import Place, Survey, Terms, acquired_lines, listed_hunts
from syncd.store.models import AcquirableLine
from syncd.store.models import database as proxy

Internal = Callable[[str, str], bool]
"""Whether the internal patterns of a site name a number: (site, number)."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """``lines`` would take a slot each, and ``beyond`` of them would find none; ``hunts`` would be
    documented without one."""

    lines: tuple[str, ...]
    beyond: int
    hunts: int


def remember(lines: Mapping[Place, bool]) -> None:
    """Keep lines that automatic acquisition would have documented: is a record's call a hunt
    number's? Must run inside a write transaction."""
    if not lines:
        return
    mark = proxy.obj.param
    proxy.obj.cursor().executemany(
        "INSERT INTO acquirable_line (site, partition, number, hunt)"
        f" VALUES ({', '.join([mark] * 4)})"
        " ON CONFLICT (site, partition, number) DO UPDATE SET hunt = excluded.hunt"
        " WHERE excluded.hunt",
        [(*place, hunt) for place, hunt in sorted(lines.items())],
    )


def forecast(terms: Terms, found: Survey, internal: Internal) -> Forecast:
    """Return what acquisition would take beside those who claim a slot now: what reprocessing of all
    that was taken would document, and what was documented while it was on."""
    listed = listed_hunts()
    documented: set[Place] = set()
    wanted: dict[Place, str] = {}
    hunts = 0
    for _, line_id, place, _, hunt in acquired_lines():
        documented.add(place)
        if not terms.acquisition and not hunt and not found.holdings(*place):
            wanted[place] = line_id
    columns = (
        AcquirableLine.site,
        AcquirableLine.partition,
        AcquirableLine.number,
        AcquirableLine.hunt,
    )
    for site, partition, number, hunt in AcquirableLine.select(*columns).tuples():
        place = (site, partition, number)
        if place in documented or not internal(site, number) or found.holdings(*place):
            continue
        if hunt or listed(*place):
            hunts += 1
        else:
            wanted[place] = line_identifier(partition, number)
    beyond = 0
    if terms.slots is not None:
        free = max(terms.slots - len(found.claims), 0)
        beyond = max(len(wanted) - free, 0)
    return Forecast(tuple(sorted(wanted.values())), beyond, hunts)
