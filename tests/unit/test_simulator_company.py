"""The simulated company: its people, its directory, its deck and its small rating."""

from __future__ import annotations

import base64
import configparser
from collections import Counter
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.demo.company import build_company, write_company, write_ldif
from syncd.demo.deck import deck, deck_csv, price_of, tariff_of
from syncd.demo.outside import TEMPLATES, any_number
from syncd.demo.people import SMALLEST
from syncd.demo.stations import build_plant


def entries(path: Path) -> dict[str, dict[str, list[str]]]:
    """Read an LDIF file into attributes by uid."""
    found: dict[str, dict[str, list[str]]] = {}
    for block in path.read_text(encoding="ascii").strip().split("\n\n"):
        attributes: dict[str, list[str]] = {}
        for line in block.splitlines():
            name, _, value = line.partition(":")
            if value.startswith(":"):
                value = base64.b64decode(value[1:]).decode()
            attributes.setdefault(name, []).append(value.strip())
        if "uid" in attributes:
            found[attributes["uid"][0]] = attributes
    return found


@pytest.mark.parametrize("size", [SMALLEST, 60, 1201, 3000])
def test_a_company_of_any_size_has_everything(size: int) -> None:
    company = build_company(size)
    people = company.people
    assert len(people) == size
    assert len({person.uid for person in people}) == size
    assert len({person.entry_uuid for person in people}) == size
    lines = [(person.partition, person.extension) for person in people]
    assert len(set(lines)) == size
    assert len({number for _, number in lines}) < size, "extensions overlap between partitions"
    assert all(number[0] in "23" and len(number) == 4 for _, number in lines)
    assert {person.level for person in people} == {0, 2, 6, 8, 10}
    assert any(not person.billed for person in people)
    assert any(person.additional_departments for person in people)
    assert any(person.masked_digits for person in people)
    pilots = Counter(person.voicemail for person in people)
    assert pilots.most_common(1)[0][0] == "6000"
    assert any(person.bill_fax and person.offnet_fax for person in people)
    assert any(person.bill_voicemail for person in people)
    assert any(alias.startswith("+") for person in people for alias in person.aliases)
    assert len(build_plant(company).members) == 5


def test_too_small_a_company_and_an_unknown_driver_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 24"):
        build_company(SMALLEST - 1)
    with pytest.raises(ValueError, match="asterisk"):
        build_company(60, driver="asterisk")


def test_the_seed_decides() -> None:
    assert build_company(60, seed=1) == build_company(60, seed=1)
    assert build_company(60, seed=1) != build_company(60, seed=2)


def test_without_partitions_an_extension_of_two_people_is_nobodys() -> None:
    twice = {"2001", "2002", "2003", "2004", "2005"}
    for driver, nobodys in (("cucm", twice), ("cucm-partition", set())):
        desks = build_plant(build_company(60, driver=driver)).desks
        assert {desk.phone.number for desk in desks if not desk.phone.username} == nobodys
        assert not any(desk.phone.billed for desk in desks if not desk.phone.username)


def test_the_directory_says_what_the_company_knows(tmp_path: Path) -> None:
    company = build_company(60)
    found = entries(write_ldif(tmp_path / "people.ldif", company))
    assert list(found) == [person.uid for person in company.people]
    for person in company.people:
        entry = found[person.uid]
        assert entry["entryUUID"] == [person.entry_uuid]
        assert entry["cn"] == [person.display_name]
        assert entry["telephoneNumber"] == [person.extension]
        assert entry["l"] == [person.partition]
        assert entry.get("homePhone", []) == list(person.aliases)
        assert ("businessCategory" in entry) == person.billed
        assert ("facsimileTelephoneNumber" in entry) == bool(person.fax)
        assert entry["objectClass"][-1] == "inetOrgPerson"


def test_the_second_version_has_a_leaver_and_a_mover(tmp_path: Path) -> None:
    company = build_company(60)
    first = entries(write_ldif(tmp_path / "people.ldif", company))
    second = entries(write_ldif(tmp_path / "people.ldif", company, version=2))
    assert set(first) - set(second) == {company.leaver.uid}
    changed = [uid for uid in second if first[uid] != second[uid]]
    assert changed == [company.mover.uid]
    assert second[company.mover.uid]["departmentNumber"] == [company.mover_department]
    assert company.mover_department != company.mover.department


