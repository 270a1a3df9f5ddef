"""A conversation's records become its sides: whose line, in which part, with which outcome (pure).

docs/rules.md 5.5: a call is one line's side of one record. Only the side that holds the connected
device is answered; a forwarder's or transferor's own row is ``redirecting``; a hunt pilot's is
``pilot``. An outgoing leg is charged to the calling side, a forwarded or transferred part to the
redirecting side.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncd.calls.analysis import (
    BILLING_OFF,
    HUNT_MEMBER,
    INTERNAL_RULE,
    NO_DEVICE,
    NO_LINE,
    NOT_CONFIGURED,
    NOT_INTERNAL,
    PROVISIONAL,
    RECORDER_RULE,
    SETTLED,
    SHARED_PILOT,
    TO_VOICEMAIL_ONLY,
    Analysis,
    Draft,
    Rules,
    Verdict,
)
from syncd.calls.attribution import AMBIGUOUS, BY_NAME, Found
from syncd.calls.conversation import (
    CONFERENCE,
    Ends,
    OutsideLeg,
    Rec,
    carried,
    consult_records,
    direction_of,
    ends_of,
    is_provisional,
    outside_legs,
    partition_of,
)
from syncd.calls.counting import count
from syncd.calls.disposition import NOT_REDIRECTING, TRANSFERRING, disposition_of
from syncd.calls.trunks import Kind, is_bridge
from syncd.domain.codes import (
    Direction,
    Disposition,
    NumberClass,
    RecordOutcome,
    Role,
    Side,
    TrunkRole,
)
from syncd.domain.party import Line
from syncd.domain.rate import NormalisedNumber

HUNT = 7
"""Pattern usage "hunt pilot"."""

# Members of an enumeration are slow to look up, and this is done for every record.
LINE, INSIDE, NOTHING, OUTSIDE = Kind.LINE, Kind.INSIDE, Kind.NOTHING, Kind.OUTSIDE
TIE, BRIDGE, RECORDER = Kind.TIE, Kind.BRIDGE, Kind.RECORDER
INTERNAL, OUTGOING, ON_NET = Direction.INTERNAL, Direction.OUTGOING, Direction.ON_NET
CALLING, CALLED, PILOT = Side.CALLING, Side.CALLED, Side.PILOT
FIRST_REDIRECTING, REDIRECTING = Side.FIRST_REDIRECTING, Side.REDIRECTING
CLASS_INTERNAL, CLASS_ON_NET = NumberClass.INTERNAL, NumberClass.ON_NET
VOICEMAIL = Role.VOICEMAIL
ANSWERED_ROW = Disposition.ANSWERED
FORWARDED, TRANSFERRED = Disposition.FORWARDED, Disposition.TRANSFERRED


def analyse(records: Sequence[Rec], rules: Rules, *, explain: bool = False) -> Analysis:
    """Return the sides of a conversation, given its records in order (``conversation.in_order``)."""
    ends = ends_of(records, rules.endpoints.of)
    result = Analysis(explain=explain)
    legs = outside_legs(records, ends, rules.numbering.outgoing, rules.numbering.incoming)
    result.legs = legs.values()
    consults = consult_records(records) if len(records) > 1 else frozenset()
    for index, rec in enumerate(records):
        sides = _RecordSides(index, rec, ends[index], legs, index in consults, rules, result)
        if rec.leg.controller:
            sides.controller_partition = partition_of(rec.leg.controller, records)
        sides.run()
    count(result, records)
    return result


class _RecordSides:
    """The sides of one record."""

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
        self.provisional = int(is_provisional(index, rec.leg, self.at_orig))

    def run(self) -> None:
        """Append this record's drafts, payer and verdict to the result."""
        result = self.result
        ends = self.ends
        for end in ends:
            if not end.known:
                result.unknown_trunks.append((self.index, end.trunk))
        if ends.orig.kind is RECORDER or ends.dest.kind is RECORDER:
            result.verdicts.append(Verdict(RecordOutcome.EXCLUDED, RECORDER_RULE, 0))
            return
        if not self.rules.import_internal and self.direction is INTERNAL:
            result.verdicts.append(Verdict(RecordOutcome.EXCLUDED, INTERNAL_RULE, 0))
            return
        calling = self.calling()
        called = self.called()
        redirector = self.redirecting()
        payer = calling
        if redirector is not None:
            payer = redirector
        elif self.leg.controller and self.controller_line():
            payer = self.controller()
        elif calling is None and ends.orig.kind is not LINE:
            payer = called
        if payer is not None and payer >= 0 and (self.at_orig or self.at_dest):
            result.payers[self.index] = payer
        if len(result.drafts) > self.start:
            verdict = PROVISIONAL if self.provisional else SETTLED
        else:
            reason = self.reasons[0] if self.reasons else NO_LINE
            verdict = Verdict(RecordOutcome.NOT_BILLED, reason, self.provisional)
        result.verdicts.append(verdict)

    # Each side returns the index of its draft, -1 when there is such a party but it is not billed,
    # None when there is none.

    def calling(self) -> int | None:
        leg, kind = self.leg, self.ends.orig.kind
        if kind not in (LINE, INSIDE, NOTHING):
            return None
        if not leg.calling_number and kind is not LINE:
            return None
        found = self.rules.holders.find(
            leg.calling_number,
            leg.calling_partition,
            leg.calling_user,
            leg.orig_device,
            leg.started_at,
        )
        self.note(CALLING, leg.calling_number, found)
        if found.holder is not None and found.holder.role is VOICEMAIL:
            self.reasons.append(TO_VOICEMAIL_ONLY)
            return -1
        other, outside = self.other_of_calling()
        return self.draft(
            CALLING,
            found,
            leg.calling_number,
            leg.calling_partition,
            reached=kind is LINE,
            disposition=self.disposition(),
            talk=self.talk(),
            other=other,
            outside=outside,
        )

    def called(self) -> int | None:
        leg, kind = self.leg, self.ends.dest.kind
        if kind in (OUTSIDE, TIE, BRIDGE) or self.at_dest is not None:
            return None
        if kind is NOTHING and self.direction is OUTGOING and self.at_orig is None:
            return None
        number = leg.final_number or leg.original_number
        if not number:
            return None
        pilot = self.pilot_number()
        member_known = bool(pilot) and number != pilot
        if pilot and not member_known:
            # The member stands only in the user id and the device.
            found = self.rules.holders.find("", "", leg.final_user, leg.dest_device, leg.started_at)
            if found.holder is not None:
                found = found._replace(reason=HUNT_MEMBER)
            if found.holder is None:
                found = self.rules.holders.find(number, leg.final_partition, "", "", leg.started_at)
            else:
                member_known = True
        else:
            found = self.rules.holders.find(
                number, leg.final_partition, leg.final_user, leg.dest_device, leg.started_at
            )
        if leg.last_redirect_reason:
            found = self.voicemail_owner(found)
        self.note(CALLED, number, found)
        other, outside = self.other_of_called()
        row = self.draft(
            CALLED,
            found,
            number,
            leg.final_partition,
            reached=kind is LINE,
            disposition=self.disposition(),
            talk=self.talk(),
            other=other,
            outside=outside,
            hunt=bool(pilot),
        )
        if member_known:
            self.pilot(pilot, other, outside)
        return row

    def pilot(self, number: str, other: str, outside: OutsideLeg | None) -> None:
        leg = self.leg
        found = self.rules.holders.find(number, leg.hunt_partition, "", "", leg.started_at)
        self.note(PILOT, number, found)
        self.draft(
            PILOT,
            found,
            number,
            leg.hunt_partition,
            reached=self.ends.dest.kind is LINE,
            disposition=FORWARDED,
            talk=0,
            other=other,
            outside=outside,
            hunt=True,
        )

    def redirecting(self) -> int | None:
        """The last forwarder or transferor, and the first one of a chain of forwards."""
        leg = self.leg
        if leg.last_redirect_reason in NOT_REDIRECTING:
            return None
        number = leg.redirecting_number
        if not self.is_party(number) or number == leg.final_number:
            return None
        first = leg.original_number
        if (
            leg.first_redirect_reason not in NOT_REDIRECTING
            and first not in (number, leg.final_number)
            and self.is_party(first)
        ):
            self.redirected(FIRST_REDIRECTING, first, leg.original_partition)
        return self.redirected(REDIRECTING, number, leg.redirecting_partition)

    def redirected(self, side: Side, number: str, partition: str) -> int | None:
        leg = self.leg
        found = self.rules.holders.find(number, partition, "", "", leg.started_at)
        if found.holder is None and not self.rules.numbering.is_internal(number):
            return None
        self.note(side, number, found)
        reason = (
            leg.first_redirect_reason if side is FIRST_REDIRECTING else leg.last_redirect_reason
        )
        other, outside = self.other_of_redirecting()
        return self.draft(
            side,
            found,
            number,
            partition,
            reached=False,
            disposition=(TRANSFERRED if reason in TRANSFERRING else FORWARDED),
            talk=0,
            other=other,
            outside=outside,
        )

    def controller_line(self) -> bool:
        """Tell whether a conference's controller pays: an outside member talks to the bridge, or
        goes on with the last one left."""
        leg = self.leg
        return (
            leg.joined_by == CONFERENCE
            and self.at_orig is not None
            and self.ends.orig.kind is not LINE
            and self.is_party(leg.controller)
        )

    def controller(self) -> int | None:
        leg = self.leg
        found = self.rules.holders.find(
            leg.controller, self.controller_partition, "", "", leg.started_at
        )
        self.note(REDIRECTING, leg.controller, found)
        other, outside = self.other_of_redirecting()
        return self.draft(
            REDIRECTING,
            found,
            leg.controller,
            "",
            reached=False,
            disposition=TRANSFERRED,
            talk=0,
            other=other,
            outside=outside,
        )

    # --- what the sides share -----------------------------------------------------------------

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
            line = self.acquired(found, number, partition, reached=reached)
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

    def acquired(self, found: Found, number: str, partition: str, *, reached: bool) -> Line | None:
        """Return the line that automatic acquisition documents, or None with the reason noted.

        Decided by the record alone, so that the order of arrival never matters.
        """
        if found.reason == AMBIGUOUS:
            self.reasons.append(AMBIGUOUS)
            return None
        if not self.rules.numbering.is_internal(number):
            self.reasons.append(NOT_INTERNAL)
        elif not reached:
            self.reasons.append(NO_DEVICE)
        elif not self.rules.acquisition:
            self.reasons.append(NOT_CONFIGURED)
        else:
            return self.line(number, partition)
        if reached and number:
            self.result.unknown.append((self.index, partition, number))
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
