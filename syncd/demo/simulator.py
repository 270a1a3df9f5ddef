"""Plays conversations, one after another, as long as asked."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from itertools import accumulate

from syncd.demo import (
    scenarios_basic,
    scenarios_conference,
    scenarios_features,
    scenarios_redirect,
    scenarios_special,
    scenarios_transfer,
)
from syncd.demo.cucm_row import Row
from syncd.demo.people import Company
from syncd.demo.script import Scenario, Script, World
from syncd.demo.stations import build_plant
from syncd.demo.truth import Truth

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenarios in (
        scenarios_basic.SCENARIOS,
        scenarios_redirect.SCENARIOS,
        scenarios_transfer.SCENARIOS,
        scenarios_conference.SCENARIOS,
        scenarios_special.SCENARIOS,
        scenarios_features.SCENARIOS,
    )
    for scenario in scenarios
}

# How busy the 24 hours of a day are, UTC.
_HOURS = (1, 1, 1, 1, 1, 2, 10, 40, 70, 80, 75, 40, 45, 75, 75, 60, 30, 10, 5, 4, 3, 2, 1, 1)
_WEEKEND = 10
"""A Saturday's or Sunday's hour is busy by this part of a weekday's."""


class Clock:
    """Spreads calls over days: the n-th of all falls on the n-th part of the traffic."""

    def __init__(self, start: date | int, days: int) -> None:
        if isinstance(start, int):
            self.start = start
        else:
            self.start = int(datetime.combine(start, time(), UTC).timestamp())
        weights: list[int] = []
        for hour in range(days * 24):
            moment = datetime.fromtimestamp(self.start + hour * 3600, UTC)
            part = 1 if moment.weekday() > 4 else _WEEKEND
            weights.append(_HOURS[moment.hour] * part)
        self.sums = list(accumulate(weights, initial=0))

    def at(self, part: float) -> int:
        """Return the second at which this part (0 to 1) of the traffic has passed."""
        wanted = part * self.sums[-1]
        hour = min(bisect(self.sums, wanted) - 1, len(self.sums) - 2)
        within = (wanted - self.sums[hour]) / (self.sums[hour + 1] - self.sums[hour])
        return self.start + hour * 3600 + int(within * 3600)


def simulate(
    company: Company,
    *,
    seed: int,
    calls: int,
    start: date | int,
    days: int = 20,
    mix: Mapping[str, float] | None = None,
) -> Iterator[tuple[list[Row], Truth]]:
    """Yield the records and the truth of ``calls`` conversations, by the moment they begin.

    ``start`` is a day or epoch seconds (UTC); ``mix`` names the scenarios to play with their
    weights, all of them when it is None. With at least as many calls as scenarios each is played;
    those that this company cannot play (nobody has a fax) are left out. The same arguments give
    the same conversations. Raises KeyError for an unknown scenario, ValueError when none is left.
    """
    world = World(build_plant(company), seed)
    playable = _playable(world, mix)
    scenarios = [scenario for scenario, _ in playable]
    sums = list(accumulate(weight for _, weight in playable))
    clock = Clock(start, days)
    random = world.random.random
    count = len(scenarios)
    for index in range(calls):
        at = clock.at((index + random()) / calls)
        turn = index * count // calls
        if calls >= count and turn != (index - 1) * count // calls:
            scenario = scenarios[turn]
        else:
            scenario = scenarios[min(bisect(sums, random() * sums[-1]), count - 1)]
        script = Script(world, at)
        scenario.play(script)
        yield script.told(scenario.name)


def _playable(world: World, mix: Mapping[str, float] | None) -> list[tuple[Scenario, float]]:
    """Return the scenarios to choose from, with their weights."""
    wanted = {name: scenario.weight for name, scenario in SCENARIOS.items()} if mix is None else mix
    chosen = [
        (SCENARIOS[name], weight)
        for name, weight in wanted.items()
        if weight > 0 and (not SCENARIOS[name].needs or world.pools[SCENARIOS[name].needs])
    ]
    if not chosen:
        raise ValueError("no scenario that this company can play")
    return chosen
