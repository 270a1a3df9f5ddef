"""Numbers outside the company, and the trunks that lead to them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from syncd.demo.cucm_row import Row, address_integer
from syncd.demo.deck import Tariff, tariff_of

EGRESS_PARTITION = "PT-External"

# A # stands for any digit. Each is a number that the country's plan allows.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "local": ("+390648####", "+390669####", "+390685####"),
    "national": ("+390248####", "+39024801###", "+39011561####", "+39081552####", "+39055234####"),
    "mobile": (
        "+39333#######",
        "+39335#######",
        "+39338#######",
        "+39347#######",
        "+39348#######",
        "+39320#######",
        "+39392#######",
    ),
    "international": (
        "+442079460###",
        "+441612345###",
        "+44740012####",
        "+4930901820##",
        "+4989214000##",
        "+4915112345###",
        "+33142683###",
        "+33612345###",
        "+41446681###",
        "+41791234###",
        "+34912345###",
        "+12125550###",
        "+14165550###",
        "+31201234###",
        "+31612345###",
        "+81352345###",
        "+8613812345###",
        "+551132345###",
        "+971421234##",
        "+40213123###",
    ),
    "toll-free": ("+39800123###", "+39800456###"),
    "shared-cost": ("+39848123###", "+39840123###"),
    "premium": ("+39899123###",),
    "no-rate": ("+870773110###", "+5372345###"),
}


class Outside(NamedTuple):
    """A number outside: as it is known to everybody, dialled from inside, shown when it calls."""

    e164: str
    """With ``+``; an emergency number as it is; empty when the caller withholds it."""
    dialled: str
    """What an employee dials, access code included."""
    pattern: str
    """Of the route pattern that this matches; the access code stands before the point."""
    tariff: Tariff | None


EMERGENCY = Outside("112", "0112", "0.112", tariff_of("112"))
WITHHELD = Outside("", "", "", None)


def any_number(kind: str, random: Random) -> Outside:
    """Return some number of this kind of TEMPLATES."""
    templates = TEMPLATES[kind]
    template = templates[int(random.random() * len(templates))]
    blanks = template.count("#")
    digits = str(int(random.random() * 10**blanks)).zfill(blanks)
    return outside(template[: len(template) - blanks] + digits)


def outside(e164: str) -> Outside:
    """Return the number with what an employee of a site in Italy with access code 0 dials."""
    digits = e164[1:]
    if digits.startswith("39"):
        dialled, pattern = "0" + digits[2:], "0.!"
    else:
        dialled, pattern = "000" + digits, "0.00!"
    return Outside(e164, dialled, pattern, tariff_of(digits))


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way out of the call manager: a device name, what it speaks and what lies behind it."""

    device: str
    protocol: int
    """1 SIP, 4 Q.931."""
    address: str
    role: str
    """``pstn``, ``tie``, ``voicemail``, or ``unlisted`` for one that no configuration names."""
    node: int = 1

    def shown(self, number: Outside) -> str:
        """Return how a caller's number looks that comes in here: the gateway puts the access code
        before it, so that people can call back; the SIP provider sends E.164."""
        return number.dialled if self.protocol == 4 else number.e164

    def orig(self, number: str) -> Row:
        """Return the columns of this trunk as the originator of a record."""
        return {
            "origNodeId": self.node,
            "origIpAddr": address_integer(self.address),
            "callingPartyNumber": number,
            "origDeviceName": self.device,
            "origIpv4v6Addr": self.address,
            "IncomingProtocolID": self.protocol,
        }

    def dest(self, number: str, partition: str, pattern: str) -> Row:
        """Return the columns of this trunk as the destination of a record."""
        columns: Row = {
            "destNodeId": self.node,
            "destIpAddr": address_integer(self.address),
            "originalCalledPartyNumber": number,
            "finalCalledPartyNumber": number,
            "lastRedirectDn": number,
            "originalCalledPartyNumberPartition": partition,
            "finalCalledPartyNumberPartition": partition,
            "lastRedirectDnPartition": partition,
            "destDeviceName": self.device,
            "OutgoingProtocolID": self.protocol,
            "calledPartyPatternUsage": 5,
            "originalCalledPartyPattern": pattern,
            "finalCalledPartyPattern": pattern,
            "lastRedirectingPartyPattern": pattern,
        }
        if self.protocol == 4 and pattern:
            columns["outpulsedCalledPartyNumber"] = number.removeprefix(pattern.partition(".")[0])
        return columns


GATEWAYS = tuple(
    Trunk(f"S0/SU0/DS1-{port}@vg01.example.com", 4, "10.1.0.5", "pstn") for port in range(4)
)
SIP_PROVIDER = Trunk("SIP-PSTN-1", 1, "10.1.0.6", "pstn")
VOICEMAIL = Trunk("SIP-VM", 1, "10.1.0.7", "voicemail")
TIE = Trunk("SIP-TIE-1", 1, "10.1.0.8", "tie")
UNLISTED_TRUNK = Trunk("SIP-LAB-9", 1, "10.1.0.9", "unlisted")
PSTN = (*GATEWAYS, SIP_PROVIDER, SIP_PROVIDER)
