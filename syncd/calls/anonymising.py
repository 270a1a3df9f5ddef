"""A person becomes nobody in stored calls: in chunks, under a run that can go on."""

from __future__ import annotations

import json
from collections.abc import Collection
from zoneinfo import ZoneInfo

from syncd.calls.conversation import keys_of
from syncd.domain.clock import FOREVER
from syncd.domain.days import Days
from syncd.domain.leg import Leg
from syncd.store import anonymisation as store
from syncd.store.anonymisation import Known
from syncd.store.call_rows import members, records, relatives
from syncd.store.database import write_transaction
from syncd.store.maintenance_runs import DONE, enter_run, unfinished_runs
from syncd.store.models import MaintenanceRun
from syncd.store.rollups import mark_dirty

KIND = "anonymise"
ROWS_AT_ONCE = 500
RECORDS_AT_ONCE = 50_000


def start(party_id: int, known: Known, now: int) -> int:
    """Enter a run for a person, in the transaction that made them nameless. Returns its id."""
    arguments = {
        "party": party_id,
        "marks": sorted(known.marks),
        "names": known.names,
        "mail": known.mail,
        "own": sorted(known.own),
    }
    return enter_run(KIND, arguments, now)


def unfinished() -> list[int]:
    """Return the ids of the runs that were interrupted, the oldest first."""
    return unfinished_runs(KIND)


class Run:
    """Works a run off; each step is a transaction, and what it finds is what is left to do."""

    def __init__(self, run_id: int, *, zone: ZoneInfo, now: int) -> None:
        self._row = MaintenanceRun.get_by_id(run_id)
        self.rows = 0
        """Call rows that are nobody's now."""
        self._now = now
        self._days = Days(zone)
        self.finished = self._row.state == DONE
        if self.finished:
            return
        arguments = json.loads(self._row.arguments)
        self._party = int(arguments["party"])
        self._known = Known(
            frozenset(arguments["marks"]),
            tuple(arguments["names"]),
            arguments["mail"],
            frozenset(arguments["own"]),
        )
        self._looked_at: int | None = 0
        """Up to which record it was looked for what names them beside their calls."""

    def step(self) -> None:
        """Do the next chunk."""
        with write_transaction():
            rows = store.rows_of_person(self._party, ROWS_AT_ONCE)
            if rows:
                conversations = {row.conversation for row in rows}
                own = {row.id >> 3 for row in rows}
                store.take_out(rows, whole(own, conversations), self._known.marks)
                mark_dirty({self._days.day(row.started_at) for row in rows})
                self.rows += len(rows)
            elif store.forget_withheld(self._party, ROWS_AT_ONCE):
                pass
            elif self._looked_at is not None:
                self._look()
            else:
                self._finish()

    def _look(self) -> None:
        """Take the person out of a span of records that made no call of theirs."""
        assert self._looked_at is not None
        named, self._looked_at = store.records_naming(
            self._known.own, self._looked_at, RECORDS_AT_ONCE
        )
        if named:
            conversations = {one[1] for one in members(named).values()}
            store.blank(whole(named, conversations), self._known.own)

    def _finish(self) -> None:
        store.finish(self._party, self._now)
        store.scrub(self._party, self._known)
        # What it was to do names whom it was about.
        self._row.arguments = json.dumps({"party": self._party})
        self._row.state, self._row.ended_at = DONE, self._now
        self._row.save()
        self.finished = True


def whole(ids: Collection[int], conversations: Collection[int]) -> set[int]:
    """Return the ids of all records of the conversations of some records."""
    found: dict[int, Leg] = {row[0]: row[5] for row in records({*ids, *conversations}, frozen=True)}
    pbx_of = members(found)
    newest = {key: leg for key, leg in found.items() if leg.tied}
    asked: set[tuple[int, str, int]] = set()
    while newest:
        wanted: dict[int, set[tuple[str, int]]] = {}
        for key, leg in newest.items():
            pbx = pbx_of[key][0]
            wanted.setdefault(pbx, set()).update(
                one for one in keys_of(leg) if (pbx, *one) not in asked
            )
        newest = {}
        for pbx, keys in wanted.items():
            asked.update((pbx, *one) for one in keys)
            others = {
                row[0]: row[4]
                for row in relatives(pbx, keys, 0, FOREVER, frozen=True)
                if row[0] not in found
            }
            # Leg ids are used again by and by: what counts is how intake tied the records.
            of = members(others)
            newest |= {key: leg for key, leg in others.items() if of[key][1] in conversations}
            pbx_of |= of
        found |= newest
    return set(found)
