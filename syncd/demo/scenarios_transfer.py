"""Transfers: original, consult and final record; twice in a row, a chain of five."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from syncd.demo.cucm_row import SPLIT, Row
from syncd.demo.scenarios_basic import number_of
from syncd.demo.scenarios_redirect import hunted
from syncd.demo.script import HANGUP_CALLED, HANGUP_CALLER, Party, Scenario, Script
from syncd.demo.stations import Desk, Station
from syncd.demo.truth import PILOT, REDIRECTING

TRANSFER = 10
"""On behalf of the transfer feature; the same as redirect reason is 4."""
HANDED_OVER = (SPLIT, SPLIT, TRANSFER, TRANSFER)


def transferred(station: Station) -> Row:
    """Return the columns of the record that follows a transfer by this line."""
    return {
        "lastRedirectDn": station.number,
        "lastRedirectDnPartition": station.partition,
        "lastRedirectingPartyPattern": station.number,
        "origCalledPartyRedirectReason": 4,
        "lastRedirectRedirectReason": 4,
        "origCalledPartyRedirectOnBehalfOf": TRANSFER,
        "lastRedirectRedirectOnBehalfOf": TRANSFER,
        "joinOnBehalfOf": TRANSFER,
    }


@dataclass(slots=True)
class Talking:
    """A connected pair, as far as the records are written: what comes next begins at ``until``.

    ``transfers`` are the columns of the last transfer, empty in the first record.
    """

    near: Party
    far: Party
    began: int
    answered: int
    until: int
    by: Station | None
    changes: tuple[Row, ...]


def begin(s: Script, near: Party, far: Party, *changes: Row) -> Talking:
    """Let a call be answered."""
    answered = s.at + s.ring()
    return Talking(near, far, s.at, answered, answered + 1 + s.talk(), None, changes)


class Chain:
    """A call that is handed on, once or more; all its own records have one call id."""

    def __init__(self, s: Script, near: Party, far: Party, *changes: Row) -> None:
        self.s = s
        self.call = s.call_id(near)
        self.now = begin(s, near, far, *changes)

    def write(self, ended: int, end: tuple[int, int, int, int]) -> None:
        """Write the record of the pair that talks now."""
        now = self.now
        record = self.s.record(
            self.call, now.near, now.far, now.began, now.answered, ended, end, *now.changes
        )
        self.s.connected(record, now.near, now.far, now.began, now.answered, ended, payer=now.by)
        if now.by:
            self.s.redirected(now.by, now.began, REDIRECTING)

    def transfer(self, by: Party, target: Party, *, blind: bool, sticky: Row | None = None) -> None:
        """Let one of the two hand the other over to ``target``; ``sticky`` columns stay on."""
        s = self.s
        station = by.station
        if station is None:
            raise ValueError("only a phone transfers")
        held = self.now.far if by is self.now.near else self.now.near
        second = s.phone(station)
        asked = self.now.until
        call = s.call_id(second)
        if blind:
            joined = asked
            s.record(call, second, target, asked, 0, joined, HANDED_OVER)
            s.rang(second, target, asked)
            # A carrier's clock does not stop while the next phone rings.
            ringing = 0 if held.outside and held.outside.direction == "outgoing" else s.ring()
        else:
            answered = asked + s.ring()
            joined = answered + 1 + s.below(40)
            record = s.record(call, second, target, asked, answered, joined, HANDED_OVER)
            s.connected(record, second, target, asked, answered, joined)
            ringing = 0
        self.write(joined, HANDED_OVER)
        answered = joined + ringing
        self.now = Talking(
            held,
            target,
            joined,
            answered,
            answered + 1 + s.talk(),
            station,
            (transferred(station), sticky or {}),
        )

    def end(self) -> None:
        """Let one of the last two hang up."""
        end = HANGUP_CALLER if self.s.random.random() < 0.5 else HANGUP_CALLED
        self.write(self.now.until, end)


def transfer(s: Script, *, first: str, target: str, blind: bool) -> None:
    """Play one transfer.

    ``first`` is the call before: ``internal`` and ``outgoing`` are transferred by the caller,
    ``called`` (internal) and ``incoming`` by the called party. ``target`` is a colleague
    (``inside``) or a number ``outside``.
    """
    desk = s.desk()
    other = s.desk(desk)
    holder = s.phone(desk.phone)
    if first == "internal":
        chain = Chain(s, holder, s.phone(other.phone))
    elif first == "outgoing":
        chain = Chain(s, holder, s.dialled(number_of(s, "any")))
    elif first == "called":
        chain = Chain(s, s.phone(other.phone), holder)
    else:
        chain = Chain(s, s.caller(number_of(s, "any")), holder)
    if target == "inside":
        far = s.phone(s.desk(desk, other).phone)
    else:
        far = s.dialled(number_of(s, "any"))
    chain.transfer(holder, far, blind=blind)
    chain.end()


def chain_of_two(s: Script, *, incoming: bool) -> None:
    """Two transfers, each by who was called: five records."""
    desks: list[Desk] = []
    for _ in range(4):
        desks.append(s.desk(*desks))
    near = s.caller(number_of(s, "any")) if incoming else s.phone(desks[0].phone)
    first, second = s.phone(desks[1].phone), s.phone(desks[2].phone)
    chain = Chain(s, near, first)
    chain.transfer(first, second, blind=False)
    chain.transfer(second, s.phone(desks[3].phone), blind=s.random.random() < 0.5)
    chain.end()


def hunt_transfer(s: Script) -> None:
    """A member of the hunt group hands the caller on: the pilot stays on the final record."""
    s.account.hunt = True
    desk = s.some("hunt member")
    member = s.phone(desk.phone)
    pilot = s.plant.pilot
    columns = hunted(pilot)
    chain = Chain(s, s.caller(number_of(s, "any")), member, columns)
    sticky = {name: columns[name] for name in ("huntPilotDN", "huntPilotPartition")}
    s.redirected(pilot, s.at, PILOT)
    chain.transfer(member, s.phone(s.desk(desk).phone), blind=True, sticky=sticky)
    chain.end()


def _scenario(first: str, target: str, how: str, weight: float) -> Scenario:
    play = partial(transfer, first=first, target=target, blind=how == "blind")
    return Scenario(f"transfer-{how}-{first}-{target}", play, weight)


SCENARIOS = (
    _scenario("internal", "inside", "blind", 1),
    _scenario("outgoing", "inside", "blind", 0.7),
    _scenario("incoming", "inside", "blind", 2),
    _scenario("called", "inside", "blind", 0.5),
    _scenario("incoming", "outside", "blind", 0.4),
    _scenario("internal", "inside", "consult", 1),
    _scenario("outgoing", "inside", "consult", 0.7),
    _scenario("outgoing", "outside", "consult", 0.3),
    _scenario("incoming", "inside", "consult", 2),
    _scenario("incoming", "outside", "consult", 0.5),
    _scenario("called", "inside", "consult", 0.5),
    _scenario("called", "outside", "consult", 0.4),
    Scenario("transfer-chain", partial(chain_of_two, incoming=True), 0.5),
    Scenario("transfer-chain-internal", partial(chain_of_two, incoming=False), 0.3),
    Scenario("hunt-transfer", hunt_transfer, 0.5, "hunt member"),
)
