"""One sync of one source: inspect, wanted, diff, guard, apply.

A dry run is the same path without the last step.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from syncd.directory import hunt_groups
from syncd.directory.apply import apply_plan, directory_version, prepare
from syncd.directory.digest import Digest, fingerprint, keep, said_before
from syncd.directory.few import keep_unsettled, narrow_few
from syncd.directory.guard import Limits, Verdict, refusals, weigh
from syncd.directory.incremental import (
    Delta,
    Shortcut,
    laid_over,
    nothing_pending,
    read_delta,
    remember,
)
from syncd.directory.mapping import PartyMapping, mapping_of
from syncd.directory.mapping_numbers import SitePlan
from syncd.directory.membership import Members
from syncd.directory.narrow import narrow
from syncd.directory.packed import PackedEntries, PackedStates
from syncd.directory.people.locks import Locks, locks_of, without_locked
from syncd.directory.people.proposals import proposals
from syncd.directory.plan import Conflict, Current, Difference, Plan, Terms
from syncd.directory.protocol import DirectorySource, Entry, FullReadNeeded, HuntGroup, Snapshot
from syncd.directory.reconcile import plan
from syncd.directory.stored import StoredParties, load_ids
from syncd.domain.errors import Problem, RefusedError, UserError
from syncd.domain.party import PartyState
from syncd.domain.uncollected import without_collections
from syncd.settings.model import PLACES, DirectorySettings
from syncd.store.database import write_transaction
from syncd.store.models import SourceState, SyncRun
from syncd.store.names import aliases

NOTHING_CHANGED = "nothing was changed"
_LONGEST_MESSAGE = 4000


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """What a sync did, or under a dry run would do."""

    source: str
    server: str
    outcome: str
    """``applied | unchanged | would-change``, and ``refused`` inside a SyncRefused."""
    entries: int = 0
    arrived: int = 0
    departed: int = 0
    returned: int = 0
    changed: int = 0
    """People with another value in at least one field or assignment."""
    closed: int = 0
    """People whose grace was over."""
    differences: tuple[Difference, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    warnings: tuple[Problem, ...] = ()
    guard: tuple[Verdict, ...] = ()
    """What the guard weighed; nothing on the first sync, and when nothing changes."""
    incremental: bool = False
    """Whether only what changed was read; ``entries`` counts that."""
    why_full: str = ""
    """Why everything was read where what changed would have been enough: a clause, or empty."""

    def as_dict(self) -> dict[str, object]:
        """Return it as ``--json`` prints it."""
        return {
            "source": self.source,
            "server": self.server,
            "outcome": self.outcome,
            "entries": self.entries,
            "incremental": self.incremental,
            "why_full": self.why_full,
            "arrived": self.arrived,
            "departed": self.departed,
            "returned": self.returned,
            "changed": self.changed,
            "closed": self.closed,
            "differences": [difference.as_dict() for difference in self.differences],
            "conflicts": [conflict.as_dict() for conflict in self.conflicts],
            "warnings": [str(warning) for warning in self.warnings],
            "guard": [verdict.as_dict() for verdict in self.guard],
        }


class SyncRefused(RefusedError):
    """The guard's refusal, with what the run would have done."""

    def __init__(
        self, message: str, hint: str, problems: Sequence[Problem], outcome: SyncOutcome
    ) -> None:
        super().__init__(message, hint, problems)
        self.outcome = outcome


def sync_source(
    settings: DirectorySettings,
    source: DirectorySource,
    sites: Sequence[SitePlan],
    *,
    now: int,
    dry_run: bool = False,
    check: bool = False,
    accept_departures: int = 0,
    accept_changes: int = 0,
    shortcut: Shortcut = Shortcut.NEVER,
) -> SyncOutcome:
    """Bring what is stored of a source in line with what it says.

    ``now`` is the moment of the sync (epoch seconds); ``dry_run`` and ``check`` write nothing at
    all; ``accept_…`` let that many through the guard, this time; ``shortcut`` says
    whether it is enough to read what changed.
    Raises ConfigurationError and TryAgainError as the source does; RefusedError when its answer is
    incomplete or empty, SyncRefused when the guard objects. Nothing is changed then, but the run is
    on record.
    """
    writes = not (dry_run or check)
    limits = Limits(
        settings.max_departures, settings.max_changes, accept_departures, accept_changes
    )
    began = time.monotonic()
    run = SyncRun(source=settings.name, started_at=now, outcome="failed")
    try:
        with without_collections():
            job = _Job(settings, source, sites, limits, run, began, writes)
            return _sync(job, mapping_of(settings, sites, now), shortcut)
    except UserError as error:
        if writes:
            _record_failure(run, error, began)
        raise


