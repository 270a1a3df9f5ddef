"""The calls follow when it turns out later whose they are: in chunks, under a run that can go on.

Rows that somebody else had are given to the party as they are, at their price. Records that were not
billed because nobody held the number are decided again by the one path from leg to row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from zoneinfo import ZoneInfo

from syncd.calls.analysis import Rules
from syncd.calls.context import IntakeContext
from syncd.calls.directory_view import directory_version, rules_of
from syncd.calls.pipeline import Pipeline
from syncd.cdr import ledger
from syncd.domain.clock import FOREVER
from syncd.domain.codes import RecordOutcome, Role
from syncd.domain.days import Days
from syncd.licensing import settlement
from syncd.licensing.claims import Terms
from syncd.licensing.slots import slot_key
from syncd.store import withheld
from syncd.store.database import write_transaction
from syncd.store.maintenance_runs import DONE, enter_run, unfinished_runs
from syncd.store.models import MaintenanceRun, Profile, Record, UnknownNumber
from syncd.store.models import database as proxy
from syncd.store.reassignment import (
    START,
    Concerned,
    Position,
    ProfileSpan,
    Reassigned,
    as_profiles,
    reassign,
)
from syncd.store.rollups import mark_dirty

KIND = "reassign"
ROWS_AT_ONCE = 2000
RECORDS_AT_ONCE = 200
DAY = 86_400
OWN, TAKEN, RECORDS = "own", "taken", "records"
OWN_WITHHELD, TAKEN_WITHHELD = "own withheld", "taken withheld"
STEPS = (OWN_WITHHELD, OWN, TAKEN_WITHHELD, TAKEN, RECORDS)


@dataclass(frozen=True, slots=True)
class Following:
    """Which calls follow a party: its own since … until get the profile of their moment; those of
    ``holders`` on the line become the party's in the role; records of the number are decided again.
    """

    party: int
    since: int
    until: int = FOREVER
    role: int = 0
    line: int = 0
    """Row of ``line``; 0: no line, a move."""
    site: str = ""
    partition: str = ""
    number: str = ""
    holders: tuple[int, ...] = ()

    def concerned(self, step: str) -> Concerned:
        """Return the rows of a step."""
        if step in (OWN, OWN_WITHHELD):
            return Concerned((self.party,), 0, self.since, FOREVER)
        return Concerned(self.holders if self.line else (), self.line, self.since, self.until)


@dataclass(slots=True)
class Followed:
    """What a run did, or a preview says it would."""

    rows: int = 0
    calls: int = 0
    cost: int = 0
    records: int = 0
    """Records that were decided again."""
    before: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """(calls, micros) by the (party, org) that had them."""

    def add(self, done: Reassigned) -> None:
        self.rows += done.rows
        self.calls += done.calls
        self.cost += done.cost
        for key, (calls, cost) in done.before.items():
            had = self.before.get(key, (0, 0))
            self.before[key] = (had[0] + calls, had[1] + cost)


Lock = Callable[[str], AbstractContextManager[None]]
"""Holds the intake of a PBX identity while its block runs."""


def preview(
    following: Following, spans: Sequence[ProfileSpan], contexts: Sequence[IntakeContext]
) -> Followed:
    """Return what would move, given the party's profiles as they are going to be."""
    found = Followed()
    for step in (OWN, TAKEN):
        decide = as_profiles(spans, following.party, following.role if step == TAKEN else 0)
        position: Position | None = START
        while position is not None:
            done = reassign(following.concerned(step), decide, after=position, dry_run=True)
            found.add(done)
            position = done.position
    for context in contexts:
        for start in _days(following, following.since):
            found.records += len(_records(following, context, start, following.holders))
    return found


def start(following: Following, now: int) -> int:
    """Enter a run for what has just been written, in the same transaction. Returns its id."""
    return enter_run(KIND, asdict(following), now)


def unfinished() -> list[int]:
    """Return the ids of the runs that were interrupted, the oldest first."""
    return unfinished_runs(KIND)


