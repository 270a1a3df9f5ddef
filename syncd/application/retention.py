"""What is older than the settings say goes: said beforehand, and done in chunks that may stop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from syncd.application.composition import MAINTENANCE, NEVER, Application, Stop
from syncd.application.months import plan_of
from syncd.billing.plan import digit_patterns
from syncd.domain.codes import FileState
from syncd.domain.days import Days, day_date, month_of
from syncd.domain.posting import next_month
from syncd.settings.model import Settings
from syncd.settings.retention import CLASSES
from syncd.store import retention as store
from syncd.store import truncation
from syncd.store.adjustments import closing
from syncd.store.database import get_meta, set_meta, write_transaction
from syncd.store.maintenance_runs import DONE, RUNNING, unfinished_runs
from syncd.store.models import File, MaintenanceRun
from syncd.store.periods import first_month, shown_month
from syncd.store.retention import Place
from syncd.store.sealed import Seal, seal, set_seal
from syncd.store.trunk_counters import dirty_before

KIND = "retain"
LOOKED = "retention_at"
"""The key under which the database remembers when retention was looked after last."""
DAY = 86_400
FILES_AT_ONCE = 200
RECORD_BYTES, CALL_BYTES = 430, 190
"""Of a record and a call row, about, with what the indexes hold of them."""
MARGIN = 10_000
"""Ids by which a record that came late may lie below the last: several processes may be writing."""
TRUNCATE = "truncate_numbers"
DOUBTED = 14 * DAY
"""For how long there may be no call before the clock is doubted: a telephone system writes what its own
clock says. It is rarer than a clock that is wrong for a minute after a restart, and only puts off."""
LOOKED_BACK = 3 * DAY
"""How much longer than their age what alarms told is looked at, and a day."""


@dataclass(slots=True)
class Due:
    """What of a class of data is older than it is kept, and would go, or went."""

    name: str
    days: int
    """For how many it is kept; 0: for ever."""
    before: date | None = None
    """Its first day that stays."""
    first: date | None = None
    """The day of the oldest that goes."""
    rows: int = 0
    bytes: int = 0
    """About."""
    details: dict[str, int] = field(default_factory=dict)
    note: str = ""


Progress = Callable[[Due], None]


def unfinished() -> bool:
    """Say whether a run was interrupted."""
    return bool(unfinished_runs(KIND))


def due_now(application: Application) -> bool:
    """Say whether the schedule asks for a run, or one was interrupted. The first time it is asked
    nothing is due yet: who has just written the options sees beforehand what would go. So it is where
    the last time is yet to come, because the clock was ahead then."""
    settings, now = application.settings, application.clock()
    with application.connected():
        if unfinished():
            return True
        last = get_meta(LOOKED)
        ahead = bool(last) and int(last) > now
        if (
            last
            and not ahead
            and now >= settings.retention.schedule.next_after(int(last), settings.timezone)
        ):
            return True
        if not last or ahead:
            with write_transaction():
                set_meta(LOOKED, str(now))
        return False


def doubt(application: Application) -> str:
    """Return why nothing should go unasked: the clock is far ahead of the last call, so it may be
    wrong, and what goes cannot be brought back. Empty where it is not."""
    now = application.clock()
    with application.connected():
        last = store.last_record()
    if last is None or now - last <= DOUBTED:
        return ""
    day = day_date(Days(application.settings.timezone).day(last))
    return (
        f"the last call is of {day}, {(now - last) // DAY} days ago by the clock: if that is right,"
        " syncd retention run removes what is due"
    )


def preview(application: Application) -> list[Due]:
    """Return what would go now, for each class that is not kept for ever. Nothing is written."""
    with application.connected():
        return [
            _preview(application, name, days) for name, days in _spans(application.settings) if days
        ]


def _spans(settings: Settings) -> Iterator[tuple[str, int]]:
    for name in (*CLASSES, TRUNCATE):
        yield name, getattr(settings.retention, name)


def _preview(application: Application, name: str, days: int) -> Due:
    zone = Days(application.settings.timezone)
    first_kept = zone.day(application.clock() - days * DAY)
    due = Due(name, days, day_date(first_kept))
    start = zone.start(first_kept)
    if name == "calls":
        chosen, due.note = _seal(application, days)
        due.before = day_date(chosen.day) if chosen.day else None
        staying, _ = store.going_on(chosen.start)
        records, calls, withheld, oldest = store.calls_before(chosen)
        due.rows = records
        due.details = {"calls": calls, "withheld": withheld}
        due.bytes = records * RECORD_BYTES + (calls + withheld) * CALL_BYTES
        due.first = None if oldest is None else day_date(zone.day(oldest))
        if staying:
            said = f"{len(staying)} conversations that go on stay until the next run"
            due.note = "; ".join(filter(None, (due.note, said)))
    elif name == TRUNCATE:
        days_of_calls = application.settings.retention.calls
        gone = _seal(application, days_of_calls)[0].start if days_of_calls else 0
        since = max(truncation.reached().since, gone)
        due.rows = store.records_between(since, start) if since < start else 0
    elif name == "archive":
        due.rows, due.bytes = _archived(start)
    else:
        for aged in store.AGED[name]:
            rows, size = store.count(aged, _limit(application, aged, start))
            due.rows += rows
            due.bytes += size
            due.details[aged.table] = rows
    return due


def _seal(application: Application, days: int) -> tuple[Seal, str]:
    """Return up to where days would be sealed, and why not further where that is so."""
    settings = application.settings
    zone = Days(settings.timezone)
    day = zone.day(application.clock() - days * DAY)
    note = ""
    plan = plan_of(settings)
    if not plan.empty:
        through = closing().through
        first_open = next_month(through) if through else first_month()
        if first_open is not None and month_of(day) >= first_open:
            day = min(day, first_open * 100 + 1)
            note = (
                f"{shown_month(first_open)} is open, and what is booked by the month needs its"
                " calls: syncd period close"
            )
    if day < seal().day:
        day = seal().day
    return Seal(day, zone.start(day)), note


# --- the run --------------------------------------------------------------------------------------


def carry_out(
    application: Application, *, progress: Progress = lambda due: None, stop: Stop = NEVER
) -> list[Due]:
    """Remove what is due. Returns what went of each class; raises TryAgainError when maintenance is
    busy. Asked to stop it leaves the rest to the next run."""
    # Trunks are counted by records that are about to go.
    application.roll_up(stop=stop)
    found = []
    with application.connected(), application.locked(MAINTENANCE, stop):
        run = _begin(application.clock())
        for name, days in _spans(application.settings):
            if not days or stop.is_set():
                continue
            due = Due(name, days)
            found.append(due)
            with contextlib.suppress(_Stopped):
                _WORK.get(name, _remove_aged)(application, due, _Steps(due, progress, stop))
        if not stop.is_set():
            with write_transaction():
                run.state, run.ended_at = DONE, application.clock()
                run.save()
    # Whose the sealed days were is no longer in the sums.
    application.roll_up(stop=stop)
    return found


def _begin(now: int) -> MaintenanceRun:
    with write_transaction():
        set_meta(LOOKED, str(now))
        run: MaintenanceRun | None = MaintenanceRun.get_or_none(
            (MaintenanceRun.kind == KIND) & (MaintenanceRun.state == RUNNING)
        )
        if run is None:
            run = MaintenanceRun(kind=KIND, started_at=now, state=RUNNING)
            run.save(force_insert=True)
        return run


class _Stopped(Exception):
    """Work was asked to stop between two chunks."""


class _Steps:
    """Counts what goes, and stops between two chunks when asked to."""

    def __init__(self, due: Due, progress: Progress, stop: Stop) -> None:
        self._due = due
        self._progress = progress
        self._stop = stop

    def done(self, rows: int, size: int = 0, **details: int) -> None:
        """Note a chunk. Raises _Stopped."""
        self._due.rows += rows
        self._due.bytes += size
        for name, count in details.items():
            self._due.details[name] = self._due.details.get(name, 0) + count
        self._progress(self._due)
        if self._stop.is_set():
            raise _Stopped


def _start(application: Application, due: Due) -> int:
    """Return the moment (epoch seconds) before which a class goes."""
    zone = Days(application.settings.timezone)
    day = zone.day(application.clock() - due.days * DAY)
    due.before = day_date(day)
    return zone.start(day)


def _remove_calls(application: Application, due: Due, steps: _Steps) -> None:
    chosen, due.note = _seal(application, due.days)
    due.before = day_date(chosen.day)
    with write_transaction():
        if dirty_before(chosen.start):
            due.note = "records of days to be sealed keep coming: the next run seals them"
            return
        set_seal(chosen)
        staying, until = store.going_on(chosen.start)
        store.freeze(staying, chosen.start, until)
    place: Place | None = Place()
    zone = application.settings.timezone
    while place is not None:
        with write_transaction():
            removed = store.remove_calls(chosen, staying, place, zone)
        place = removed.place
        size = removed.records * RECORD_BYTES + (removed.calls + removed.withheld) * CALL_BYTES
        steps.done(removed.records, size, calls=removed.calls, withheld=removed.withheld)
    more = True
    while more:
        with write_transaction():
            more = store.remove_beside_calls(chosen, month_of(chosen.day))
        steps.done(0)


def _remove_aged(application: Application, due: Due, steps: _Steps) -> None:
    start = _start(application, due)
    for aged in store.AGED[due.name]:
        before = _limit(application, aged, start)
        rows, size = store.count(aged, before)
        each = size // rows if rows else 0
        gone = store.AT_ONCE
        while gone == store.AT_ONCE:
            with write_transaction():
                gone = store.remove(aged, before)
            steps.done(gone, gone * each, **{aged.table: gone})


def _limit(application: Application, aged: store.Aged, before: int) -> int:
    """Return the moment (epoch seconds) before which rows of a table go: what an alarm might tell a
    second time stays as long as it might."""
    if aged is not store.ALARMS:
        return before
    alarms = application.settings.mailing.alarms.values()
    longest = max((alarm.max_age for alarm in alarms), default=0)
    return min(before, application.clock() - longest - LOOKED_BACK)


def _archived(before: int) -> tuple[int, int]:
    """Return how many archived files there are from before a moment, and their bytes."""
    files = size = 0
    for (path,) in File.select(File.archive).where(_old(before)).tuples():
        with contextlib.suppress(OSError):
            size += Path(path).stat().st_size
            files += 1
    return files, size


def _old(before: int) -> object:
    return (File.archive != "") & (File.taken_at < before)


def _remove_files(application: Application, due: Due, steps: _Steps) -> None:
    before = _start(application, due)
    while rows := list(
        File.select(File.id, File.archive, File.state)
        .where(_old(before))
        .order_by(File.id)
        .limit(FILES_AT_ONCE)
        .tuples()
    ):
        files = size = 0
        for _, name, state in rows:
            path = Path(name)
            with contextlib.suppress(FileNotFoundError):
                size += path.stat().st_size
                path.unlink()
                files += 1
            if state != FileState.SET_ASIDE:
                with contextlib.suppress(OSError):
                    path.parent.rmdir()  # of one day, when it was the last
        with write_transaction():
            File.update(archive="").where(File.id << [row[0] for row in rows]).execute()
        steps.done(files, size)


def _truncate(application: Application, due: Due, steps: _Steps) -> None:
    until = _start(application, due)
    settings = application.settings
    keep = settings.retention.keep_digits
    lines = truncation.known_numbers()
    patterns = digit_patterns(
        tuple(one for site in settings.sites.values() for one in site.internal_numbers)
    ).fullmatch

    def inside(number: str) -> bool:
        return number in lines or patterns(number) is not None

    reached = truncation.reached()
    staying, _ = store.going_on(until)
    last = max(reached.record, truncation.last_record() - MARGIN)
    place: Place | None = Place()
    while place is not None:
        with write_transaction():
            chunk = truncation.truncate(reached.since, until, staying, place, keep, inside)
        place = chunk.place
        steps.done(chunk.cut, calls=chunk.calls)
    above, more = reached.record, bool(reached.until)
    while more:
        with write_transaction():
            late, above = truncation.truncate_late(above, until, staying, keep, inside)
        more = late.place is not None
        steps.done(late.cut, calls=late.calls)
    with write_transaction():
        since = truncation.first_start(staying, until)
        truncation.set_reached(truncation.Reached(until, since, last))


_WORK: dict[str, Callable[[Application, Due, _Steps], None]] = {
    "calls": _remove_calls,
    "archive": _remove_files,
    TRUNCATE: _truncate,
}
