"""Alarms about the installation and not about somebody's calls: they need a level, not a scope."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from peewee import fn

from syncd.domain.codes import Direction, FileState
from syncd.domain.days import Days, day_date, day_number
from syncd.licensing.claims import Terms
from syncd.licensing.view import view
from syncd.reports.alarm_calls import AHEAD, Event
from syncd.reports.environment import Environment
from syncd.reports.lookups import Lookups
from syncd.reports.permissions import Reach, Scope
from syncd.reports.query import SUM_NAMES, Query
from syncd.reports.render.table import cell_text
from syncd.reports.specification import Specification
from syncd.settings.mailing import AlarmSettings
from syncd.settings.model import Settings
from syncd.store.database import read_transaction
from syncd.store.models import File, GrowingFile, SyncRun

LEVELS = {"unrated": 8, "licence": 8, "rejects": 10, "quiet-folder": 10, "sync-failing": 10}
REPORTS = {
    "unrated": "unrated",
    "licence": "licence",
    "rejects": "rejects",
    "quiet-folder": "files",
    "sync-failing": "person",
}
"""The report or verb that shows the same, whose level opens the alarm as well."""
LEAST_ROWS = 20
"""A share of fewer rows says nothing."""
FAILURES = 3
"""Syncs in a row, the last ones."""
NANOSECONDS = 1_000_000_000


def condition_events(
    alarm: AlarmSettings, settings: Settings, environment: Environment
) -> list[Event]:
    """Return what is the case now."""
    return _FOUND[alarm.on](alarm, settings, environment)


def _unrated(alarm: AlarmSettings, settings: Settings, environment: Environment) -> list[Event]:
    now, zone = environment.now, environment.zone
    first = datetime.fromtimestamp(now - alarm.max_age, zone).date()
    end = day_date(day_number(datetime.fromtimestamp(now + AHEAD, zone).date()))
    end = end.fromordinal(end.toordinal() + 1)
    specification = Specification(
        "unrated", first, end, ("day",), filters=(("direction", (Direction.OUTGOING.word,)),)
    )
    lookups = Lookups(Days(zone), day_number(first), day_number(end))
    with read_transaction():
        sums = Query(Scope(Reach.ALL), specification, lookups).sums(("day",))
    unrated, rows = SUM_NAMES.index("unrated"), SUM_NAMES.index("rows")
    found = []
    for (key,), sum_ in sums.items():
        if sum_[rows] >= LEAST_ROWS and sum_[unrated] * 100 >= alarm.percent * sum_[rows]:
            day = lookups.label("day", key)
            line = (
                f"{day}  {sum_[unrated]} of {sum_[rows]} outgoing rows have no price"
                f" ({_share(sum_[unrated], sum_[rows])})"
            )
            found.append(Event(f"unrated:{key}", now, line))
    return found


def _share(part: int, whole: int) -> str:
    """Return a share in percent, cut."""
    return f"{part * 100 // whole} %"


def _rejects(alarm: AlarmSettings, settings: Settings, environment: Environment) -> list[Event]:
    now = environment.now
    today = datetime.fromtimestamp(now, environment.zone).date()
    since, _ = Days(environment.zone).bounds(day_number(today))
    read, rejected = (
        File.select(fn.SUM(File.read), fn.SUM(File.rejected)).where(File.taken_at >= since).tuples()
    )[0]
    read, rejected = int(read or 0), int(rejected or 0)
    if read < LEAST_ROWS or rejected * 100 < alarm.percent * read:
        return []
    line = (
        f"{today}  {rejected} of {read} rows of files were rejected ({_share(rejected, read)}):"
        " syncd rejects lists them"
    )
    return [Event(f"rejects:{today}", now, line)]


def _licence(alarm: AlarmSettings, settings: Settings, environment: Environment) -> list[Event]:
    licensing = settings.licensing
    found = view(Terms(licensing.slots, licensing.automatic_acquisition), environment.now)
    if not found.slots or found.used * 100 < alarm.percent * found.slots:
        return []
    month = f"{datetime.fromtimestamp(environment.now, environment.zone):%Y-%m}"
    line = f"{found.used} of {found.slots} slots are taken, {found.waiting} lines wait for one"
    return [Event(f"licence:{found.slots}:{month}", environment.now, line)]


def _quiet(alarm: AlarmSettings, settings: Settings, environment: Environment) -> list[Event]:
    found = []
    for name, source in settings.cdr.items():
        taken = File.select(fn.MAX(File.taken_at)).where(
            File.source == name, File.state != int(FileState.FAILED)
        )
        grown = GrowingFile.select(fn.MAX(GrowingFile.modified)).where(GrowingFile.source == name)
        last = max(int(taken.scalar() or 0), int(grown.scalar() or 0) // NANOSECONDS)
        if last and source.quiet_after and environment.now - last > source.quiet_after:
            at = datetime.fromtimestamp(last, environment.zone)
            line = f"{name}: nothing came since {at:%Y-%m-%d %H:%M}"
            found.append(Event(f"quiet:{name}:{last}", last, line))
    return found


def _failing(alarm: AlarmSettings, settings: Settings, environment: Environment) -> list[Event]:
    found = []
    for name in settings.directories:
        of_source = SyncRun.select().where(SyncRun.source == name)
        last = list(of_source.order_by(SyncRun.id.desc()).limit(FAILURES))
        if len(last) < FAILURES or any(run.outcome not in ("failed", "refused") for run in last):
            continue
        good = of_source.where(SyncRun.outcome.not_in(("failed", "refused")))
        good = good.order_by(SyncRun.id.desc()).first()
        line = cell_text(f"{name}: the last {FAILURES} syncs failed: {last[0].message}")
        key = f"sync:{name}:{0 if good is None else good.id}"
        found.append(Event(key, int(last[0].ended_at), line))
    return found


_FOUND: dict[str, Callable[[AlarmSettings, Settings, Environment], list[Event]]] = {
    "unrated": _unrated,
    "rejects": _rejects,
    "licence": _licence,
    "quiet-folder": _quiet,
    "sync-failing": _failing,
}
