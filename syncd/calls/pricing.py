"""What a conversation costs and who pays (pure; docs/rules.md 7.3, 7.4).

Priced is an outgoing outside leg: the sum of its segments, once; an incoming one where its carrier
has a deck for the number that was called. The price is shared over the segments by seconds, each
share on that segment's charged side. Anything else is free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from syncd.billing.rating import (
    NO_RATE,
    NO_SHORT_RATE,
    NO_TARIFF,
    NOT_NORMALISED,
    Rated,
    Unrated,
    Where,
    rate_leg,
    share,
)
from syncd.billing.tariff import Carrier
from syncd.billing.unrated import for_number, taken_apart
from syncd.calls.analysis import Analysis, Rules
from syncd.calls.conversation import OUTGOING, OutsideLeg, Rec
from syncd.domain.codes import State
from syncd.domain.leg import Leg
from syncd.domain.rate import NormalisedNumber

NOT_PRICED = (NO_RATE, NO_SHORT_RATE, NO_TARIFF, NOT_NORMALISED)
"""Why an incoming leg costs nothing: its carrier prices only some of our numbers."""
UNKNOWN_TRUNK = "no [trunk:] section lists the device"


class Charge(NamedTuple):
    """The money side of a call row. ``cost`` in micros, None when unrated; ``rate`` is (carrier,
    version, prefix)."""

    cost: int | None
    state: State
    reason: str
    destination: str
    carrier: str
    rate: tuple[str, str, str] | None
    billed_seconds: int


STATE_FREE, STATE_RATED = State.FREE, State.RATED
FREE = Charge(0, STATE_FREE, "", "", "", None, 0)


class RatedLeg(NamedTuple):
    """A leg with its price and the share of each segment (micros), or why it has none."""

    leg: OutsideLeg
    result: Rated | Unrated
    shares: tuple[int, ...]
    billed: tuple[int, ...]
    raw: str
    """The number that was priced, as in the record: of an incoming leg our own that was called."""
    number: NormalisedNumber


class Pricer:
    """Prices conversations of a site with the tariffs of the carriers by name."""

    def __init__(self, carriers: Mapping[str, Carrier], rules: Rules) -> None:
        self._carriers = carriers
        self._where = Where(rules.site, rules.zone)
        self._incoming_number = rules.numbering.incoming
        self._prices_incoming = any(carrier.incoming for carrier in carriers.values())

    def priced(self, analysis: Analysis, records: Sequence[Rec]) -> dict[int, RatedLeg]:
        """Return the legs that have a price, or should have one, by leg id."""
        found = {}
        for leg in analysis.legs:
            set_up = records[leg.set_up_in].leg
            if leg.direction is OUTGOING:
                found[leg.leg_id] = self._outgoing(leg, set_up.started_at)
            elif self._prices_incoming and leg.connected_at:
                one = self._incoming(leg, set_up)
                if one is not None:
                    found[leg.leg_id] = one
        return found

    def _incoming(self, leg: OutsideLeg, set_up: Leg) -> RatedLeg | None:
        """Rate an incoming leg by the number that was called; None where that costs nothing."""
        carrier = self._carriers.get(leg.trunk.carrier)
        if carrier is None or carrier.incoming is None:
            return None
        called = set_up.original_number or set_up.final_number
        number = self._incoming_number(called)
        result = rate_leg(
            carrier.incoming,
            number.e164,
            leg.connected_at,
            leg.seconds,
            number.short_number,
            leg.trunk.trunk,
            number.number_class,
            self._where,
        )
        if isinstance(result, Unrated) and result.reason.startswith(NOT_PRICED):
            return None
        return _shared(leg, result, called, number)

    def _outgoing(self, leg: OutsideLeg, started_at: int) -> RatedLeg:
        """Rate an outgoing leg, given the start of its set-up record for one never connected."""
        if not leg.trunk.known:
            cause = f"{UNKNOWN_TRUNK} {leg.trunk.trunk}"
            reason = for_number(cause, leg.number.e164, leg.number.short_number, link=",")
            return _shared(leg, Unrated(reason), leg.raw, leg.number)
        result = rate_leg(
            self._carriers.get(leg.trunk.carrier),
            leg.number.e164,
            leg.connected_at or started_at,
            leg.seconds,
            leg.number.short_number,
            leg.trunk.trunk,
            leg.number.number_class,
            self._where,
        )
        return _shared(leg, result, leg.raw, leg.number)

    def charges(self, analysis: Analysis, records: Sequence[Rec]) -> list[Charge]:
        """Return the charge of every draft, given the conversation's records in order."""
        if not analysis.legs:
            return [FREE] * len(analysis.drafts)
        rated = self.priced(analysis, records)
        charges = [self._label(draft.outside, rated) for draft in analysis.drafts]
        if not rated:
            return charges
        for one in rated.values():
            for place, (record, _) in enumerate(one.leg.segments):
                paying = analysis.paying(record)
                parts = segment_parts(one, place, [weight for _, weight in paying])
                for (payer, _), part in zip(paying, parts, strict=True):
                    if payer >= 0:
                        charges[payer] = _charged(charges[payer], one, part)
        return charges

    @staticmethod
    def _label(outside: OutsideLeg | None, rated: Mapping[int, RatedLeg]) -> Charge:
        """Name the destination and the carrier of a row that talks over a leg, at no cost yet."""
        if outside is None:
            return FREE
        one = rated.get(outside.leg_id)
        carrier = outside.trunk.carrier
        if one is None or isinstance(one.result, Unrated) or outside.private:
            return Charge(0, STATE_FREE, "", "", carrier, None, 0)
        return Charge(0, STATE_FREE, "", one.result.rate.destination, carrier, None, 0)


