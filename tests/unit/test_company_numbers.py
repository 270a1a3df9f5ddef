"""What a company's own plan makes of numbers: private network, short codes, own numbers, private
calls, codes of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.application.preparation import numbering_plan
from syncd.billing.numbering import Numbering, NumberingPlan
from syncd.calls.attribution import HELD_BY_OWN_NUMBER, Holder, Holders
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.domain.errors import ConfigurationError
from syncd.licensing.slots import slot_key
from syncd.settings.load import load

PLAN = NumberingPlan(
    country="IT",
    area_code="06",
    access_code="0",
    internal_numbers=("2XXX", "8XXX"),
    rules=(("+390611", "special"),),  # type: ignore[arg-type]
    private_prefix="8",
    short_codes=(("7001", "+390698765432"), ("7002", "0039051234567")),
    dids=(("+3906123402XX", "20XX"), ("+39061235XXXX", "")),
    company_dids=("+39021111XX",),
    networks=(("82", ("3XX", "4XXX")),),
)
NUMBERING = Numbering(PLAN)


@pytest.mark.parametrize(
    ("dialled", "pattern", "e164", "number_class", "private"),
    [
        # The private network, with and without a pattern that takes its prefix off.
        ("82310", "", "", "on-net", False),
        ("824001", "", "", "on-net", False),
        ("82310", "82.XXX", "", "on-net", False),
        ("8231", "", "", "internal", False),
        # Short codes of the telephone system.
        ("7001", "", "+390698765432", "local", False),
        ("7002", "", "+39051234567", "national", False),
        # Numbers of the company, of this site and of another, dialled through the carrier.
        ("006123402 15".replace(" ", ""), "0.!", "+390612340215", "on-net", False),
        ("00612351234", "", "+390612351234", "on-net", False),
        ("002111122", "", "+39021111" + "22", "on-net", False),
        ("00612361234", "", "+390612361234", "local", False),
        # Private: prefix, access code, number.
        ("803331234567", "", "+393331234567", "mobile", True),
        ("803331234567", "80.!", "+393331234567", "mobile", True),
        ("803331234567", "8.0!", "+393331234567", "mobile", True),
        ("80001" + "2125552368", "", "+12125552368", "international", True),
        ("03331234567", "0.!", "+393331234567", "mobile", False),
        # Not a call to the outside: an extension, or what is no access code behind the prefix.
        ("8310", "", "", "internal", False),
        ("83331234567", "", "+3983331234567", "national", False),
        # Calls for help are nobody's private calls.
        ("8112", "", "", "internal", False),
        ("80112", "", "", "emergency", False),
        ("0112", "", "", "emergency", False),
        ("112", "", "", "emergency", False),
    ],
)
def test_dialled(dialled: str, pattern: str, e164: str, number_class: str, private: bool) -> None:
    read = NUMBERING.outgoing(dialled, pattern)
    assert (read.number_class.word, read.private) == (number_class, private), read.rule
    assert read.e164 == e164


def test_a_caller_from_an_own_number_is_on_net() -> None:
    assert NUMBERING.incoming("+390612340215").number_class.word == "on-net"
    assert NUMBERING.incoming("0612340215").number_class.word == "on-net"
    assert NUMBERING.incoming("+390612361234").number_class.word == "local"


def test_own_rules_come_before_own_numbers() -> None:
    plan = NumberingPlan("IT", "06", "0", rules=PLAN.rules, dids=(("+390611XXXX", ""),))
    assert Numbering(plan).outgoing("006112345").rule == "own rule +390611"


@given(number=st.from_regex(r"[0-9]{2}", fullmatch=True))
def test_an_own_number_leads_to_its_extension(number: str) -> None:
    for spelled in (f"+3906123402{number}", f"06123402{number}", f"006123402{number}"):
        assert NUMBERING.extension(spelled) == f"20{number}"
    assert NUMBERING.extension(f"+39061235{number}00") == ""
    assert NUMBERING.extension(f"20{number}") == ""


def test_a_record_of_an_own_number_is_its_extensions() -> None:
    def holder(party: int, number: str) -> Holder:
        return Holder(
            party, Role.FIRST, party, number, "", "", number, True, False, 0, FOREVER,
            slot_key(party, Role.FIRST, party),
        )  # fmt: skip

    def found(*held: Holder) -> tuple[int, str]:
        holders = Holders(held, {}, site="hq", plan=NUMBERING, partitions=False, only_site=True)
        answer = holders.find("+390612340215", "", "", "", 5)
        return (answer.holder.party if answer.holder else 0), answer.reason

    assert found(holder(1, "2015")) == (1, HELD_BY_OWN_NUMBER)
    # Who holds the public number itself comes first.
    assert found(holder(1, "2015"), holder(2, "+390612340215"))[0] == 2
    assert found(holder(1, "2016"))[0] == 0


@pytest.mark.parametrize(
    ("country", "trunk_code", "dialled", "e164"),
    [
        ("DE", "9", "0" + "93012345678", "+493012345678"),
        ("DE", "", "0" + "03012345678", "+493012345678"),
        ("ES", "1", "0" + "1912345678", "+34912345678"),
    ],
)
def test_a_trunk_code_of_ones_own(country: str, trunk_code: str, dialled: str, e164: str) -> None:
    numbering = Numbering(NumberingPlan(country, "", "0", trunk_code=trunk_code))
    assert numbering.outgoing(dialled).e164 == e164


INI = """
[syncd]
state_directory = state
timezone = Europe/Rome
currency = EUR

