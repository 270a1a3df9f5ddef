"""Stored calls are rated again, with the tariffs as they are now: in chunks, under a run that can go
on, and that can be undone.

Decided is by the same rules as at intake, from the stored records. Changed is only the money of a
row: cost, state and reason, rate, billed seconds, destination, carrier.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from zoneinfo import ZoneInfo

from syncd.calls.analysis import Rules
from syncd.calls.context import IntakeContext
from syncd.calls.conversation import OutsideLeg, Rec, in_order, keys_of
from syncd.calls.dimensions import Dimensions
from syncd.calls.directory_view import directory_version, rules_of
from syncd.calls.pricing import Pricer
from syncd.calls.sides import analyse
from syncd.domain.clock import FOREVER
from syncd.domain.codes import Side
from syncd.domain.days import Days
from syncd.domain.errors import UserError
from syncd.domain.posting import Cause
from syncd.domain.uncollected import without_collections
from syncd.store.call_rows import relatives
from syncd.store.database import write_transaction
from syncd.store.maintenance_runs import DONE, enter_run, unfinished_runs
from syncd.store.models import MaintenanceRun, RerateRun
from syncd.store.models import database as proxy
from syncd.store.rerating import (
    Candidate,
    Change,
    Money,
    Place,
    Row,
    candidates,
    conversations_of,
    remember,
    remembered,
    rows_by_id,
    rows_of,
    write,
)
from syncd.store.rollups import mark_dirty
from syncd.store.sealed import seal

KIND = "rerate"
RECORDS_AT_ONCE = 2000
ROWS_AT_ONCE = 4000
HOLD = 32 * 86_400
"""Seconds after which a conversation that was seen is forgotten."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be rated again: conversations with a call that begins since … until (epoch seconds,
    exclusive); with ``carrier`` those over it. With ``undo`` instead what a run changed."""

    since: int = 0
    until: int = FOREVER
    carrier: str = ""
    undo: int = 0


@dataclass(slots=True)
class Amount:
    """Rows that changed, what they cost before and after (micros), and how many had no price."""

    rows: int = 0
    before: int = 0
    after: int = 0
    unrated_before: int = 0
    unrated_after: int = 0

    def add(self, other: Amount) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


Group = tuple[int, str, int]
"""Org, carrier and class of a row."""


@dataclass(slots=True)
class Rerated:
    """What a run did, or a preview says it would."""

    records: int = 0
    """Records that were looked at."""
    withheld: int = 0
    """Rows of withheld calls that changed."""
    skipped: int = 0
    """Rows that were not undone: they had changed again since."""
    unknown: set[str] = field(default_factory=set)
    """Sources that are no longer configured: their calls were left alone."""
    groups: dict[Group, Amount] = field(default_factory=dict)
    """Rows that changed, but for those that are withheld."""

    def add(self, other: Rerated) -> None:
        self.records += other.records
        self.withheld += other.withheld
        self.skipped += other.skipped
        self.unknown |= other.unknown
        for group, amount in other.groups.items():
            self.groups.setdefault(group, Amount()).add(amount)

    @property
    def total(self) -> Amount:
        total = Amount()
        for amount in self.groups.values():
            total.add(amount)
        return total

    @property
    def rows(self) -> int:
        return self.total.rows + self.withheld


def start(wanted: Wanted, who: str, now: int) -> int:
    """Enter a run, at a time (epoch seconds), for who asked. Returns its id. Must run inside a write
    transaction. Raises UserError when what is to be undone cannot be."""
    if wanted.undo:
        check_undo(wanted.undo)
    run_id = enter_run(KIND, asdict(wanted), now)
    RerateRun.create(run_id=run_id, who=who, undoes=wanted.undo)
    return run_id


def check_undo(run: int) -> None:
    """Raise UserError unless a run can be undone."""
    row = RerateRun.get_or_none(RerateRun.run_id == run)
    if row is None:
        raise UserError(f"there is no run {run} of re-rating", "syncd rerate lists them")
    if row.undoes:
        raise UserError(f"run {run} undid run {row.undoes}", "rate again instead")
    if MaintenanceRun.get_by_id(run).state != DONE:
        raise UserError(f"run {run} has not ended", "it goes on with the next one")
    again = RerateRun.get_or_none(RerateRun.undoes == run)
    if again is not None:
        raise UserError(f"run {run} was undone by run {again.run_id}", "rate again instead")


def unfinished() -> list[int]:
    """Return the ids of the runs that were interrupted, the oldest first."""
    return unfinished_runs(KIND)


def wanted_of(run: int) -> Wanted:
    """Return what a run is about."""
    return Wanted(**json.loads(MaintenanceRun.get_by_id(run).arguments))


class Run:
    """Works off what is wanted, from where its run stands; no transaction lasts long. Without
    ``run_id`` it is a preview, which writes nothing."""

    def __init__(
        self,
        wanted: Wanted,
        contexts: Mapping[str, IntakeContext],
        *,
        zone: ZoneInfo,
        now: int,
        run_id: int | None = None,
    ) -> None:
        """``contexts``: the sources by name."""
        self.done = Rerated()
        self.finished = False
        self._row = None if run_id is None else MaintenanceRun.get_by_id(run_id)
        if self._row is not None:
            wanted = wanted_of(self._row.id)
            self.finished = self._row.state == DONE
        self._wanted = wanted
        self._contexts = contexts
        self._incoming = any(
            carrier.incoming for one in contexts.values() for carrier in one.carriers.values()
        )
        self._days = Days(zone)
        self._now = now
        position = json.loads(self._row.position) if self._row and self._row.position else None
        self._place = Place(*position) if position else Place()
        self._sources: dict[str, tuple[Rules, Pricer]] = {}
        self._version = ""
        self._seen: dict[int, int] = {}
        """Conversations that were decided already, with the start of their first record."""
        self._dimensions: Dimensions | None = None

    def step(self) -> None:
        """Do the next chunk, and remember that it is done. Doing so twice changes nothing the second
        time."""
        # A chunk makes a hundred thousand tuples and no cycles.
        with without_collections():
            self._step()

    def _step(self) -> None:
        if self._row is None:
            with proxy.obj.atomic("DEFERRED"):
                self._chunk(None)
            return
        run = int(self._row.id)
        try:
            with write_transaction():
                done, ended = self._chunk(run)
                self._row.position = json.dumps([*self._place])
                if ended:
                    self._row.state, self._row.ended_at = DONE, self._now
                self._row.save()
                total = done.total
                RerateRun.update(
                    rows=RerateRun.rows + done.rows,
                    before=RerateRun.before + total.before,
                    after=RerateRun.after + total.after,
                    skipped=RerateRun.skipped + done.skipped,
                ).where(RerateRun.run_id == run).execute()
        except BaseException:
            # What it remembers of the dimensions was undone, too.
            self._dimensions = None
            raise

    def _chunk(self, run: int | None) -> tuple[Rerated, bool]:
        """Do some of it; returns what was done, and whether that was the last."""
        done = Rerated()
        if self._dimensions is None:
            self._dimensions = Dimensions(make=run is not None)
        if self._wanted.undo:
            changes, ended = self._undone(done)
        else:
            changes, ended = self._rated(done, self._dimensions)
        self._add(done, changes, self._dimensions)
        if run is not None and changes:
            cause = Cause.UNDONE if self._wanted.undo else Cause.RERATED
            write(changes, cause, at=self._now, run=run)
            if not self._wanted.undo:
                remember(run, changes)
            mark_dirty(
                {self._days.day(one.row.started_at) for one in changes if not one.row.withheld}
            )
        self.done.add(done)
        self.finished = ended
        return done, ended

    def _add(self, done: Rerated, changes: Iterable[Change], dimensions: Dimensions) -> None:
        """Add up what changes."""
        for row, now in changes:
            if row.withheld:
                done.withheld += 1
                continue
            was = row.money
            for money, old in ((was, True), (now, False)):
                name = dimensions.carrier_name(money.carrier)
                group = done.groups.setdefault((row.org, name, row.number_class), Amount())
                if old:
                    group.before += money.cost or 0
                    group.unrated_before += money.cost is None
                else:
                    group.rows += 1
                    group.after += money.cost or 0
                    group.unrated_after += money.cost is None

    # --- undoing ------------------------------------------------------------------------------

    def _undone(self, done: Rerated) -> tuple[list[Change], bool]:
        """Return the next rows of the run that is undone, as they were before it."""
        found = remembered(self._wanted.undo, self._place.pbx_id, ROWS_AT_ONCE)
        rows = rows_by_id(one.id for one in found)
        changes = []
        for one in found:
            row = rows.get(one.id)
            if row is None or row.money != one.after:
                done.skipped += 1
            else:
                changes.append(Change(row, one.before))
        if found:
            # What is undone goes by the ids of its rows.
            self._place = Place(0, found[-1].id, 0)
        return changes, len(found) < ROWS_AT_ONCE

    # --- rating -------------------------------------------------------------------------------

    def _rated(self, done: Rerated, dimensions: Dimensions) -> tuple[list[Change], bool]:
        """Return the next rows with the money that the tariffs of now make of them, where that
        differs."""
        wanted = self._wanted
        found = candidates(
            max(wanted.since, seal().start),
            wanted.until,
            self._place,
            RECORDS_AT_ONCE,
            incoming=self._incoming,
        )
        if directory_version() != self._version:
            self._version = directory_version()
            self._sources.clear()
        changes: list[Change] = []
        groups = list(self._conversations(found))
        rows = rows_of(rec.id for _, records in groups for rec in records)
        for source, records in groups:
            context = self._contexts.get(source)
            if context is None:
                done.unknown.add(source)
                continue
            changes += self._decided(records, rows, self._source(context), dimensions, done)
        if found:
            self._place = found[-1].place
        return changes, len(found) < RECORDS_AT_ONCE

    def _source(self, context: IntakeContext) -> tuple[Rules, Pricer]:
        known = self._sources.get(context.source)
        if known is None:
            rules = rules_of(context)
            known = self._sources[context.source] = (rules, Pricer(context.carriers, rules))
        return known

    def _conversations(self, found: Sequence[Candidate]) -> Iterator[tuple[str, list[Rec]]]:
        """Yield the conversations of records, each once in a run, with the source of the first."""
        tied: dict[int, Candidate] = {}
        for one in found:
            if not one.leg.tied:
                yield one.source, [Rec(one.id, one.file_id, one.row, one.leg)]
            elif one.conversation not in self._seen:
                tied[one.id] = one
        if not tied:
            return
        first = min(one.leg.started_at for one in tied.values())
        self._seen = {key: at for key, at in self._seen.items() if at > first - HOLD}
        sources: dict[int, str] = {}
        for one in tied.values():
            sources.setdefault(one.conversation, one.source)
            self._seen[one.conversation] = one.leg.started_at
        for conversation, records in _whole(tied.values()).items():
            yield sources[conversation], in_order(records)

    def _decided(
        self,
        records: list[Rec],
        rows: Mapping[int, Row],
        source: tuple[Rules, Pricer],
        dimensions: Dimensions,
        done: Rerated,
    ) -> Iterator[Change]:
        """Yield the rows of a conversation of which the money changes, and count its records, unless
        it goes over another carrier than the one that is asked for."""
        rules, pricer = source
        analysis = analyse(records, rules)
        carrier = self._wanted.carrier
        if carrier and not self._over(carrier, analysis.legs, records, rows, dimensions):
            return
        done.records += len(records)
        charges = pricer.charges(analysis, records)
        for draft, charge in zip(analysis.drafts, charges, strict=True):
            row = rows.get(records[draft.at].id * 8 + draft.side)
            if row is None:
                continue
            money = Money(
                dimensions.destination(charge.destination, charge.rate)
                if charge.destination
                else 0,
                dimensions.carrier(charge.carrier) if charge.carrier else 0,
                dimensions.rate(charge.rate) if charge.rate else 0,
                charge.billed_seconds,
                charge.cost,
                int(charge.state),
                charge.reason,
            )
            if money != row.money:
                yield Change(row, money)

    @staticmethod
    def _over(
        carrier: str,
        legs: Iterable[OutsideLeg],
        records: Iterable[Rec],
        rows: Mapping[int, Row],
        dimensions: Dimensions,
    ) -> bool:
        """Say whether a conversation goes over a carrier, or did when it was rated last."""
        if any(leg.trunk.carrier == carrier for leg in legs):
            return True
        return any(
            dimensions.carrier_name(row.money.carrier) == carrier
            for rec in records
            for side in Side
            if (row := rows.get(rec.id * 8 + side)) is not None
        )


def _whole(tied: Iterable[Candidate]) -> dict[int, list[Rec]]:
    """Return the stored records of the conversations of these, by conversation."""
    by_pbx: dict[int, list[Candidate]] = {}
    for one in tied:
        by_pbx.setdefault(one.place.pbx_id, []).append(one)
    whole: dict[int, list[Rec]] = {}
    for pbx_id, found in by_pbx.items():
        wanted = {one.conversation for one in found}
        members = {one.id: Rec(one.id, one.file_id, one.row, one.leg) for one in found}
        belongs = {one.id: one.conversation for one in found}
        looked_at = set(members)
        asked: set[tuple[str, int]] = set()
        newest = list(members.values())
        while newest:
            keys = {key for rec in newest for key in keys_of(rec.leg)} - asked
            asked |= keys
            others = {
                row[0]: Rec(row[0], row[1], row[2], row[4])
                for row in relatives(pbx_id, keys, 0, FOREVER)
                if row[0] not in looked_at
            }
            looked_at |= others.keys()
            # Leg ids are used again by and by: what counts is how intake tied the records.
            of = conversations_of(others)
            newest = [rec for key, rec in others.items() if of[key] in wanted]
            members |= {rec.id: rec for rec in newest}
            belongs |= {rec.id: of[rec.id] for rec in newest}
        for key, rec in members.items():
            whole.setdefault(belongs[key], []).append(rec)
    return whole
