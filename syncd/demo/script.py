"""The stage on which scenarios play: counters of the call manager, parties, records, truth.

A scenario writes its records with ``record`` and tells the truth with ``connected``, ``rang``,
``redirected`` and so on; the two share times and parties, and neither is made of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from syncd.demo.cucm_row import CLUSTER, Row, Value, leg_identifier
from syncd.demo.outside import (
    EGRESS_PARTITION,
    PSTN,
    SIP_PROVIDER,
    TIE,
    UNLISTED_TRUNK,
    VOICEMAIL,
    Outside,
    Trunk,
)
from syncd.demo.stations import Desk, Plant, Station
from syncd.demo.truth import CALLED, CALLING, Account, OutsideLeg, Truth

DEVICE = 12
"""On behalf of: the device itself, somebody hung up."""

HANGUP_CALLER = (16, 0, DEVICE, 0)
HANGUP_CALLED = (0, 16, 0, DEVICE)
NO_ANSWER = (0, 19, 0, DEVICE)
BUSY = (0, 17, 0, DEVICE)
"""Cause of the originator and the destination, on whose behalf each side ended."""


class CallId(NamedTuple):
    """The call manager's id of a call: node, and the node's counter."""

    node: int
    number: int


@dataclass(slots=True)
class Party:
    """A leg of a call: a station or a trunk, as it looks on either side of a record."""

    leg: int
    orig: Row
    dest: Row
    node: int
    number: str | None
    """As the others know it; None when withheld."""
    station: Station | None = None
    outside: OutsideLeg | None = None


def pools(plant: Plant) -> dict[str, tuple[Desk, ...]]:
    """Return the desks that have something which not every desk has, by the name of it."""
    tests: dict[str, Callable[[Desk], object]] = {
        "alias": lambda desk: desk.aliases,
        "billed": lambda desk: desk.phone.billed,
        "billing off": lambda desk: desk.phone.username and not desk.phone.billed,
        "fax": lambda desk: desk.fax and desk.fax.billed,
        "fax not billed": lambda desk: desk.fax and not desk.fax.billed,
        "off-net fax": lambda desk: desk.offnet_fax,
        "own mailbox": lambda desk: desk.own_mailbox,
    }
    found = {name: tuple(filter(test, plant.desks)) for name, test in tests.items()}
    return {**found, "hunt member": plant.members}


class World:
    """What outlives a conversation: the plant, the random numbers and the counters of the nodes."""

    def __init__(self, plant: Plant, seed: int) -> None:
        self.plant = plant
        self.pools = pools(plant)
        self.random = Random(f"calls {seed}")
        self.legs = {1: 0x00A000, 2: 0x00A000}
        self.calls = {1: 25_000, 2: 305_000}
        self.bridges = 0

    def leg(self, node: int) -> int:
        """Return the node's next leg id; most count up by one, some by more."""
        counter = self.legs[node] + 1 + (self.random.random() < 0.1)
        self.legs[node] = counter
        return leg_identifier(node, counter)

    def call(self, node: int) -> CallId:
        """Return the node's next call id."""
        self.calls[node] = self.calls[node] % 0xFFFFFF + 1
        return CallId(node, self.calls[node])

    def key(self) -> str:
        """Return a record's key: a random UUID."""
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def session(self, device: Value) -> str:
        """Return the session id of a phone's leg, empty for a trunk's."""
        name = str(device)
        if name[:3] not in ("SEP", "ATA"):
            return ""
        return f"{self.random.getrandbits(32):08x}00105000a000{name[3:].lower()}"


