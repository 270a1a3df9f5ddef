"""A conversation's records become its sides: whose line, in which part, with which outcome (pure).

docs/rules.md 5.5: a call is one line's side of one record. Only the side that holds the connected
device is answered; a forwarder's or transferor's own row is ``redirecting``; a hunt pilot's is
``pilot``. An outgoing leg is charged to the calling side, a forwarded or transferred part to the
redirecting side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from syncd.calls.analysis import (
    HUNT_MEMBER,
    INTERNAL_RULE,
    NO_LINE,
    PROVISIONAL,
    RECORDER_RULE,
    SETTLED,
    TO_VOICEMAIL_ONLY,
    Analysis,
    Rules,
    Verdict,
)
from syncd.calls.attribution import BY_NAME
from syncd.calls.charging import NOBODY, Bill, settle
from syncd.calls.conversation import (
    CONFERENCE,
    OutsideLeg,
    Rec,
    consult_records,
    ends_of,
    outside_legs,
    partition_of,
)
from syncd.calls.counting import count
from syncd.calls.disposition import NOT_REDIRECTING, TRANSFERRING
from syncd.calls.drafting import RecordInHand
from syncd.calls.trunks import Kind
from syncd.domain.charging import CONFERENCE as OF_CONFERENCE
from syncd.domain.charging import FORWARDED as OF_FORWARD
from syncd.domain.charging import MOBILE, NO_POLICY, PLAIN
from syncd.domain.charging import TRANSFERRED as OF_TRANSFER
from syncd.domain.codes import (
    Direction,
    Disposition,
    NumberClass,
    RecordOutcome,
    Role,
    Side,
)
from syncd.domain.leg import MOBILITY_FOLLOW_ME

QUEUED = 786
"""Redirect reason of a record in which a caller waits for a member of a hunt group."""

# Members of an enumeration are slow to look up, and this is done for every record.
LINE, INSIDE, NOTHING, OUTSIDE = Kind.LINE, Kind.INSIDE, Kind.NOTHING, Kind.OUTSIDE
TIE, BRIDGE, RECORDER = Kind.TIE, Kind.BRIDGE, Kind.RECORDER
INTERNAL, OUTGOING = Direction.INTERNAL, Direction.OUTGOING
CALLING, CALLED, PILOT = Side.CALLING, Side.CALLED, Side.PILOT
FIRST_REDIRECTING, REDIRECTING = Side.FIRST_REDIRECTING, Side.REDIRECTING
VOICEMAIL = Role.VOICEMAIL
FORWARDED, TRANSFERRED = Disposition.FORWARDED, Disposition.TRANSFERRED


def analyse(records: Sequence[Rec], rules: Rules, *, explain: bool = False) -> Analysis:
    """Return the sides of a conversation, given its records in order (``conversation.in_order``)."""
    ends = ends_of(records, rules.endpoints.of)
    result = Analysis(explain=explain)
    legs = outside_legs(records, ends, rules.numbering.outgoing, rules.numbering.incoming)
    result.legs = legs.values()
    consults = consult_records(records) if len(records) > 1 else frozenset()
    bills = []
    for index, rec in enumerate(records):
        sides = _RecordSides(index, rec, ends[index], legs, index in consults, rules, result)
        if rec.leg.controller:
            sides.controller_partition = partition_of(rec.leg.controller, records)
        bill = sides.run()
        if bill is not None:
            bills.append(bill)
    if bills:
        plain = rules.charging is NO_POLICY or rules.charging == NO_POLICY
        if plain and not any(leg.private for leg in result.legs):
            for bill in bills:
                if bill.payer is not None and bill.payer >= 0:
                    result.payers[bill.at] = bill.payer
        else:
            settle(bills, result, records, rules.charging)
    count(result, records)
    return result


class _RecordSides(RecordInHand):
    """The sides of one record."""

    __slots__ = ()

    def run(self) -> Bill | None:
        """Append this record's drafts and verdict to the result; return who may pay for it, None
        where there is nothing to pay."""
        result = self.result
        ends = self.ends
        for end in ends:
            if not end.known:
                result.unknown_trunks.append((self.index, end.trunk))
        if ends.orig.kind is RECORDER or ends.dest.kind is RECORDER:
            result.verdicts.append(Verdict(RecordOutcome.EXCLUDED, RECORDER_RULE, 0))
            return None
        if not self.rules.import_internal and self.direction is INTERNAL:
            result.verdicts.append(Verdict(RecordOutcome.EXCLUDED, INTERNAL_RULE, 0))
            return None
        calling = self.calling()
        called = self.called()
        redirector, first = self.redirecting()
        mobile = self.leg.last_redirect_reason == MOBILITY_FOLLOW_ME
        controlled = redirector is None and not mobile and self.controlled()
        controller = self.controller() if controlled else None
        if len(result.drafts) > self.start:
            verdict = PROVISIONAL if self.provisional else SETTLED
        else:
            reason = self.reasons[0] if self.reasons else NO_LINE
            verdict = Verdict(RecordOutcome.NOT_BILLED, reason, self.provisional)
        result.verdicts.append(verdict)
        if ends.dest.kind is NOTHING and self.at_dest is None:
            self.attempted(calling if redirector is None else redirector)
        if not (self.at_orig or self.at_dest):
            return None
        leg = self.leg
        kind, payer = PLAIN, calling
        if redirector is not None:
            kind = OF_TRANSFER if leg.last_redirect_reason in TRANSFERRING else OF_FORWARD
            payer = redirector
        elif mobile:
            kind, payer = MOBILE, called
        elif controlled:
            kind, payer = OF_CONFERENCE, controller
        elif calling is None and ends.orig.kind is not LINE:
            payer = called
        coded = bool(leg.authorization_code or leg.matter_code)
        return Bill(self.index, kind, payer, coded, calling, called, first)

    def attempted(self, caller: int | None) -> None:
        """Note that an attempt to call out, which reached nothing, was private."""
        leg, result = self.leg, self.result
        if not (
            self.attempt().private
            or self.ends.dest.private
            or leg.authorization_code in self.rules.charging.private_codes
        ):
            return
        result.private[self.index] = NOBODY if caller is None else caller
        for row in range(self.start, len(result.drafts)):
            if result.drafts[row].outside is None:
                self.restate(row, other_outside=1)

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
        row = self.draft(
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
        if leg.last_redirect_reason == MOBILITY_FOLLOW_ME:
            # Who called a colleague is not told the number of the colleague's mobile phone.
            number = leg.redirecting_number
            if row >= 0 and number and number != leg.final_number:
                self.restate(
                    row,
                    other=number,
                    other_outside=0,
                    outside=None,
                    number_class=NumberClass.INTERNAL,
                )
        return row

    def called(self) -> int | None:
        leg, kind = self.leg, self.ends.dest.kind
        if kind in (OUTSIDE, TIE, BRIDGE) or self.at_dest is not None:
            if leg.last_redirect_reason == MOBILITY_FOLLOW_ME:
                return self.called_on_mobile()
            return None
        if kind is NOTHING and self.direction is OUTGOING and self.at_orig is None:
            return None
        number = leg.final_number or leg.original_number
        if not number:
            return None
        if leg.last_redirect_reason == QUEUED:
            # Music plays: whose hunt group it is has not been reached yet.
            self.pilot(number, leg.final_partition, *self.other_of_called())
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
            self.pilot(pilot, leg.hunt_partition, other, outside)
        return row

    def called_on_mobile(self) -> int | None:
        """The line that was called and taken on the mobile phone of its holder, who pays for the way
        there. A record that does not name the line names the mobile number, which the directory
        has."""
        leg = self.leg
        number = leg.redirecting_number
        holders = self.rules.holders
        if number and number != leg.final_number:
            found = holders.find(number, leg.redirecting_partition, "", "", leg.started_at)
        else:
            number = leg.final_number
            found = holders.find_mobile(number, leg.started_at)
        self.note(CALLED, number, found)
        other, outside = self.other_of_called()
        row = self.draft(
            CALLED,
            found,
            number if found.reason not in BY_NAME else "",
            leg.redirecting_partition,
            reached=False,
            disposition=self.disposition(),
            talk=self.talk(),
            other=other,
            outside=outside,
        )
        way = self.at_dest
        if row >= 0 and way is not None:
            # The row tells who called, and is counted with what it costs.
            self.restate(
                row,
                other_outside=int(outside is not None),
                number_class=way.number.number_class,
                trunk=way.trunk.trunk,
            )
        return row

    def restate(self, row: int, **fields: Any) -> None:
        """Let a draft say something else than follows from the record's legs."""
        self.result.drafts[row] = self.result.drafts[row]._replace(**fields)

    def pilot(self, number: str, partition: str, other: str, outside: OutsideLeg | None) -> None:
        leg = self.leg
        found = self.rules.holders.find(number, partition, "", "", leg.started_at)
        self.note(PILOT, number, found)
        self.draft(
            PILOT,
            found,
            number,
            partition,
            reached=self.ends.dest.kind is LINE,
            disposition=FORWARDED,
            talk=0,
            other=other,
            outside=outside,
            hunt=True,
        )

    def redirecting(self) -> tuple[int | None, int | None]:
        """The last forwarder or transferor, and the first one of a chain of forwards."""
        leg = self.leg
        if leg.last_redirect_reason in NOT_REDIRECTING:
            return None, None
        number = leg.redirecting_number
        partition = leg.redirecting_partition
        if not self.is_party(number) or self.same(
            number, partition, leg.final_number, leg.final_partition
        ):
            return None, None
        first = leg.original_number
        first_partition = leg.original_partition
        if (
            leg.first_redirect_reason not in NOT_REDIRECTING
            and not self.same(first, first_partition, number, partition)
            and not self.same(first, first_partition, leg.final_number, leg.final_partition)
            and self.is_party(first)
        ):
            earlier = self.redirected(FIRST_REDIRECTING, first, leg.original_partition)
            return self.redirected(REDIRECTING, number, partition), earlier
        return self.redirected(REDIRECTING, number, partition), None

    def same(self, number: str, partition: str, other: str, of_other: str) -> bool:
        """Tell whether two numbers of the record are one line."""
        if number != other:
            return False
        return not (self.rules.partitions and partition and of_other and partition != of_other)

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

    def controlled(self) -> bool:
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
