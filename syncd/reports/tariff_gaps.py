"""What was really called and a rate deck has no row for: numbers counted by how they begin.

Only sums go out, and only to who sees everything; private calls are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from syncd.billing.unrated import REASON_DIGITS, Missing, taken_apart
from syncd.domain.codes import State
from syncd.domain.errors import UserError
from syncd.reports.lookups import Lookups, select
from syncd.reports.masking import mask_number
from syncd.reports.permissions import Reach
from syncd.reports.scope import Door, row_conditions


class Prices(NamedTuple):
    """Say whether a deck prices a number in E.164 without the +, and whether a short number behind
    its calling code."""

    number: Callable[[str], bool]
    short_number: Callable[[str], bool]


class Called(NamedTuple):
    """A number that was called over a carrier, so often and so long."""

    carrier: str
    number: str
    """In E.164, or a short number behind its calling code, without a +."""
    calls: int
    seconds: int


class Gap(NamedTuple):
    """Numbers that begin alike and have no rate: conversations, and seconds that were talked."""

    prefix: str
    calls: int
    seconds: int


def called_numbers(door: Door, lookups: Lookups, start: int, stop: int) -> list[Called]:
    """Return what was called and had to be paid for between two moments (epoch seconds).

    Raises UserError for who does not see all calls.
    """
    if door.scope.reach is not Reach.ALL:
        raise UserError("what was called is compared with rate decks for level 10 alone")
    (seen,) = row_conditions(door.scope, lookups)
    wanted = (
        f" WHERE started_at >= ? AND started_at < ? AND {seen.sql} AND state IN (?, ?)"
        " AND other_outside = 1"
        " AND call.id / 8 NOT IN (SELECT record_id FROM private_record)"
    )
    given = (start, stop, *seen.parameters, int(State.RATED), int(State.UNRATED))
    rows = select(
        "SELECT carrier.name, other_number, COUNT(DISTINCT conversation), SUM(duration)"
        f" FROM call JOIN carrier ON carrier.id = call.carrier_id {wanted}"
        " AND other_number LIKE '+%' GROUP BY carrier.name, other_number",
        *given,
    )
    # The row of a call keeps a short number as it was dialled. What it is behind its calling code
    # says the rate, which has exactly this prefix, or the reason why there is none.
    short = select(
        "SELECT carrier.name, COALESCE(rate_used.prefix, ''), reason,"
        " COUNT(DISTINCT conversation), SUM(duration)"
        " FROM call JOIN carrier ON carrier.id = call.carrier_id"
        f" LEFT JOIN rate_used ON rate_used.id = call.rate_id {wanted}"
        " AND other_number NOT LIKE '+%' GROUP BY 1, 2, 3",
        *given,
    )
    found = [Called(*row) for row in rows]
    for carrier, prefix, reason, calls, seconds in short:
        number = prefix or taken_apart(reason).short_number
        if number:
            found.append(Called(carrier, number, calls, seconds))
    return found


def gaps(called: list[Called], carrier: str, prices: Prices, masked_digits: int = 0) -> list[Gap]:
    """Return what of a carrier's calls has no rate by a deck, the most frequent first."""
    found: dict[str, list[int]] = {}
    for one in called:
        if one.carrier != carrier:
            continue
        e164 = one.number.startswith("+")
        if not (prices.number(one.number[1:]) if e164 else prices.short_number(one.number)):
            # A number may be no longer than what is shown of it.
            prefix = (
                mask_number(one.number, masked_digits)[: REASON_DIGITS + 1]
                if e164
                else Missing("", "", one.number).shown_prefix(masked_digits)
            )
            sums = found.setdefault(prefix, [0, 0])
            sums[0] += one.calls
            sums[1] += one.seconds
    ordered = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
    return [Gap(prefix, calls, seconds) for prefix, (calls, seconds) in ordered]