@dataclass(frozen=True, slots=True)
class _Job:
    """What one sync is about."""

    settings: DirectorySettings
    source: DirectorySource
    sites: Sequence[SitePlan]
    limits: Limits
    run: SyncRun
    began: float
    """Of the monotonic clock."""
    writes: bool


def _sync(job: _Job, mapping: PartyMapping, shortcut: Shortcut) -> SyncOutcome:
    why_full = ""
    if shortcut is not Shortcut.NEVER:
        try:
            return _sync_changes(job, mapping, shortcut)
        except FullReadNeeded as needed:
            why_full = needed.reason
    snapshot = job.source.snapshot()
    job.run.server, job.run.entries = snapshot.server, len(snapshot.entries)
    _must_be_whole(job.settings, snapshot)
    reading = _read(snapshot, mapping, job.settings)
    del snapshot  # a large directory is held in memory once
    return replace(_carry_out(job, reading), why_full=why_full)


def _sync_changes(job: _Job, mapping: PartyMapping, shortcut: Shortcut) -> SyncOutcome:
    """Sync by what changed. An idle run leaves no record. Raises FullReadNeeded."""
    settings, run = job.settings, job.run
    thorough = shortcut is Shortcut.EXACT
    delta = read_delta(settings, job.source, job.sites, mapping, thorough=thorough)
    version = directory_version()
    if delta.empty and nothing_pending(settings.name, settings.grace, run.started_at, version):
        if job.writes and delta.moved_on:
            with write_transaction():
                remember(settings, job.sites, delta.server, delta.cookie, version)
        return SyncOutcome(settings.name, delta.server, "unchanged", incremental=True)
    run.server, run.entries = delta.server, delta.entries
    reading = _Reading(
        delta.server,
        delta.entries,
        PackedStates(),
        delta.warnings,
        all_known=True,
        cookie=delta.cookie,
        delta=delta,
    )
    return _carry_out(job, reading)


def _carry_out(job: _Job, reading: _Reading) -> SyncOutcome:
    while True:
        outcome = _attempt(job, reading)
        if outcome is not None:
            return outcome


@dataclass(frozen=True, slots=True)
class _Reading:
    """A whole snapshot, mapped, or what changed since one."""

    server: str
    entries: int
    states: PackedStates
    warnings: list[Problem]
    all_known: bool
    """Whether every entry could be told apart."""
    hunt_groups: tuple[HuntGroup, ...] = ()
    cookie: str = ""
    """From where changes go on; empty when there is none, or somebody could not be told apart."""
    delta: Delta | None = None
    """Where only what changed was read."""
    digest: int = 0
    """Of the states, where everything was read."""
    members: Members | None = None
    """Of groups, where everything was read."""

    def said_of(self, source: str) -> Mapping[str, PartyState]:
        """Return what the directory says of everybody, by external id. Raises FullReadNeeded."""
        return self.states if self.delta is None else laid_over(load_ids(source), self.delta)


def _must_be_whole(settings: DirectorySettings, snapshot: Snapshot) -> None:
    if not snapshot.complete:
        raise RefusedError(
            f"the directory {settings.name} did not answer completely; {NOTHING_CHANGED}:"
            f" {snapshot.why_incomplete}",
            problems=snapshot.problems,
        )
    if not snapshot.entries and not snapshot.hunt_groups:
        if settings.type == PLACES:
            raise RefusedError(
                f"the list {settings.name} names nothing; {NOTHING_CHANGED}",
                "an empty list never removes anything",
            )
        raise RefusedError(
            f"the directory {settings.name} has no entry under base and filter; {NOTHING_CHANGED}",
            "an empty answer never removes anyone; look at base, filter and the rights of bind_dn",
        )


