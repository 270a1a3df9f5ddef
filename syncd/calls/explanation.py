"""A conversation decided once more, with a reason for everything (docs/rules.md 7.5).

The records are read from the store and go through the same rules as at intake, with the directory's
history and the configuration of today. What comes out is for the reports' door, which decides what
of it a viewer may see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from syncd.billing.numbering import INSIDE
from syncd.billing.rating import Unrated, steps_of_leg
from syncd.calls.analysis import (
    BILLING_OFF,
    NO_DEVICE,
    NOT_CONFIGURED,
    NOT_INTERNAL,
    SHARED_PILOT,
    TO_VOICEMAIL_ONLY,
    Analysis,
    Draft,
    Rules,
)
from syncd.calls.attribution import AMBIGUOUS, Found, Holder
from syncd.calls.charging import NOBODY
from syncd.calls.context import IntakeContext
from syncd.calls.conversation import OutsideLeg, Rec, in_order, keys_of
from syncd.calls.directory_view import rules_of
from syncd.calls.pricing import Charge, Pricer, RatedLeg, segment_parts
from syncd.calls.sides import analyse
from syncd.domain.charging import policy_text
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Direction, NumberClass, Role, Side
from syncd.domain.leg import Leg
from syncd.domain.rate import NormalisedNumber, Step
from syncd.licensing.history import Standing, standing
from syncd.licensing.slots import slot_key
from syncd.store import withheld
from syncd.store.call_rows import relatives
from syncd.store.models import Line, Party, Profile, Record

ANONYMOUS = "documented anonymously by automatic acquisition"
NO_OUTSIDE_LEG = "no leg to the outside takes part"
TIE_LINE = "reached over a tie line"

NEVER_CONNECTED = "free: never connected"
_FREE = {
    Direction.INTERNAL: "free: an internal call",
    Direction.ON_NET: "free: over a tie line",
    Direction.INCOMING: "free: an incoming leg",
}


class Candidate(NamedTuple):
    """Who came into question for a number, as of the call. ``org`` is the profile's."""

    party: int
    org: int
    line_id: str
    person: str
    role: Role


class OtherNumber(NamedTuple):
    """The other party's number: as in the record, and after the site's plan."""

    raw: str
    normalised: NormalisedNumber
    outside: bool


class Share(NamedTuple):
    """One segment's part of a leg's price. ``side`` None: nobody pays for it. ``micros`` None: the
    leg has no price."""

    record: int
    """Its id in the store."""
    side: Side | None
    seconds: int
    micros: int | None
    payer: int | None = None
    """Id of the record whose row pays: by a policy it may be an earlier one."""
    policy: str = ""
    """The policy that decided it, as it stands in the INI; empty for none."""


class TariffUsed(NamedTuple):
    """The row of a rate deck that priced a leg. ``valid_from`` is epoch seconds."""

    carrier: str
    version: str
    valid_from: int
    prefix: str
    destination: str
    band: str
    """Time band of the row; empty for the default row."""
    currency: str
    """Empty: the reporting currency."""
    original: int
    """The price in micros of the tariff's currency."""
    vat: int
    """Shown beside the price, in millionths of a percent."""


