"""Calls with account codes: whom they charge, who sees which code, and that they stay charged."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from syncd.billing.account_codes import AccountCodes, load_account_codes
from syncd.reports.comparisons import parse_conditions
from syncd.reports.environment import Environment
from syncd.reports.explain import Request, explain_id
from syncd.reports.listing import CODE_FIELDS
from syncd.reports.run import open_report
from syncd.reports.scope import Policy, open_door
from syncd.reports.specification import Specification
from syncd.store.database import write_transaction
from syncd.store.maintenance import verify
from syncd.store.models import AccountCharge, Call, Matter, Org
from syncd.store.reassignment import Attribution, Concerned, reassign
from syncd.store.rollups import ensure_zone, rebuild
from tests.integration.test_reprocess import reprocess
from tests.support.bed import ROME, Bed, make_bed
from tests.support.phones import SPLIT, leg, transferred

PERIOD = (date(2026, 5, 1), date(2026, 6, 1))
LIST = """code,kind,name,cost_center,matter
1234,fac,Anna's code,,
5678,fac,,CC 9,
77,cmc,Rossi ./. Bianchi,,Rossi
"""


@pytest.fixture
def codes(tmp_path: Path) -> AccountCodes:
    path = tmp_path / "codes.csv"
    path.write_text(LIST)
    found, problems = load_account_codes(path, ROME)
    assert problems == []
    return found


@pytest.fixture
def bed(tmp_path: Path, codes: AccountCodes) -> Bed:
    made = make_bed(tmp_path, account_codes=codes)
    made.person("anna", "2001", department="Sales", level=2)
    made.person("bruno", "2002", department="Sales", level=6)
    made.person("emil", "2005", department="Board", level=8)
    ensure_zone(ROME)
    return made


def coded(call: int, code: str = "", matter: str = "", **more: Any) -> dict[str, Any]:
    return leg(
        call, call * 2, call * 2 + 1, "2001", "0612345678", at=call * 100,
        authorizationCodeValue=code, clientMatterCode=matter, **more,
    )  # fmt: skip


def report(
    who: str | None, name: str, codes: AccountCodes, filters: tuple[str, ...] = (), *group_by: str
) -> list[dict[str, Any]]:
    fields = () if group_by else ("cost_center", *CODE_FIELDS)
    specification = Specification(
        name, *PERIOD, group_by, filters=parse_conditions(filters, {})[0], columns=fields
    )
    door = open_door(who, name, "", Policy(), 0)
    with open_report(door, specification, Environment(ROME, account_codes=codes)) as result:
        return list(result.rows)


def cost_centers() -> dict[int, str]:
    """Return the cost center of each call row's org, by the start of the call."""
    orgs = {org.id: org.cost_center for org in Org.select()}
    return {call.id: orgs[call.org_id] for call in Call.select()}


def test_a_code_charges_the_side_that_pays(bed: Bed, codes: AccountCodes) -> None:
    bed.ingest(coded(1, "1234"), coded(2, "5678"), coded(3, "", "77"), coded(4))
    assert sorted(cost_centers().values()) == ["", "", "", "cc 9"]
    rows = report(None, "calls", codes)
    assert [(row["cost_center"], row["matter"]) for row in rows] == [
        (None, None), (None, "Rossi"), ("CC 9", None), (None, None),
    ]  # fmt: skip
    sums = report(None, "summary", codes, (), "cost_center")
    assert {row["cost_center"]: row["calls"] for row in sums} == {"CC 9": 1, None: 3}
    rebuild(ROME, bed.now)
    assert report(None, "summary", codes, (), "cost_center") == sums
    assert verify(ROME) == []


