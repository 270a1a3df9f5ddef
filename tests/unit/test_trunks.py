"""What stands at an end of a record: a phone, a trunk of some role, nothing."""

from __future__ import annotations

import re

import pytest

from syncd.calls.trunks import Endpoint, Endpoints, Kind, TrunkRule, is_bridge
from syncd.domain.codes import TrunkRole

GATEWAY = "S0/SU0/DS1-3@vg01.example.com"
PSTN = TrunkRule("pstn", TrunkRole.PSTN, "telco", ("S0/SU*", "SIP-PSTN*"))
RULES = (
    PSTN,
    TrunkRule("vm", TrunkRole.VOICEMAIL, "", ("SIP-VM",)),
    TrunkRule("fax", TrunkRole.FAX, "", ("SIP-FAX",)),
    TrunkRule("agents", TrunkRole.CONTACT_CENTRE, "", ("UCCX*",)),
    TrunkRule("london", TrunkRole.TIE, "", ("ICT-LON",)),
    TrunkRule("tape", TrunkRole.RECORDER, "", ("REC*",)),
)
OLD_PBX = {
    "pattern": TrunkRule("old-pbx", TrunkRole.TIE, "", ("S0/SU*",), patterns=("4[0-7]XXX",)),
    "partition": TrunkRule("old-pbx", TrunkRole.TIE, "", ("S0/SU*",), partitions=("PT-OldPBX",)),
    "number": TrunkRule(
        "old-pbx", TrunkRole.TIE, "", ("S0/SU*",), numbers=(re.compile("4[0-9]{4}"),)
    ),
}


@pytest.mark.parametrize(
    ("device", "protocol", "kind", "trunk"),
    [
        ("", 0, Kind.NOTHING, ""),
        ("", 4, Kind.NOTHING, ""),
        ("SEP001122334455", 0, Kind.LINE, ""),
        ("SEP001122334455", 1, Kind.LINE, ""),
        ("CSFANNA", 0, Kind.LINE, ""),
        ("TCTANNA", 1, Kind.LINE, ""),
        ("BOTANNA", 1, Kind.LINE, ""),
        ("TABANNA", 1, Kind.LINE, ""),
        ("ATA001122334455", 0, Kind.LINE, ""),
        ("AN0011223344550", 0, Kind.LINE, ""),
        ("AALN/S1/SU0/0@vg01", 4, Kind.LINE, ""),
        (GATEWAY, 4, Kind.OUTSIDE, "pstn"),
        (GATEWAY, 0, Kind.OUTSIDE, "pstn"),
        ("SIP-PSTN-2", 1, Kind.OUTSIDE, "pstn"),
        ("SIP-VM", 1, Kind.INSIDE, "vm"),
        ("SIP-FAX", 1, Kind.INSIDE, "fax"),
        ("UCCX_1", 3, Kind.INSIDE, "agents"),
        ("ICT-LON", 2, Kind.TIE, "london"),
        ("REC1", 1, Kind.RECORDER, "tape"),
        ("CTI_RP_1", 3, Kind.LINE, ""),
        ("Reception", 0, Kind.LINE, ""),
    ],
)
def test_known_devices(device: str, protocol: int, kind: Kind, trunk: str) -> None:
    found = Endpoints(RULES).of(device, protocol, "2001")
    assert (found.kind, found.trunk, found.known) == (kind, trunk, True)


@pytest.mark.parametrize(
    ("device", "protocol"),
    [
        (GATEWAY, 0),
        ("BRI/S0/SU1/P1@vg02", 4),
        ("172.16.11.1", 2),
        ("SIP-NEW", 1),
        ("ISDN-NEW", 4),
    ],
)
def test_a_trunk_that_no_section_lists(device: str, protocol: int) -> None:
    found = Endpoints(RULES[1:]).of(device, protocol, "0123456789")
    assert found == Endpoint(Kind.OUTSIDE, TrunkRole.PSTN, device, "", known=False)


