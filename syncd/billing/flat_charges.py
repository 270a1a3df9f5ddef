"""What lines cost a month, whoever calls (pure; docs/rules.md 7.10).

Of a day, a line is whose it was at the end of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from syncd.domain.allowance import FlatCharge, Held


class Payer(NamedTuple):
    """Who pays, by ids."""

    party: int
    profile: int
    org: int


class FlatShare(NamedTuple):
    """What somebody pays for a line, in micros, none of them 0."""

    line: int
    payer: Payer
    cost: int


def flat_shares(
    charge: FlatCharge,
    held: Iterable[Held],
    payer_at: Callable[[int, int], Payer],
    ends: Sequence[int],
) -> Iterator[FlatShare]:
    """Yield the shares of a month, given its days' last seconds (epoch) and who a party was at a
    moment. Those of a line that was held on every day add up to the charge."""
    wanted = sorted(
        one
        for one in held
        if one.role in charge.roles and (not charge.sites or one.site in charge.sites)
    )
    for line, found in groupby(wanted, attrgetter("line")):
        payers = _by_day(list(found), payer_at, ends)
        if charge.share == "month":
            last = next((payer for payer in reversed(payers) if payer is not None), None)
            if last is not None:
                yield FlatShare(line, last, charge.amount)
            continue
        costs: defaultdict[Payer, int] = defaultdict(int)
        done = 0
        for day, payer in enumerate(payers, 1):
            # Cut to whole micros up to each day, so that the days add up.
            up_to = charge.amount * day // len(ends)
            if payer is not None:
                costs[payer] += up_to - done
            done = up_to
        for payer, cost in sorted(costs.items()):
            if cost:
                yield FlatShare(line, payer, cost)


def _by_day(
    held: Sequence[Held], payer_at: Callable[[int, int], Payer], ends: Sequence[int]
) -> list[Payer | None]:
    """Return who pays for each day of a line. A number in two roles counts once, the first wins."""
    by_role = sorted(held, key=attrgetter("role"))
    return [
        next(
            (payer_at(one.party, end) for one in by_role if one.valid_from <= end < one.valid_to),
            None,
        )
        for end in ends
    ]
