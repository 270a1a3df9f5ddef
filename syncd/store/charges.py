"""Which calls an account code charges, the orgs that follow from it, and which calls are private."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from syncd.store.dialect import get_or_add
from syncd.store.models import AccountCharge, Org
from syncd.store.models import database as proxy
from syncd.store.names import spell, spelling

AT_ONCE = 400
"""Values of one query."""


def insert_charges(rows: Sequence[tuple[int, str, int]]) -> None:
    """Remember which call rows a code charges: (call row, key of the cost center, row of
    ``matter``)."""
    if rows:
        mark = proxy.obj.param
        proxy.obj.cursor().executemany(
            "INSERT INTO account_charge (call_id, cost_center, matter_id)"
            f" VALUES ({mark}, {mark}, {mark})",
            rows,
        )


def insert_private(rows: Sequence[tuple[int, int]]) -> None:
    """Remember which records are private: (record, call row of who made the call, 0 for nobody)."""
    if rows:
        mark = proxy.obj.param
        proxy.obj.cursor().executemany(
            f"INSERT INTO private_record (record_id, owner) VALUES ({mark}, {mark})", rows
        )


def charged_cost_centers(call_ids: Iterable[int]) -> dict[int, str]:
    """Return the key of the cost center of those of these call rows that a code charges to one."""
    wanted = list(call_ids)
    found: dict[int, str] = {}
    if not AccountCharge.select().exists():
        return found
    for start in range(0, len(wanted), AT_ONCE):
        rows = AccountCharge.select(AccountCharge.call_id, AccountCharge.cost_center).where(
            AccountCharge.call_id << wanted[start : start + AT_ONCE],
            AccountCharge.cost_center != "",
        )
        found.update(rows.tuples())
    return found


def org_with(org_id: int, cost_center: str, *, create: bool = True) -> int | None:
    """Return the org that is another but for its cost center (a key); None when there is none and
    none is to be made."""
    org = Org.get_by_id(org_id)
    keys = {
        "department": org.department,
        "cost_center": cost_center,
        "office_location": org.office_location,
    }
    found = Org.get_or_none(*(getattr(Org, name) == key for name, key in keys.items()))
    if found is not None or not create:
        return None if found is None else int(found.id)
    return get_or_add("org", keys)


def know_cost_center(key: str, text: str) -> None:
    """Remember how a cost center is spelled, where nobody ever had it."""
    if spelling("cost_center", key) is None:
        spell("cost_center", key, text)