[site:rome]
country = IT
area_code = 06
access_code = 0
internal_numbers = 2XXX
did.1 = +3906123402XX 20XX
short_code.7001 = +39 06 98765432
private_prefix = 8
private_codes = 7777 8888
charge_conference = controller 50, members 50

[site:milan]
country = IT
area_code = 02
access_code = 0
internal_numbers = 3XX 4XXX
network_prefix = 82
did.1 = +39021111XX
"""


def test_the_ini_says_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "syncd.ini"
    path.write_text(INI, encoding="utf-8")
    sites = load(path).sites
    plan = numbering_plan(sites["rome"], sites.values())
    assert plan.networks == (("82", ("3XX", "4XXX")),)
    assert (plan.dids, plan.company_dids) == ((("+3906123402XX", "20XX"),), ("+39021111XX",))
    assert plan.short_codes == (("7001", "+390698765432"),)
    assert plan.private_prefix == "8"
    assert sites["rome"].charging.private_codes == ("7777", "8888")
    assert sites["rome"].charging.conference == (("controller", 50), ("members", 50))
    assert sites["milan"].charging is sites["milan"].charging
    # The other way round there is no prefix.
    assert numbering_plan(sites["milan"], sites.values()).networks == ()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("+3906123402XX 20XX", "06123402XX", "not a range of numbers"),
        ("+3906123402XX 20XX", "+3906123402XX 2XXX", "more X than"),
        ("+3906123402XX 20XX", "+3906123402XX X2", "not an extension"),
        ("+39 06 98765432", "abc", "abc"),
        ("controller 50, members 50", "controller 50, members 60", "make 110"),
        ("private_prefix = 8", "private_prefix = 00", "cannot be told from the access code"),
        ("area_code = 02", "area_code = 02\nprivate_prefix = 0", "cannot be told from the access"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, old: str, new: str, what: str) -> None:
    path = tmp_path / "syncd.ini"
    path.write_text(INI.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert what in problem.what
    assert (
        INI.replace(old, new).splitlines()[problem.line - 1] in new
        or new in (INI.replace(old, new).splitlines()[problem.line - 1])
    )


def test_two_sites_cannot_have_one_prefix(tmp_path: Path) -> None:
    path = tmp_path / "syncd.ini"
    third = "[site:turin]\ncountry = IT\nnetwork_prefix = 82\nprivate_prefix = *8\n"
    path.write_text(INI + third, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    told = [problem.what for problem in caught.value.problems]
    assert any("[site:milan] too" in what for what in told)


@pytest.mark.parametrize("country", ["IT", "DE", "US", "AR", "BR", "MX", "FR", "SG"])
@given(
    prefix=st.sampled_from(["", "0", "00", "+", "+39", "+54911", "9", "80", "0015", "*", "15"]),
    digits=st.text("0123456789", min_size=1, max_size=12),
    end=st.sampled_from(["", "#", "##"]),
)
def test_a_number_ends_as_its_e164_does(country: str, prefix: str, digits: str, end: str) -> None:
    """By its last three characters a holder of the same number is found (directory.few)."""
    plan = NumberingPlan(country, "", "0", internal_numbers=("2XXX",), private_prefix="8")
    number = prefix + digits + end
    e164 = Numbering(plan).same(number)
    assert not e164 or (len(number.rstrip("#")) >= 3 and e164[-3:] == number.rstrip("#")[-3:])