class Script:
    """One conversation being played, from its first second on."""

    def __init__(self, world: World, at: int) -> None:
        self.world = world
        self.plant = world.plant
        self.random = world.random
        self.at = at
        self.rows: list[Row] = []
        self.account = Account()

    # Choices

    def below(self, count: int) -> int:
        return int(self.random.random() * count)

    def ring(self) -> int:
        """Return for how many seconds a phone rings before somebody answers."""
        return 2 + self.below(15)

    def talk(self) -> int:
        """Return how many seconds people talk: three minutes on average, sometimes none."""
        if self.random.random() < 0.01:
            return 0
        return 1 + int(self.random.expovariate(1 / 180))

    def desk(self, *others: Desk) -> Desk:
        """Return anybody's desk but these."""
        desks = self.plant.desks
        while True:
            desk = desks[self.below(len(desks))]
            if desk not in others:
                return desk

    def some(self, pool: str) -> Desk:
        """Return a desk of one of the pools."""
        desks = self.world.pools[pool]
        return desks[self.below(len(desks))]

    # Parties

    def phone(self, station: Station) -> Party:
        return Party(
            self.world.leg(station.node),
            station.orig,
            station.dest,
            station.node,
            station.number,
            station,
        )

    def mailbox(self, desk: Desk) -> Party:
        """Return the voicemail system, reached on the number of this desk's mailbox."""
        box = desk.mailbox
        return Party(
            self.world.leg(VOICEMAIL.node),
            VOICEMAIL.orig(box.number),
            VOICEMAIL.dest(box.number, box.partition, box.number),
            VOICEMAIL.node,
            box.number,
            box,
        )

    def dialled(self, number: Outside, trunk: Trunk | None = None) -> Party:
        """Return the far end of an outgoing call."""
        trunk = trunk or PSTN[self.below(len(PSTN))]
        leg = OutsideLeg("outgoing", number, rated=trunk is not UNLISTED_TRUNK)
        dest = trunk.dest(number.dialled, EGRESS_PARTITION, number.pattern)
        return self._trunk_party(trunk, trunk.orig(number.dialled), dest, leg)

    def caller(self, number: Outside, trunk: Trunk | None = None) -> Party:
        """Return an outside caller; one who withholds the number comes in by the provider."""
        trunk = trunk or (PSTN[self.below(len(PSTN))] if number.e164 else SIP_PROVIDER)
        shown = trunk.shown(number)
        leg = OutsideLeg("incoming", number)
        return self._trunk_party(trunk, trunk.orig(shown), trunk.dest(shown, "", ""), leg)

    def tie(self, number: str) -> Party:
        """Return a number of the other PBX, on either side of a call over the tie trunk."""
        leg = OutsideLeg("on-net", Outside(number, number, "7XXX", None))
        dest = TIE.dest(number, "PT-Tie", "7XXX")
        return self._trunk_party(TIE, TIE.orig(number), dest, leg)

    def _trunk_party(self, trunk: Trunk, orig: Row, dest: Row, leg: OutsideLeg) -> Party:
        self.account.legs.append(leg)
        return Party(
            self.world.leg(trunk.node),
            orig,
            dest,
            trunk.node,
            leg.number.e164 or None,
            outside=leg,
        )

    # Records

    def call_id(self, party: Party) -> CallId:
        return self.world.call(party.node)

    def record(
        self,
        call: CallId,
        near: Party,
        far: Party | None,
        began: int,
        answered: int,
        ended: int,
        end: tuple[int, int, int, int] = HANGUP_CALLER,
        *changes: Row,
        excluded: bool = False,
    ) -> str:
        """Write one record and return its key.

        ``answered`` is 0 when nobody did. ``changes`` override what follows from the parties, the
        later ones the earlier.
        """
        world = self.world
        key = world.key()
        row: Row = {
            "globalCallID_callManagerId": call.node,
            "globalCallID_callId": call.number,
            "origLegCallIdentifier": near.leg,
            "dateTimeOrigination": began,
            "dateTimeConnect": answered,
            "dateTimeDisconnect": ended,
            "pkid": key,
            "duration": ended - answered if answered else 0,
            "origCause_value": end[0],
            "destCause_value": end[1],
            "origCallTerminationOnBehalfOf": end[2],
            "destCallTerminationOnBehalfOf": end[3],
            "globalCallId_ClusterID": CLUSTER,
            **near.orig,
        }
        if far is not None:
            row["destLegIdentifier"] = far.leg
            row.update(far.dest)
        for change in changes:
            row.update(change)
        if answered:
            self._media(row)
        self._protocol(row, call, near, far)
        self.rows.append(row)
        account = self.account
        (account.excluded_records if excluded else account.records).append(key)
        return key

    def _media(self, row: Row) -> None:
        ports = self.random.getrandbits(26)
        row["origMediaTransportAddress_IP"] = row["origIpAddr"]
        row["origMediaTransportAddress_Port"] = 16384 + (ports & 0x1FFE)
        row["origMediaCap_payloadCapability"] = row["destMediaCap_payloadCapability"] = 4
        row["origMediaCap_maxFramesPerPacket"] = row["destMediaCap_maxFramesPerPacket"] = 20
        row["origMediaCap_Bandwidth"] = row["destMediaCap_Bandwidth"] = 64
        row["origDTMFMethod"] = row["destDTMFMethod"] = 3
        address = row.get("destIpAddr", 0)
        if address:
            row["destMediaTransportAddress_IP"] = address
            row["destMediaTransportAddress_Port"] = 16384 + (ports >> 13 & 0x1FFE)
            row["destIpv4v6Addr"] = _dotted(int(address))

    def _protocol(self, row: Row, call: CallId, near: Party, far: Party | None) -> None:
        device = row.get("origDeviceName", "")
        if "IncomingProtocolID" in row:
            row["IncomingProtocolCallRef"] = _reference(row, "IncomingProtocolID", call, near)
            row["origSpan"] = near.leg
        else:
            row["origDeviceSessionID"] = self.world.session(device)
        if far is None:
            return
        if "OutgoingProtocolID" in row:
            row["OutgoingProtocolCallRef"] = _reference(row, "OutgoingProtocolID", call, far)
            row["destSpan"] = far.leg
        else:
            row["destDeviceSessionID"] = self.world.session(row.get("destDeviceName", ""))

    # Truth

    def connected(
        self,
        record: str,
        near: Party,
        far: Party,
        began: int,
        answered: int,
        ended: int,
        payer: Station | None = None,
    ) -> None:
        """Tell that two parties talked. ``payer`` pays for outgoing legs, else the near station."""
        for party, other, side in ((near, far, CALLING), (far, near, CALLED)):
            if party.station:
                self.account.took_part(party.station, began, side, connected=True)
                self.account.talked(party.station, other.number, answered, ended)
            elif party.outside:
                who = payer or near.station
                party.outside.segments.append((who, ended - answered, record))

    def rang(self, near: Party, far: Party | None, began: int) -> None:
        """Tell that a call was made and nobody connected."""
        if near.station:
            self.account.took_part(near.station, began, CALLING, connected=False)
        if far and far.station:
            self.account.took_part(far.station, began, CALLED, connected=False)

    def redirected(self, station: Station, began: int, side: int) -> None:
        """Tell that a line forwarded, transferred or passed a call on."""
        self.account.took_part(station, began, side, connected=False)

    def told(self, scenario: str) -> tuple[list[Row], Truth]:
        """Return the records and the truth of the finished conversation."""
        ended = max(int(row["dateTimeDisconnect"]) for row in self.rows)
        return self.rows, self.account.truth(scenario, self.at, ended)


def _reference(row: Row, protocol: str, call: CallId, party: Party) -> str:
    """Return how the other system names the call; at most 32 characters."""
    if row[protocol] == 4:
        called = row.get("finalCalledPartyNumber", "")
        return f"{call.number & 0x7FFF:04X}-{row['callingPartyNumber']}-{called}"[:32]
    return f"{call.number:016X}{party.leg:08X}00000000"


def _dotted(address: int) -> str:
    return ".".join(str(part) for part in (address & 0xFFFFFFFF).to_bytes(4, "little"))


class Scenario(NamedTuple):
    """A kind of conversation: its name, its play, how often it happens, the pool it needs."""

    name: str
    play: Callable[[Script], None]
    weight: float
    needs: str = ""
