"""Hundreds of numbers as people dial them in many countries, against the public numbering plans."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from syncd.billing.numbering import Numbering, NumberingPlan

TABLE = Path(__file__).parents[1] / "fixtures" / "numbering" / "plans.txt"


class Case(NamedTuple):
    country: str
    area_code: str
    access_code: str
    dialled: str
    e164: str
    number_class: str


def cases() -> list[Case]:
    found = []
    site = ["", "", ""]
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            site = line.strip("[]").split()
        elif line and not line.startswith("#"):
            dialled, e164, number_class = line.rsplit(maxsplit=2)
            digits = dialled.replace(" ", "")
            found.append(Case(*site, digits, e164.strip("-"), number_class))
    return found


CASES = cases()


@cache
def numbering(country: str, area_code: str, access_code: str) -> Numbering:
    return Numbering(NumberingPlan(country, area_code, access_code))


def test_the_table_is_large_enough() -> None:
    assert len(CASES) > 350
    assert len({case.country for case in CASES}) >= 16
    assert len(set(CASES)) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.country}-{case.dialled}")
def test_dialled(case: Case) -> None:
    read = numbering(case.country, case.area_code, case.access_code).outgoing(case.dialled)
    assert (read.e164, read.number_class.word) == (case.e164, case.number_class), read.rule
    # In E.164 it is the same number of the same class.
    if case.e164:
        again = numbering(case.country, case.area_code, case.access_code).outgoing(case.e164)
        assert (again.e164, again.number_class.word) == (case.e164, case.number_class)
