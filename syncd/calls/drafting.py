"""One record in hand, and what its sides share: drafts, lines, the other party (pure).

docs/rules.md 5.5, 6.1 and 6.2: a side becomes a draft when a billed line is found for it, or one that
automatic acquisition documents; otherwise the reason is noted.
"""

from __future__ import annotations

from syncd.calls.analysis import (
    BILLING_OFF,
    NO_DEVICE,
    NOT_CONFIGURED,
    NOT_INTERNAL,
    SHARED_PILOT,
    Analysis,
    Draft,
    Rules,
    Unknown,
)
from syncd.calls.attribution import AMBIGUOUS, BY_NAME, Found
from syncd.calls.conversation import (
    Ends,
    OutsideLeg,
    Rec,
    carried,
    direction_of,
    is_provisional,
)
from syncd.calls.disposition import NOT_REDIRECTING, disposition_of
from syncd.calls.trunks import is_bridge
from syncd.domain.codes import (
    Direction,
    Disposition,
    NumberClass,
    Role,
    Side,
    TrunkRole,
)
from syncd.domain.party import Line
from syncd.domain.rate import NormalisedNumber

HUNT = 7
"""Pattern usage "hunt pilot"."""

# Members of an enumeration are slow to look up, and this is done for every record.
INTERNAL, OUTGOING, ON_NET = Direction.INTERNAL, Direction.OUTGOING, Direction.ON_NET
CALLING, CALLED = Side.CALLING, Side.CALLED
CLASS_INTERNAL, CLASS_ON_NET = NumberClass.INTERNAL, NumberClass.ON_NET
VOICEMAIL = Role.VOICEMAIL
ANSWERED_ROW, TRANSFERRED = Disposition.ANSWERED, Disposition.TRANSFERRED