def test_write_company_makes_a_whole_folder(tmp_path: Path) -> None:
    company = build_company(30, driver="cucm")
    files = write_company(tmp_path / "co", company, slots="unlimited", tariff_from=date(2025, 7, 1))
    ini = configparser.ConfigParser(interpolation=None, default_section="")
    ini.read(files.ini)
    assert files.drop.is_dir()
    assert (files.ini.parent / ini["directory:corp"]["file"]).read_bytes()
    assert ini["cdr:hq"]["driver"] == "cucm"
    assert ini["licensing"]["slots"] == "unlimited"
    assert ini["carrier:telco"]["tariff.2025"] == "tariffs/telco.csv from 2025-07-01"
    assert files.tariff.read_text(encoding="utf-8") == deck_csv()


def test_the_deck_has_hundreds_of_prefixes_some_within_others() -> None:
    rows = deck()
    assert len(rows) > 250
    lines = deck_csv().splitlines()
    assert len(lines) == len(rows) + 1
    assert len({line.partition(",")[0] for line in lines}) == len(lines)
    for digits, prefix in (
        ("393331234567", "39333"),
        ("393381234567", "3933"),
        ("393921234567", "393"),
        ("390248011234", "3902480"),
        ("390552341234", "390"),
        ("12125550123", "1212"),
    ):
        found = tariff_of(digits)
        assert found is not None
        assert found.prefix == prefix
    assert tariff_of("870773110000") is None


@pytest.mark.parametrize(
    ("digits", "seconds", "micros"),
    [
        # 0.0250 + 480 s at 0.07 a minute, by the second
        ("393331234567", 480, 585_000),
        # fee 0.0800, two whole minutes at 0.11
        ("393471234567", 61, 300_000),
        # one minute at 0.11 + 0.08 is above the minimum of 0.15
        ("393471234567", 5, 190_000),
        # 3 s at 0.0013 stay below the minimum of 0.04
        ("393201234567", 3, 40_000),
        # 30 s, then sixes: 37 s count as 42, 0.085 a minute
        ("393381234567", 37, 109_500),
        # 1 s of 0.0096 a minute is 0.00016: 0.0202 with the fee
        ("390648901234", 0, 20_200),
        ("39800123456", 900, 0),
        # premium: 0.30 + 1.20
        ("39899123456", 1, 1_500_000),
    ],
)
def test_prices_worked_out_by_hand(digits: str, seconds: int, micros: int) -> None:
    tariff = tariff_of(digits)
    assert tariff is not None
    assert price_of(tariff, seconds) == micros


@given(st.sampled_from(sorted(deck())), st.integers(0, 100_000))
def test_a_price_equals_the_same_in_decimals(prefix: str, seconds: int) -> None:
    tariff = deck()[prefix]
    left = max(seconds, 1) - tariff.initial_seconds
    billed = tariff.initial_seconds
    while left > 0:
        billed += tariff.increment_seconds
        left -= tariff.increment_seconds
    exact = Decimal(tariff.price) * billed / tariff.unit_seconds + tariff.connection_fee
    units = max(exact, Decimal(tariff.minimum_charge)) / 1_000_000
    assert price_of(tariff, seconds) == units.quantize(Decimal("0.0001"), ROUND_HALF_UP) * 1_000_000


@pytest.mark.parametrize("kind", sorted(TEMPLATES))
def test_numbers_are_valid_and_dialled_as_the_plan_says(kind: str) -> None:
    random = Random(kind)
    for _ in range(60):
        number = any_number(kind, random)
        known = phonenumbers.parse(number.e164)
        assert phonenumbers.is_valid_number(known)
        assert phonenumbers.parse(number.dialled[1:], "IT") == known
        assert (number.tariff is None) == (kind == "no-rate")
        if number.tariff:
            assert number.tariff.number_class == kind