def _read(snapshot: Snapshot, mapping: PartyMapping, settings: DirectorySettings) -> _Reading:
    """Map the entries. One without an external id, or with that of an earlier one, is set aside
    with a warning."""
    states = PackedStates()
    warnings: list[Problem] = []
    digest, members = Digest(), Members()
    nameless = 0
    count = len(snapshot.entries)
    for entry in _taken(snapshot.entries):
        if not entry.external_id:
            nameless += 1
            warnings.append(_aside(entry, "it has nothing by which to know it again", settings))
        elif entry.external_id in states:
            other = states[entry.external_id].where
            what = f"its id {entry.external_id} is that of {other} too"
            warnings.append(_aside(entry, what, settings))
        else:
            state, bad = mapping.apply(entry)
            if entry.kind != state.kind:
                state = replace(state, kind=entry.kind)
            states.add(state)
            digest.add(state)
            members.note(entry)
            warnings += bad
    if not states and not snapshot.hunt_groups:
        raise RefusedError(
            f"no entry of the directory {settings.name} can be known again; {NOTHING_CHANGED}",
            f"[{settings.section}] id names the attribute by which they are known",
            warnings[:10],
        )
    return _Reading(
        snapshot.server,
        count,
        states,
        warnings,
        not nameless,
        snapshot.hunt_groups,
        snapshot.cookie if len(states) == count else "",
        digest=digest.value,
        members=members,
    )


def _taken(entries: Sequence[Entry]) -> Iterable[Entry]:
    """Give entries and let go of each, so that a large directory is held in memory once."""
    return entries.drained() if isinstance(entries, PackedEntries) else entries


def _aside(entry: Entry, what: str, settings: DirectorySettings) -> Problem:
    hint = f"[{settings.section}] id names the attribute by which entries are known"
    return Problem(entry.where, 0, "", f"the entry is set aside: {what}", hint, warning=True)


def _nobody_left(source: str, current: Current, reading: _Reading) -> Problem:
    absent = sum(
        row.departed_at is None and row.external_id not in reading.states for row in current.parties
    )
    what = (
        f"{absent} people are not in the answer, but as some entries have no id nobody is taken to"
        " have left"
    )
    return Problem("", 0, f"[directory:{source}]", what, warning=True)


def _attempt(job: _Job, reading: _Reading) -> SyncOutcome | None:
    """Plan on what is stored now and apply it. Returns None when somebody else changed the
    directory in between: planning holds no lock, for it can take longer than others may wait."""
    settings, run = job.settings, job.run
    version = directory_version()
    locks = locks_of(settings.name)
    rest = (reading.hunt_groups, reading.all_known)
    said = fingerprint(reading.digest, settings, job.sites, locks, rest)
    if reading.delta is None and said_before(settings.name, said, version):
        return _nothing_to_do(job, reading, version)
    state = SourceState.get_or_none(SourceState.source == settings.name)
    terms = Terms(
        now=run.started_at,
        first=state is None,
        grace=settings.grace,
        default_site=settings.site,
        sites=job.sites,
        absent_departed=reading.all_known,
    )
    current, concerned = load_narrowed(settings.name, reading, terms, locks)
    states, kept = without_locked(concerned, current.parties, locks)
    decided = plan(current, states, terms)
    hunt_groups.plan_groups(decided, settings.name, reading.hunt_groups)
    decided.warnings += [*kept, *proposals(current, decided, aliases())]
    if not reading.all_known:
        decided.warnings.append(_nobody_left(settings.name, current, reading))
    outcome = _outcome(settings.name, reading, decided)
    if not (terms.first or decided.empty):
        verdicts = weigh(current, decided, job.limits)
        outcome = replace(outcome, guard=tuple(verdicts))
        problems = refusals(verdicts, settings.name, settings.section)
        if problems:
            raise SyncRefused(
                f"the sync of {settings.name} would change too much; {NOTHING_CHANGED}",
                "",
                problems,
                replace(outcome, outcome="refused"),
            )
    if not job.writes:
        return outcome
    rows = None if decided.empty else prepare(decided, settings.name, terms.now, settings.site)
    with write_transaction():
        if directory_version() != version:
            return None
        _record(run, outcome, job.began)
        if not decided.empty:
            apply_plan(decided, settings.name, terms.now, run.id, rows, settings.site)
        if reading.members is not None:
            reading.members.keep(settings.name)
        if reading.delta is None:
            _remember(settings.name, terms.now)
            if reading.all_known and not (decided.conflicts or decided.warnings):
                # Running twice changes nothing: the same answer will find nothing to do.
                keep(settings.name, said, directory_version())
        if reading.cookie:
            busy = (arrival.external_id for arrival in decided.arrivals)
            keep_unsettled(settings.name, current, busy, directory_version())
        following = (reading.server, reading.cookie, directory_version())
        remember(settings, job.sites, *following)
    return outcome if decided.empty else replace(outcome, outcome="applied")