class RecordInHand:
    """One record of a conversation, and the drafts that are made of it."""

    __slots__ = (
        "at_dest",
        "at_orig",
        "consult",
        "controller_partition",
        "direction",
        "ends",
        "index",
        "leg",
        "provisional",
        "reasons",
        "rec",
        "result",
        "rules",
        "start",
    )

    def __init__(
        self,
        index: int,
        rec: Rec,
        ends: Ends,
        legs: dict[int, OutsideLeg],
        consult: bool,
        rules: Rules,
        result: Analysis,
    ) -> None:
        self.index = index
        self.rec = rec
        self.leg = rec.leg
        self.ends = ends
        self.consult = consult
        self.rules = rules
        self.result = result
        self.reasons: list[str] = []
        self.controller_partition = ""
        self.start = len(result.drafts)
        if legs:
            self.at_orig, self.at_dest = carried(rec.leg, rec.id, legs)
        else:
            self.at_orig = self.at_dest = None
        self.direction = direction_of(rec.leg, ends, self.at_orig, self.at_dest)
        self.provisional = int(is_provisional(index, rec.leg, self.at_orig, self.at_dest))

    def draft(
        self,
        side: Side,
        found: Found,
        number: str,
        partition: str,
        *,
        reached: bool,
        disposition: Disposition,
        talk: int,
        other: str,
        outside: OutsideLeg | None,
        hunt: bool = False,
    ) -> int:
        holder = found.holder
        line: Line | None = None
        if holder is None:
            line = self.acquired(found, number, partition, reached=reached, hunt=hunt)
            if line is None:
                return -1
        elif holder.shared:
            self.reasons.append(SHARED_PILOT)
            return -1
        elif not holder.billed:
            self.reasons.append(BILLING_OFF)
            return -1
        elif found.reason in BY_NAME and number:
            line = self.line(number, partition)
        leg = self.leg
        ring = 0
        if side is CALLING or side is CALLED:
            ring = (leg.connected_at or leg.ended_at) - leg.started_at
        result = self.result
        result.drafts.append(
            Draft(
                self.index,
                side,
                holder,
                line,
                hunt,
                self.direction,
                self.number_class(outside),
                disposition,
                ring if ring > 0 else 0,
                talk,
                other,
                int(outside is not None or self.direction is OUTGOING),
                outside,
                outside.trunk.trunk if outside is not None else self.inner_trunk(),
                leg.hunt_pilot,
            )
        )
        return len(result.drafts) - 1

    def acquired(
        self, found: Found, number: str, partition: str, *, reached: bool, hunt: bool
    ) -> Line | None:
        """Return the line that automatic acquisition documents, or None with the reason noted, and
        the number, if it would be documented or is unknown.

        Decided by the record alone, so that the order of arrival never matters.
        """
        if found.reason == AMBIGUOUS:
            self.reasons.append(AMBIGUOUS)
            return None
        internal = self.rules.numbering.is_internal(number)
        if not internal:
            self.reasons.append(NOT_INTERNAL)
        elif not reached:
            self.reasons.append(NO_DEVICE)
        elif not self.rules.acquisition:
            self.reasons.append(NOT_CONFIGURED)
        else:
            return self.line(number, partition)
        if reached and number:
            self.result.unknown.append(Unknown(self.index, partition, number, internal, hunt))
        return None

    def line(self, number: str, partition: str) -> Line:
        """Return the line of a number that nobody holds."""
        return Line(self.rules.site, partition if self.rules.partitions else "", number)

    def note(self, side: Side, number: str, found: Found) -> None:
        if self.result.found is not None:
            self.result.found.append((self.index, side, number, found))

    def is_party(self, number: str) -> bool:
        return bool(number) and number != self.leg.hunt_pilot and not is_bridge(number)

    def pilot_number(self) -> str:
        """Return the pilot by which the call was hunted: it sticks to later transfers, so only a
        record whose pattern is the pilot's, and that was not redirected after it, counts."""
        leg = self.leg
        if leg.pattern_usage != HUNT:
            return ""
        if leg.redirecting_number == leg.hunt_pilot and leg.last_redirect_reason not in (
            NOT_REDIRECTING
        ):
            return ""
        return leg.hunt_pilot

    def voicemail_owner(self, found: Found) -> Found:
        """A call redirected to a shared pilot or a voicemail trunk is the voicemail call of the
        person from whose line it was redirected (docs/rules.md 6.1)."""
        leg = self.leg
        if leg.last_redirect_reason in NOT_REDIRECTING or not self.is_party(leg.redirecting_number):
            return found
        holder = found.holder
        to_pilot = holder is not None and holder.shared
        to_trunk = holder is None and self.ends.dest.role is TrunkRole.VOICEMAIL
        if not to_pilot and not to_trunk:
            return found
        forwarder = self.rules.holders.find(
            leg.redirecting_number, leg.redirecting_partition, "", "", leg.started_at
        ).holder
        if forwarder is None:
            return found
        own = self.rules.holders.line_of(forwarder.party, (VOICEMAIL,), leg.started_at)
        if own is None:
            return found
        return Found(own._replace(shared=False), "voicemail of the forwarder", found.candidates)

    def inner_trunk(self) -> str:
        """The trunk of a call without an outside leg: a tie line, a voicemail or fax system."""
        return self.ends.dest.trunk or self.ends.orig.trunk

    def number_class(self, outside: OutsideLeg | None) -> NumberClass:
        if outside is not None:
            return outside.number.number_class
        if self.direction is ON_NET:
            return CLASS_ON_NET
        if self.direction is INTERNAL:
            return CLASS_INTERNAL
        return self.attempt().number_class

    def attempt(self) -> NormalisedNumber:
        """The number of an outgoing attempt that reached no trunk."""
        leg = self.leg
        return self.rules.numbering.outgoing(leg.final_number, leg.final_pattern)

    def other_of_calling(self) -> tuple[str, OutsideLeg | None]:
        outside = self.at_dest
        if outside is not None:
            return outside.number.e164 or outside.raw, outside
        if self.direction is OUTGOING and self.at_orig is None:
            return self.attempt().e164 or self.leg.final_number, None
        return self.leg.final_number or self.leg.original_number, None

    def other_of_called(self) -> tuple[str, OutsideLeg | None]:
        outside = self.at_orig
        if outside is not None:
            return outside.number.e164 or outside.raw, outside
        return self.leg.calling_number, None

    def other_of_redirecting(self) -> tuple[str, OutsideLeg | None]:
        """The outside party that the redirecting side pays for, else the one who called."""
        for outside in (self.at_dest, self.at_orig):
            if outside is not None and outside.direction is OUTGOING:
                return outside.number.e164 or outside.raw, outside
        return self.other_of_called()

    def disposition(self) -> Disposition:
        if self.consult:
            return TRANSFERRED
        return ANSWERED_ROW if self.leg.connected_at else disposition_of(self.leg)

    def talk(self) -> int:
        """Connected seconds; connected for 0 s counts as 1 s."""
        leg = self.leg
        return (leg.duration or 1) if leg.connected_at else 0