@dataclass(frozen=True, slots=True)
class LegPrice:
    """The price of one outgoing leg, whoever pays it. The steps add up to ``micros``, the shares
    too; ``reason`` says why there is no price."""

    number: OtherNumber
    tariff: TariffUsed | None
    steps: tuple[Step, ...]
    micros: int | None
    shares: tuple[Share, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SidePrice:
    """What a side has to do with money: the legs that it talks over or pays for, the one that it
    talks over first; without any, why it is free."""

    legs: tuple[LegPrice, ...]
    free: str
    cost: int | None
    """What this side pays, micros; None when it cannot be said."""


@dataclass(frozen=True, slots=True)
class SideExplained:
    """One side of one record: who it is and why, or why it is not billed."""

    side: Side
    number: str
    """This side's own number; empty when the rules make no such side."""
    inside: bool
    """The number belongs to somebody or is named by the site's patterns."""
    reason: str
    """How the party was found, or why none was."""
    candidates: tuple[Candidate, ...]
    party: int | None
    """None: not billed; 0: anonymous."""
    person: str
    """The party's name as of the call, empty for none."""
    line_id: str
    not_billed: str
    """Why there is no call; empty when there is one."""


class Explanation:
    """A conversation's records, analysed with reasons. Pure but for names and slots, which are
    looked up when asked for."""

    def __init__(self, records: Sequence[Rec], rules: Rules, pricer: Pricer) -> None:
        self.records = in_order(records)
        self._rules = rules
        self._pricer = pricer
        self.analysis: Analysis = analyse(self.records, rules, explain=True)
        self._found: dict[tuple[int, Side], tuple[str, Found]] = {
            (at, side): (number, found) for at, side, number, found in self.analysis.found or ()
        }

    @cached_property
    def _starts(self) -> list[int]:
        return [rec.leg.started_at for rec in self.records]

    @cached_property
    def charges(self) -> list[Charge]:
        """The charge of each draft."""
        return self._pricer.charges(self.analysis, self.records)

    @cached_property
    def _rated(self) -> dict[int, RatedLeg]:
        return self._pricer.priced(self.analysis, self.records)

    def place(self, record_id: int) -> int:
        """Return the index of a record."""
        return next(at for at, rec in enumerate(self.records) if rec.id == record_id)

    def draft(self, record_id: int, side: Side) -> int | None:
        """Return the index of the draft of a side, None when it is not billed."""
        for index, draft in enumerate(self.analysis.drafts):
            if draft.side is side and self.records[draft.at].id == record_id:
                return index
        return None

    def sides_of(self, record_id: int) -> list[Side]:
        """Return the sides of a record whose number was looked for, in their order."""
        at = self.place(record_id)
        return sorted(side for place, side in self._found if place == at)

    # --- who ----------------------------------------------------------------------------------

    def side(self, record_id: int, side: Side) -> SideExplained | None:
        """Return whose side it is and why; None when the rules make no such side of the record."""
        at = self.place(record_id)
        if (at, side) not in self._found:
            return None
        number, found = self._found[at, side]
        when = self._starts[at]
        index = self.draft(record_id, side)
        party: int | None = None
        line_id, not_billed, reason = "", "", found.reason
        draft_holder: Holder | None = None
        if index is None:
            not_billed = self._not_billed(at, side, number, found)
            if found.holder is not None:
                line_id = found.holder.line_id
        else:
            draft = self.analysis.drafts[index]
            draft_holder = draft.holder
            party = draft_holder.party if draft_holder is not None else 0
            line_id = _line_id(draft)
            if not party:
                reason = f"{reason}; {ANONYMOUS}"
        return SideExplained(
            side,
            number,
            found.holder is not None or self._rules.numbering.is_internal(number),
            reason,
            tuple(self._candidate(holder, when) for holder in found.candidates),
            party,
            self._candidate(draft_holder, when).person if draft_holder is not None else "",
            line_id,
            not_billed,
        )

    def _not_billed(self, at: int, side: Side, number: str, found: Found) -> str:
        """Return why a side that was looked for became no draft."""
        holder = found.holder
        if holder is not None:
            if holder.shared:
                return SHARED_PILOT
            if side is Side.CALLING and holder.role is Role.VOICEMAIL:
                return TO_VOICEMAIL_ONLY
            return BILLING_OFF
        if found.reason == AMBIGUOUS:
            return AMBIGUOUS
        if not self._rules.numbering.is_internal(number):
            return NOT_INTERNAL
        reached = any(one.at == at and one.number == number for one in self.analysis.unknown)
        return NOT_CONFIGURED if reached else NO_DEVICE

    def _candidate(self, holder: Holder, when: int) -> Candidate:
        profile, org = self._rules.holders.profile(holder.party, when)
        return Candidate(
            holder.party, org, holder.line_id, _name(holder.party, profile), holder.role
        )

    def standing(self, record_id: int, side: Side, *, unlimited: bool) -> Standing | None:
        """Return how a side stands with the licence; None when it is not billed."""
        index = self.draft(record_id, side)
        if index is None:
            return None
        draft = self.analysis.drafts[index]
        if draft.holder is not None:
            key = draft.holder.slot
        else:
            assert draft.line is not None  # who has no holder is a line
            line = Line.get_or_none(
                Line.site == draft.line.site,
                Line.partition == draft.line.partition,
                Line.number == draft.line.number,
            )
            key = slot_key(0, Role.ACQUIRED, line.id if line is not None else 0)
        return standing(key, self._starts[draft.at], hunt=draft.hunt, unlimited=unlimited)

    # --- how much -----------------------------------------------------------------------------

    def other_number(self, draft: Draft) -> OtherNumber:
        """Return the number at the other end of a side."""
        if draft.outside is not None:
            return OtherNumber(draft.outside.raw, draft.outside.number, outside=True)
        leg = self.records[draft.at].leg
        if draft.other_outside:
            attempt = self._rules.numbering.outgoing(leg.final_number, leg.final_pattern)
            return OtherNumber(leg.final_number, attempt, outside=True)
        rule = NO_OUTSIDE_LEG
        if draft.number_class is NumberClass.ON_NET:
            rule = TIE_LINE
        elif self._rules.numbering.is_internal(draft.other):
            rule = INSIDE.rule
        number = NormalisedNumber("", draft.number_class, rule)
        return OtherNumber(draft.other, number, outside=False)

    def price(self, index: int) -> SidePrice:
        """Return what the side of a draft has to do with money."""
        draft = self.analysis.drafts[index]
        wanted: dict[int, OutsideLeg] = {}
        if draft.outside is not None and draft.outside.leg_id in self._rated:
            wanted[draft.outside.leg_id] = draft.outside
        for one in self._rated.values():
            if any(
                index == payer
                for at, _ in one.leg.segments
                for payer, _ in self.analysis.paying(at)
            ):
                wanted[one.leg.leg_id] = one.leg
        legs = tuple(self._leg_price(self._rated[leg_id]) for leg_id in wanted)
        free = ""
        if not legs:
            direction = draft.outside.direction if draft.outside is not None else draft.direction
            free = _FREE.get(direction, f"free: {NO_OUTSIDE_LEG}")
        return SidePrice(legs, free, self.charges[index].cost)

    def _leg_price(self, one: RatedLeg) -> LegPrice:
        leg, result = one.leg, one.result
        number = OtherNumber(one.raw, one.number, outside=True)
        tariff = None
        if not isinstance(result, Unrated):
            terms = result.tariff.terms
            tariff = TariffUsed(
                result.tariff.carrier,
                result.tariff.version,
                result.tariff.valid_from,
                result.rate.prefix,
                result.rate.destination,
                result.rate.band,
                terms.currency if terms is not None else "",
                result.original,
                terms.vat if terms is not None else 0,
            )
        if not leg.connected_at:
            return LegPrice(number, tariff, (Step(NEVER_CONNECTED, 0, 0),), 0, ())
        shares = tuple(
            share for place, _ in enumerate(leg.segments) for share in self._shares(one, place)
        )
        if isinstance(result, Unrated):
            unrated = (Step(f"unrated: {result.reason}", leg.seconds, 0),)
            return LegPrice(number, None, unrated, None, shares, result.reason)
        made = tuple(steps_of_leg(result, leg.seconds))
        return LegPrice(number, tariff, made, result.price.micros, shares)

    def _shares(self, one: RatedLeg, place: int) -> Iterator[Share]:
        """Yield who pays for a segment of a leg, with what."""
        at, seconds = one.leg.segments[place]
        record = self.records[at].id
        paying = self.analysis.paying(at) or ((NOBODY, 1),)
        parts = segment_parts(one, place, [weight for _, weight in paying])
        policy = self.analysis.policies.get(at)
        text = policy_text(*policy) if policy is not None else ""
        for (index, _), (micros, _) in zip(paying, parts, strict=True):
            amount = None if isinstance(one.result, Unrated) else micros
            if index == NOBODY:
                yield Share(record, None, seconds, amount, None, text)
            else:
                draft = self.analysis.drafts[index]
                payer = self.records[draft.at].id
                yield Share(record, draft.side, seconds, amount, payer, text)


def _line_id(draft: Draft) -> str:
    if draft.line is not None:
        return draft.line.line_id
    assert draft.holder is not None  # a draft has a line or a holder
    return draft.holder.line_id


def _name(party: int, profile: int) -> str:
    """Return a party's name in a profile, else that of today."""
    then = Profile.get_or_none(Profile.id == profile) if profile else None
    if then is not None and then.display_name:
        return str(then.display_name)
    now = Party.get_by_id(party)
    return str(now.display_name or now.username)


class Stored(NamedTuple):
    """A conversation as it is stored: the id of its first record, its records in order, and the key
    hash of each by id."""

    id: int
    records: list[Rec]
    key_hashes: dict[int, int]


def load_conversation(record_id: int) -> Stored:
    """Return the stored conversation of a record. Raises Record.DoesNotExist."""
    columns = (getattr(Record, name) for name in Leg._fields)
    row = (
        Record.select(
            Record.pbx_id, Record.conversation, Record.id, Record.file_id, Record.row, *columns
        )
        .where(Record.id == record_id)
        .tuples()
        .get()
    )
    pbx_id, conversation = row[:2]
    first = Rec(row[2], row[3], row[4], Leg._make(row[5:]))
    members = {record_id: first}
    asked: set[tuple[str, int]] = set()
    newest = [first] if first.leg.tied else []
    while newest:
        keys = {key for rec in newest for key in keys_of(rec.leg)} - asked
        asked |= keys
        found = {
            one[0]: Rec(one[0], one[1], one[2], one[4])
            for one in relatives(pbx_id, keys, 0, FOREVER, frozen=True)
            if one[0] not in members
        }
        # Leg ids are used again by and by: what counts is how intake tied the records.
        same = Record.select(Record.id).where(
            Record.id << list(found), Record.conversation == conversation
        )
        newest = [found[one] for (one,) in same.tuples()]
        members |= {rec.id: rec for rec in newest}
    hashes = Record.select(Record.id, Record.key_hash).where(Record.id << list(members)).tuples()
    return Stored(conversation, in_order(members.values()), dict(hashes))


def explain(records: Sequence[Rec], context: IntakeContext) -> Explanation:
    """Return a conversation's records decided once more, given the configuration of their source.

    Reads the directory as it is now.
    """
    rules = rules_of(context)
    return Explanation(records, rules, Pricer(context.carriers, rules))


def withheld_sides(record_id: int) -> frozenset[Side]:
    """Return the sides of a record whose calls are withheld."""
    return frozenset(map(Side, withheld.sides_of(record_id)))