def test_a_section_is_stronger_than_the_name_of_a_phone() -> None:
    rule = TrunkRule("analogue", TrunkRole.FAX, "", ("VG0011223344",))
    assert Endpoints(()).of("VG0011223344", 0, "2001").kind is Kind.LINE
    assert Endpoints((rule,)).of("VG0011223344", 0, "2001").kind is Kind.INSIDE


def test_device_names_are_compared_as_written() -> None:
    assert not Endpoints(RULES).of("sip-pstn-1", 1, "0123").known


def test_the_first_section_that_lists_a_device_counts() -> None:
    other = TrunkRule("other", TrunkRole.TIE, "", ("SIP-*",))
    assert Endpoints((PSTN, other)).of("SIP-PSTN-1", 1, "0123").trunk == "pstn"
    assert Endpoints((other, PSTN)).of("SIP-PSTN-1", 1, "0123").trunk == "other"


@pytest.mark.parametrize("narrow", OLD_PBX.values(), ids=OLD_PBX)
@pytest.mark.parametrize("narrow_first", [True, False])
def test_a_gateway_is_not_the_pstn(narrow: TrunkRule, narrow_first: bool) -> None:
    """An old PBX behind the same gateway: told by pattern, partition or number, whatever the order
    of the sections."""
    endpoints = Endpoints((narrow, PSTN) if narrow_first else (PSTN, narrow))
    tied = endpoints.of(GATEWAY, 4, "41234", "PT-OldPBX", "4[0-7]XXX")
    outside = endpoints.of(GATEWAY, 4, "0612345678", "PT-External", "0.!")
    assert (tied.kind, tied.trunk) == (Kind.TIE, "old-pbx")
    assert (outside.kind, outside.trunk, outside.carrier) == (Kind.OUTSIDE, "pstn", "telco")
    # The other way round the memory of the first answer must not decide.
    assert endpoints.of(GATEWAY, 4, "41234", "PT-OldPBX", "4[0-7]XXX") == tied


def test_a_narrow_section_needs_everything_that_it_names() -> None:
    narrow = TrunkRule(
        "old", TrunkRole.TIE, "", ("S0/SU*",), ("4XXXX",), ("PT",), (re.compile("41[0-9]+"),)
    )
    endpoints = Endpoints((narrow, PSTN))
    for number, partition, pattern, kind in (
        ("41234", "PT", "4XXXX", Kind.TIE),
        ("42234", "PT", "4XXXX", Kind.OUTSIDE),
        ("41234", "PX", "4XXXX", Kind.OUTSIDE),
        ("41234", "PT", "5XXXX", Kind.OUTSIDE),
    ):
        assert endpoints.of(GATEWAY, 4, number, partition, pattern).kind is kind
    assert not Endpoints((narrow,)).of(GATEWAY, 4, "42234").known


def test_a_narrow_section_is_for_its_devices_only() -> None:
    endpoints = Endpoints((OLD_PBX["number"], PSTN))
    assert endpoints.of("SIP-PSTN-1", 1, "41234").kind is Kind.OUTSIDE
    assert endpoints.of("SEP001122334455", 0, "41234").kind is Kind.LINE


@pytest.mark.parametrize(
    ("number", "bridge"),
    [
        ("b0029901001", True),
        ("b001234567", True),
        ("b00123456", False),
        ("b002990100x", False),
        ("B0029901001", False),
        ("0029901001", False),
        ("b0029901001;", False),
        ("", False),
    ],
)
def test_bridges(number: str, bridge: bool) -> None:
    assert is_bridge(number) is bridge
    kind = Endpoints(RULES).of("CFB_1", 0, number).kind
    assert (kind is Kind.BRIDGE) is bridge


def test_a_bridge_is_one_behind_any_device() -> None:
    assert Endpoints((OLD_PBX["number"], PSTN)).of(GATEWAY, 4, "b0029901001").kind is Kind.BRIDGE