def load_narrowed(
    source: str, reading: _Reading, terms: Terms, locks: Locks
) -> tuple[Current, list[PartyState]]:
    """Return what is stored of those about whom there is something to decide, and what is said of
    them. Raises FullReadNeeded."""
    found = None
    if reading.delta is not None:
        found = narrow_few(source, reading.delta, terms, locks, directory_version())
    return found or narrow(StoredParties(source), reading.said_of(source), terms, locks)


def _nothing_to_do(job: _Job, reading: _Reading, version: int) -> SyncOutcome | None:
    """Put on record that the directory says what it said before. Returns None as ``_attempt``."""
    outcome = SyncOutcome(
        job.settings.name,
        reading.server,
        "unchanged",
        reading.entries,
        warnings=tuple(reading.warnings),
    )
    if job.writes:
        with write_transaction():
            if directory_version() != version:
                return None
            _record(job.run, outcome, job.began)
            if reading.members is not None:
                reading.members.keep(job.settings.name)
            _remember(job.settings.name, job.run.started_at)
            remember(job.settings, job.sites, reading.server, reading.cookie, version)
    return outcome


def _outcome(source: str, reading: _Reading, decided: Plan) -> SyncOutcome:
    return SyncOutcome(
        source=source,
        server=reading.server,
        outcome="unchanged" if decided.empty else "would-change",
        entries=reading.entries,
        incremental=reading.delta is not None,
        arrived=len(decided.arrivals) + len(decided.newcomers),
        departed=len(decided.departures),
        returned=len(decided.returns),
        changed=len({d.owner for d in decided.differences if d.owner and d.what == "changed"}),
        closed=len(decided.closed_parties),
        differences=tuple(decided.differences),
        conflicts=tuple(decided.conflicts),
        warnings=(*reading.warnings, *decided.warnings),
    )


def _record(run: SyncRun, outcome: SyncOutcome, began: float) -> None:
    run.outcome = "unchanged" if outcome.outcome == "unchanged" else "applied"
    run.arrived, run.departed, run.changed = outcome.arrived, outcome.departed, outcome.changed
    run.conflicts, run.warnings = len(outcome.conflicts), len(outcome.warnings)
    # On every run until mended; the audit has a row of each only when something changed.
    run.message = "; ".join(map(str, outcome.conflicts))[:_LONGEST_MESSAGE]
    _save(run, began)


def _record_failure(run: SyncRun, error: UserError, began: float) -> None:
    run.outcome = "refused" if isinstance(error, RefusedError) else "failed"
    run.message = str(error)[:_LONGEST_MESSAGE]
    with write_transaction():
        _save(run, began)


def _save(run: SyncRun, began: float) -> None:
    run.ended_at = run.started_at + round(time.monotonic() - began)
    run.save(force_insert=True)


def _remember(source: str, now: int) -> None:
    SourceState.insert(source=source, first_complete_at=now, last_complete_at=now).on_conflict(
        conflict_target=[SourceState.source], update={SourceState.last_complete_at: now}
    ).execute()
