"""Keeps the slot history: who is granted a slot, and whose withheld calls are due for release
(docs/rules.md 6)."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from syncd.domain.clock import FOREVER
from syncd.domain.codes import Role
from syncd.licensing.claims import Terms, chunks, follow_lists, survey
from syncd.licensing.slots import Claim, Licence, SlotKey, grant, slot_key
from syncd.store import withheld
from syncd.store.advisory import transaction_lock
from syncd.store.assignments import changes_by_itself, directory_version
from syncd.store.database import get_meta, set_meta
from syncd.store.maintenance_runs import RUNNING
from syncd.store.models import MaintenanceRun, Slot
from syncd.store.models import database as proxy

NAMED, ACQUIRED = "named", "acquired"
RELEASE = "release"
"""Kind and state of a run that releases calls."""

LOCK = "licence"
NONE = "none"
MARK = "licence"
"""The key under which the database remembers of which licence all withheld calls were judged; NONE
where they are to be judged again."""
SETTLED = "licence_settled"
"""The key under which it remembers what the last settlement went by."""


@dataclass(frozen=True, slots=True)
class ToRelease:
    """Whose withheld calls a run is to release: (party, role, line), and the last record that was
    there when it was entered."""

    lines: tuple[tuple[int, int, int], ...]
    last_record: int


def settle(terms: Terms, now: int) -> Licence:
    """Grant the slots as of now, write the history, enter a run for the withheld calls of lines that
    hold a slot since, and return who holds and who held them.

    Must run inside a write transaction.
    """
    follow_lists(now)
    found = survey(terms, now)
    granted, _ = grant(found.claims, terms.slots)
    wanted = {claim.key: claim for claim in granted}
    history = _write_history(wanted, now)
    # A line that was acquired and is configured now holds the slot of its person: what was called
    # before stays anonymous, and is withheld no longer.
    passed = {
        slot_key(0, Role.ACQUIRED, line) for line, key in found.heirs.items() if key in wanted
    }
    holds = frozenset(wanted) | passed
    unlimited = terms.slots is None
    licence = Licence(
        unlimited, holds, history, found.hunts, "" if unlimited else _mark(holds, found.hunts)
    )
    if get_meta(MARK, NONE) != licence.mark:
        _enter_release(licence, now)
        set_meta(MARK, licence.mark)
    settled = "" if changes_by_itself(now) else _settled(terms)
    if get_meta(SETTLED, "") != settled:
        set_meta(SETTLED, settled)
    return licence


def is_settled(terms: Terms) -> bool:
    """Tell whether another settlement would find what the last one found: the directory, the terms
    and the acquired lines are the same, and nothing begins or ends by itself."""
    return get_meta(MARK, NONE) != NONE and get_meta(SETTLED, "") == _settled(terms)


def _settled(terms: Terms) -> str:
    return f"{directory_version()}/{terms.slots}/{terms.acquisition}"


def hold(*, alone: bool) -> None:
    """Keep who holds a slot as it is until the transaction ends, or be the one who changes it."""
    transaction_lock(proxy.obj, LOCK, shared=not alone)


def is_current(licence: Licence) -> bool:
    """Tell whether nobody else got or lost a slot since a licence was settled."""
    return get_meta(MARK, NONE) == licence.mark


def judge_again() -> None:
    """Let the next settlement look at all withheld calls: some have become another line's or
    party's. Must run inside a write transaction."""
    set_meta(MARK, NONE)


def _mark(holds: Iterable[SlotKey], hunts: Iterable[int]) -> str:
    """Return what two licences have in common exactly if they withhold the calls of the same lines."""
    digest = blake2b(digest_size=16)
    digest.update(array("q", [part for key in sorted(holds) for part in key]).tobytes())
    digest.update(b"/")
    digest.update(array("q", sorted(hunts)).tobytes())
    return digest.hexdigest()


def _enter_release(licence: Licence, now: int) -> None:
    """Enter a run for the withheld calls of lines that hold a slot now, where there are any."""
    lines = [
        (party, role, line)
        for party, role, line in withheld.waiting()
        if licence.holds(slot_key(party, Role(role), line))
    ]
    if lines:
        arguments = {"lines": lines, "last_record": withheld.last_record()}
        MaintenanceRun.create(
            kind=RELEASE, started_at=now, state=RUNNING, arguments=json.dumps(arguments)
        )


def to_release(arguments: str) -> ToRelease:
    """Return what the arguments of a run say."""
    found = json.loads(arguments)
    return ToRelease(tuple(map(tuple, found["lines"])), found["last_record"])


def _write_history(
    wanted: Mapping[SlotKey, Claim], now: int
) -> dict[SlotKey, list[tuple[int, int]]]:
    """End the slots of who holds none any more, begin those of who holds one since now. Returns
    (since, until) of every slot that was ever held."""
    history: dict[SlotKey, list[tuple[int, int]]] = {}
    still: set[SlotKey] = set()
    ended: list[int] = []
    columns = (Slot.id, Slot.party, Slot.role, Slot.line, Slot.since, Slot.until)
    roles = {int(role): role for role in Role}
    # As the database gives them: there is a row for each slot that was ever held.
    for row, party, number, line, since, until in proxy.obj.execute(Slot.select(*columns)):
        role = roles[number]
        key = SlotKey(party or 0, role, line if role in (Role.OTHER, Role.ACQUIRED) else 0)
        if until == FOREVER:
            claim = wanted.get(key)
            if claim is None:
                until = now
                ended.append(row)
            else:
                still.add(key)
                if line != claim.line:
                    Slot.update(line=claim.line).where(Slot.id == row).execute()
        history.setdefault(key, []).append((since, until))
    for part in chunks(ended):
        Slot.update(until=now).where(Slot.id << part).execute()
    opened = [claim for key, claim in wanted.items() if key not in still]
    if opened:
        mark = proxy.obj.param
        # A file can bring thousands of numbers.
        proxy.obj.cursor().executemany(
            "INSERT INTO slot (kind, party_id, role, line_id, since, until, reason)"
            f" VALUES ({', '.join([mark] * 7)})",
            [
                (
                    NAMED if claim.key.party else ACQUIRED,
                    claim.key.party or None,
                    int(claim.key.role),
                    claim.line,
                    now,
                    FOREVER,
                    _reason(claim),
                )
                for claim in opened
            ],
        )
    for claim in opened:
        history.setdefault(claim.key, []).append((now, FOREVER))
    return history


def _reason(claim: Claim) -> str:
    if claim.key.party:
        return f"billed {claim.key.role.word} number of a configured person"
    return "acquired automatically"