def test_a_leg_stays_charged_after_a_transfer(bed: Bed) -> None:
    bed.ingest(
        leg(4, 7, 8, "2001", "0612345678", at=300, authorizationCodeValue="5678", **SPLIT),
        leg(5, 9, 10, "2001", "2002", at=350, talk=10, **SPLIT),
        leg(4, 8, 10, "0612345678", "2002", at=420, ring=0, talk=360, **transferred("2001")),
    )
    centers = cost_centers()
    paid = {call.id: call.cost for call in Call.select() if call.cost}
    assert len(paid) == 2
    assert {centers[one] for one in paid} == {"cc 9"}
    assert {centers[one] for one in centers.keys() - paid.keys()} == {""}


def test_only_who_sees_all_calls_sees_authorization_codes(bed: Bed, codes: AccountCodes) -> None:
    bed.ingest(coded(1, "1234"), coded(2, "4321"), coded(3, "8765", "77"), coded(4))
    raw = [None, "8765", "4321", "1234"]
    hidden = [None, "***", "***", "Anna's code"]
    for who, wanted in ((None, raw), ("emil", raw), ("bruno", hidden), ("anna", hidden)):
        rows = report(who, "calls", codes)
        assert [row["authorization_code"] for row in rows] == wanted
        assert [row["matter_code"] for row in rows] == [None, "77", None, None]
        groups = report(who, "by-account-code", codes, (), "authorization_code")
        assert {row["authorization_code"]: row["calls"] for row in groups} == {
            one: wanted.count(one) for one in wanted
        }
    for who, count in (("emil", 1), ("bruno", 0), ("anna", 0)):
        assert len(report(who, "calls", codes, ("authorization_code=1234",))) == count
    assert len(report("bruno", "calls", codes, ("authorization_code=anna's code",))) == 1
    assert len(report("bruno", "calls", codes, ("authorization_code=***",))) == 2
    assert len(report("bruno", "calls", codes, ("authorization_code=",))) == 1


def test_explain_says_why(bed: Bed, codes: AccountCodes) -> None:
    bed.ingest(coded(2, "5678", "77"), coded(3, "9999"), coded(4))

    def account(who: str | None, place: int) -> Any:
        door = open_door(who, "explain", "", Policy(), 0)
        public = report(None, "calls", codes)[place]["id"]
        request = Request(door, lambda source, pbx: bed.context, ROME, {})
        return explain_id(request, public)["account"]

    assert account(None, 2) == {
        "authorization_code": "5678", "matter_code": "77", "name": "Rossi ./. Bianchi",
        "cost_center": "CC 9", "matter": "Rossi", "reason": "keyed in for this call",
    }  # fmt: skip
    assert account("anna", 2)["authorization_code"] == "***"
    assert "no list" in account(None, 1)["reason"]
    assert account(None, 0) is None


def test_a_list_that_was_mended_counts_after_reprocessing(bed: Bed, codes: AccountCodes) -> None:
    bed.change(account_codes=AccountCodes())
    bed.ingest(coded(1, "5678", "77"))
    assert set(cost_centers().values()) == {""}
    bed.change(account_codes=codes)
    assert reprocess(bed).rows == 1
    assert set(cost_centers().values()) == {"cc 9"}
    assert Matter.get_by_id(AccountCharge.get().matter_id).name == "Rossi"
    assert reprocess(bed).rows == 0
    bed.change(account_codes=AccountCodes())
    reprocess(bed)
    assert not AccountCharge.select().exists()


def test_who_moves_leaves_the_cost_center_of_the_code(bed: Bed) -> None:
    bed.ingest(coded(1, "5678"), coded(2))
    org = Org.create(department="board", cost_center="cc 1", office_location="")
    party = Call.get().party_id
    concerned = Concerned((party,), 0, 0, 2**40)

    def move(was: Attribution, started_at: int) -> Attribution:
        return was._replace(org=org.id)

    assert reassign(concerned, move, dry_run=True).rows == 2
    with write_transaction():
        reassign(concerned, move)
    orgs = {row.id: (row.department, row.cost_center) for row in Org.select()}
    assert sorted(orgs[call.org_id] for call in Call.select()) == [
        ("board", "cc 1"),
        ("board", "cc 9"),
    ]