def _shared(
    leg: OutsideLeg, result: Rated | Unrated, raw: str, number: NormalisedNumber
) -> RatedLeg:
    """Return a rated leg with the share of each segment."""
    if isinstance(result, Unrated):
        return RatedLeg(leg, result, (), (), raw, number)
    micros, billed = result.price
    if len(leg.segments) == 1:
        return RatedLeg(leg, result, (micros,), (billed,), raw, number)
    seconds = [part for _, part in leg.segments]
    shares, shares_billed = tuple(share(micros, seconds)), tuple(share(billed, seconds))
    return RatedLeg(leg, result, shares, shares_billed, raw, number)


def segment_parts(one: RatedLeg, place: int, weights: Sequence[int]) -> list[tuple[int, int]]:
    """Return (micros, billed seconds) of each who pays for a segment of a leg, by weight; the last
    takes the remainders. A leg without a price has zeros."""
    if isinstance(one.result, Unrated):
        return [(0, 0)] * len(weights)
    micros, billed = one.shares[place], one.billed[place]
    if len(weights) == 1:
        return [(micros, billed)]
    return list(zip(share(micros, weights), share(billed, weights), strict=True))


def _charged(charge: Charge, one: RatedLeg, part: tuple[int, int]) -> Charge:
    """Add somebody's part of a segment to a row; one unrated leg makes the whole row unrated. What a
    private number began with stays out."""
    result, private = one.result, one.leg.private
    if isinstance(result, Unrated):
        reason = taken_apart(result.reason).cause if private else result.reason
        return charge._replace(cost=None, state=State.UNRATED, reason=reason)
    if charge.cost is None:
        return charge
    micros, billed = part
    destination = charge.destination or ("" if private else result.rate.destination)
    prefix = "" if private else result.rate.prefix
    return Charge(
        charge.cost + micros,
        STATE_RATED,
        "",
        destination,
        charge.carrier or one.leg.trunk.carrier,
        (result.tariff.carrier, result.tariff.version, prefix),
        charge.billed_seconds + billed,
    )