class Run:
    """Works a run off, from where it stands; no transaction lasts long."""

    def __init__(
        self,
        run_id: int,
        contexts: Sequence[IntakeContext],
        *,
        zone: ZoneInfo,
        now: int,
        lock: Lock,
    ) -> None:
        self._row = MaintenanceRun.get_by_id(run_id)
        arguments = json.loads(self._row.arguments)
        arguments["holders"] = tuple(arguments["holders"])
        self.following = Following(**arguments)
        self._contexts = [one for one in contexts if self.following.site in ("", one.site)]
        self._zone = zone
        self._now = now
        self._lock = lock
        self._rules: dict[str, tuple[str, Rules]] = {}
        self.done = Followed()

    @property
    def finished(self) -> bool:
        return bool(self._row.state == DONE)

    def step(self) -> None:
        """Do the next chunk, and remember that it is done."""
        text = self._row.position
        name, *position = json.loads(text) if text else (STEPS[0], *START)
        if name == RECORDS:
            self._decide_again(int(position[0]))
        else:
            self._give(name, Position(*position))

    def _give(self, name: str, after: Position) -> None:
        """Give a chunk of rows to whose they are."""
        following = self.following
        concerned = following.concerned(name)
        role = following.role if name in (TAKEN, TAKEN_WITHHELD) else 0
        with write_transaction():
            decide = as_profiles(_spans(following.party), following.party, role)
            if name in (OWN_WITHHELD, TAKEN_WITHHELD):
                position = withheld.reassign(concerned, decide, after, ROWS_AT_ONCE).position
                settlement.judge_again()
            else:
                done = reassign(
                    concerned,
                    decide,
                    after=after,
                    limit=ROWS_AT_ONCE,
                    at=self._now,
                    run=self._row.id,
                )
                days = Days(self._zone)
                mark_dirty({days.day(start) for start in done.starts})
                self.done.add(done)
                position = done.position
            if position is not None:
                self._remember(name, position)
                return
            name = STEPS[STEPS.index(name) + 1]
            if name != RECORDS:
                self._remember(name, START)
            elif following.number:
                self._remember(RECORDS, (following.since,))
            else:
                self._finish()

    def _decide_again(self, moment: int) -> None:
        """Decide a day's records again. Doing so twice changes nothing the second time."""
        following = self.following
        begin = _next_start(moment, following.until)
        if begin is None:
            self._finish()
            return
        for context in self._contexts:
            with self._lock(context.pbx):
                ids = _records(following, context, begin)
                for first in range(0, len(ids), RECORDS_AT_ONCE):
                    part = ids[first : first + RECORDS_AT_ONCE]
                    with write_transaction():
                        pbx_id = ledger.pbx_id(context.pbx)
                        rules = self._current_rules(context)
                        pipeline = Pipeline(context, rules, pbx_id, self._now)
                        pipeline.run = self._row.id
                        pipeline.decide_again(part)
                    self.done.records += len(part)
        with write_transaction():
            self._remember(RECORDS, (begin + DAY,))

    def _current_rules(self, context: IntakeContext) -> Rules:
        version = directory_version()
        known = self._rules.get(context.source)
        if known is None or known[0] != version:
            known = self._rules[context.source] = (version, rules_of(context))
        return known[1]

    def _remember(self, step: str, position: Sequence[int]) -> None:
        self._row.position = json.dumps([step, *position])
        self._row.save()

    def _finish(self) -> None:
        with write_transaction():
            self._row.state, self._row.ended_at = DONE, self._now
            self._row.save()
            following = self.following
            if following.number:
                _forget_unknown(following)


def licensed(terms: Terms, following: Following, now: int) -> bool:
    """Settle the licence, and say whether the party's calls in this role are shown. Must run inside
    a write transaction."""
    licence = settlement.settle(terms, now)
    key = slot_key(following.party, Role(following.role), following.line)
    return licence.unlimited or key in licence.granted


def _spans(party: int) -> list[ProfileSpan]:
    query = Profile.select(Profile.id, Profile.org, Profile.valid_from, Profile.valid_to)
    return [ProfileSpan(*row) for row in query.where(Profile.party == party).tuples()]


def _days(following: Following, moment: int) -> Iterator[int]:
    """Yield the beginning of each span of a day in which there are records."""
    if not following.number:
        return
    begin = _next_start(moment, following.until)
    while begin is not None:
        yield begin
        begin = _next_start(begin + DAY, following.until)


def _next_start(moment: int, until: int) -> int | None:
    """Return the first start of a record from a moment on, None when there is none before the end."""
    query = Record.select(Record.started_at).where(
        (Record.started_at >= moment) & (Record.started_at < until)
    )
    row = query.order_by(Record.started_at).first()
    return None if row is None else int(row.started_at)


def _records(
    following: Following, context: IntakeContext, begin: int, others: tuple[int, ...] = ()
) -> list[int]:
    """Return the records of a source that begin within a day and name the number, but have no call
    of the party, nor of others."""
    if following.site not in ("", context.site):
        return []
    mark = proxy.obj.param
    cursor = proxy.obj.execute_sql(
        "SELECT record.id, outcome, calling_number, original_number, final_number,"
        " redirecting_number FROM record JOIN file ON file.id = record.file_id"
        f" WHERE record.started_at >= {mark} AND record.started_at < {mark} AND file.source = {mark}"
        f" AND outcome <> {mark}",
        (begin, min(begin + DAY, following.until), context.source, int(RecordOutcome.EXCLUDED)),
    )
    fits = _Fitting(following.number, context)
    named = [row[0] for row in cursor.fetchall() if any(map(fits, row[2:]))]
    known = {following.party, *others}
    return [record for record in named if known.isdisjoint(_parties(record))]


class _Fitting:
    """Whether a number as written in a record is the one that is meant."""

    def __init__(self, number: str, context: IntakeContext) -> None:
        self._same = context.numbering.same
        self._number = number
        self._e164 = self._same(number)
        self._known: dict[str, bool] = {"": False}

    def __call__(self, written: str) -> bool:
        fits = self._known.get(written)
        if fits is None:
            fits = written == self._number or (
                bool(self._e164) and self._same(written) == self._e164
            )
            self._known[written] = fits
        return fits


def _parties(record: int) -> set[int]:
    """Return whose the calls of a record are."""
    mark = proxy.obj.param
    cursor = proxy.obj.execute_sql(
        f"SELECT party_id FROM call WHERE id BETWEEN {mark} AND {mark}",
        (record * 8, record * 8 + 7),
    )
    return {row[0] for row in cursor.fetchall()}


def _forget_unknown(following: Following) -> None:
    """Take a number from the list of those that nobody holds, when all its records were decided."""
    chosen = (
        (UnknownNumber.number == following.number)
        & (UnknownNumber.first_seen >= following.since)
        & (UnknownNumber.last_seen < following.until)
    )
    if following.site:
        chosen &= UnknownNumber.site == following.site
    if following.partition:
        chosen &= UnknownNumber.partition.in_(("", following.partition))
    UnknownNumber.delete().where(chosen).execute()
