"""What stands at each end of a record: a phone, a trunk of some role, or nothing (pure).

Order of the tests: the ``[trunk:]`` sections (narrow ones first), the shape of the device's name,
the protocol of the leg. A gateway is not the PSTN: only a trunk's role says what lies behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from syncd.domain.codes import TrunkRole


class Kind(IntEnum):
    """What an end of a record is."""

    NOTHING = 0
    """No device was reached."""
    LINE = 1
    INSIDE = 2
    """A trunk to a voicemail, fax or contact-centre system: part of the company."""
    TIE = 3
    RECORDER = 4
    OUTSIDE = 5
    BRIDGE = 6
    """A conference bridge."""


class Endpoint(NamedTuple):
    """One end of a record. ``trunk`` is the section's name, or the device's when no section lists
    it (``known`` false); both are empty for anything but a trunk."""

    kind: Kind
    role: TrunkRole | None = None
    trunk: str = ""
    carrier: str = ""
    known: bool = True
    private: bool = False
    """What is called by it is called on somebody's own account."""


@dataclass(frozen=True, slots=True)
class TrunkRule:
    """A ``[trunk:NAME]`` section. One with patterns, partitions or numbers applies only to records
    that match them."""

    name: str
    role: TrunkRole
    carrier: str
    devices: tuple[str, ...]
    patterns: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    numbers: tuple[re.Pattern[str], ...] = ()
    private: bool = False

    @property
    def narrow(self) -> bool:
        return bool(self.patterns or self.partitions or self.numbers)

    def matches(self, number: str, partition: str, pattern: str) -> bool:
        return (
            (not self.patterns or pattern in self.patterns)
            and (not self.partitions or partition in self.partitions)
            and (not self.numbers or any(test.fullmatch(number) for test in self.numbers))
        )


NOTHING = Endpoint(Kind.NOTHING)
LINE = Endpoint(Kind.LINE)
BRIDGE = Endpoint(Kind.BRIDGE)

_PHONE = re.compile(r"SEP[0-9A-F]{12}|(CSF|TCT|BOT|TAB)\S+|(ATA|ATP|AN|VG)[0-9A-F]{8,}|AALN/.*")
_GATEWAY = re.compile(
    r"(S\d+/SU\d+/DS1-\d+|BRI/S\d+/SU\d+/P\d+)@.*|\d{1,3}(\.\d{1,3}){3}", re.ASCII
)
"""A T1, E1 or BRI port of an MGCP gateway; an H.323 gateway by its address."""
_BRIDGE = re.compile(r"b00\d{7,}")
_TRUNK_PROTOCOLS = (1, 2, 4)
"""SIP, H.323, Q.931; 0 is the line side and 3 is CTI."""

_KINDS = {
    TrunkRole.PSTN: Kind.OUTSIDE,
    TrunkRole.TIE: Kind.TIE,
    TrunkRole.RECORDER: Kind.RECORDER,
    TrunkRole.VOICEMAIL: Kind.INSIDE,
    TrunkRole.FAX: Kind.INSIDE,
    TrunkRole.CONTACT_CENTRE: Kind.INSIDE,
}


def is_bridge(number: str) -> bool:
    """Tell whether a number is a conference bridge's (``b00`` and digits)."""
    return number.startswith("b00") and _BRIDGE.fullmatch(number) is not None


class Endpoints:
    """Classifies the devices of one site's records."""

    def __init__(self, rules: Sequence[TrunkRule]) -> None:
        self._rules = tuple(rules)
        self._plain: dict[tuple[str, int], Endpoint] = {}
        self._narrow: dict[str, tuple[TrunkRule, ...]] = {}
        self._has_narrow = any(rule.narrow for rule in rules)

    def of(
        self, device: str, protocol: int, number: str, partition: str = "", pattern: str = ""
    ) -> Endpoint:
        """Return what stands at an end, given its device, the leg's protocol, and the number,
        partition and pattern by which it was reached (or from which it came)."""
        if number.startswith("b00") and is_bridge(number):
            return BRIDGE
        if self._has_narrow:
            rules = self._narrow.get(device)
            if rules is None:
                # Where no device was reached the number alone says where the call was to go.
                rules = self._narrow[device] = tuple(
                    rule
                    for rule in (self._listing(device) if device else self._rules)
                    if rule.narrow
                )
            for rule in rules:
                if rule.matches(number, partition, pattern):
                    return _endpoint(rule) if device else _attempt(rule)
        found = self._plain.get((device, protocol))
        if found is None:
            found = self._plain[device, protocol] = self._classify(device, protocol)
        return found

    def _listing(self, device: str) -> list[TrunkRule]:
        return [
            rule
            for rule in self._rules
            if any(fnmatchcase(device, pattern) for pattern in rule.devices)
        ]

    def _classify(self, device: str, protocol: int) -> Endpoint:
        if not device:
            return NOTHING
        for rule in self._listing(device):
            if not rule.narrow:
                return _endpoint(rule)
        if _PHONE.fullmatch(device):
            return LINE
        if _GATEWAY.fullmatch(device) or protocol in _TRUNK_PROTOCOLS:
            return Endpoint(Kind.OUTSIDE, TrunkRole.PSTN, device, "", known=False)
        return LINE


def _endpoint(rule: TrunkRule) -> Endpoint:
    return Endpoint(_KINDS[rule.role], rule.role, rule.name, rule.carrier, private=rule.private)


def _attempt(rule: TrunkRule) -> Endpoint:
    """Return what a call was meant for that reached no device: it seized no trunk."""
    kind = _KINDS[rule.role]
    end = Kind.NOTHING if kind is Kind.OUTSIDE else kind
    return Endpoint(end, rule.role, private=rule.private)
