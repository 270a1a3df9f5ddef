"""Released calls, withheld callers and the raw text of rejects, as the contract has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.contract import (
    PEOPLE,
    Company,
    incoming,
    internal,
    outgoing,
)
from tests.system.test_contract_calls import at


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.use_ldif(PEOPLE)
    return made


def test_a_sync_is_a_unit_of_work_that_sees_bought_slots(company: Company) -> None:
    """A slot releases withheld calls at the next sync too, not only when files are taken
    (docs/rules.md 6.4)."""
    company.set("licensing", slots="1")
    company.ok("sync")
    company.take(
        outgoing("a", at(1), "2001", "03331234567", talk=100),
        outgoing("b", at(2), "2002", "03331234567", talk=100),
    )
    assert company.lines() == [("2001", "calling")]
    company.set("licensing", slots="unlimited")
    company.ok("sync")
    assert company.lines() == [("2001", "calling"), ("2002", "calling")]


@pytest.mark.parametrize("caller", ["anonymous", "Anonymous", "Restricted", "Private"])
def test_a_caller_who_says_anonymous_withheld_the_number(company: Company, caller: str) -> None:
    """Rows of calls: other_number is "null when the caller withheld it"."""
    company.ok("sync")
    company.take(incoming("a", at(0), caller, "2001", talk=5))
    (row,) = company.rows()
    assert row["other_number"] is None


def test_a_reject_shows_the_raw_text(company: Company) -> None:
    """What was rejected can be looked at as it came (docs/rules.md 4.2)."""
    company.ok("sync")
    row = internal("f", "2036-01-01T10:00:00+01:00", "2001", "2003", talk=9)
    company.take(row)
    (reject,) = company.listed("rejects")
    assert reject["raw"] == row
