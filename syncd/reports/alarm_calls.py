"""Calls that an alarm is about, in the scope of one reader: what they do not see, they are not told."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from syncd.domain.days import Days, day_date, day_number, next_day
from syncd.domain.money import format_micros
from syncd.reports.dimensions import Raw
from syncd.reports.environment import Environment
from syncd.reports.listing import list_rows
from syncd.reports.lookups import Lookups
from syncd.reports.permissions import Scope
from syncd.reports.query import Query
from syncd.reports.reading import read
from syncd.reports.render.table import cell_text
from syncd.reports.request import Request, specify
from syncd.settings.mailing import AlarmSettings
from syncd.store.models import Destination

ABOUT_CALLS = {
    "call-cost": "calls",
    "calls": "calls",
    "outside-hours": "calls",
    "person-cost": "by-person",
}
"""The report that shows the same, whose level opens the alarm."""
AHEAD = 3600
"""Seconds by which the clock of a PBX may be ahead."""
CONNECTED = "disposition!=no-answer,busy,cancelled,failed"
WHOSE_LINE = "CASE WHEN c.party_id = 0 THEN c.line_id ELSE 0 END"


class Event(NamedTuple):
    """Something that is told once."""

    key: str
    """What it is known by, the same after reprocessing and rating anew."""
    at: int
    """Epoch seconds."""
    line: str
    """What a reader is told of it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Calls of one person, or of one line that nobody has, in one local day."""

    key: str
    party: int
    label: str
    day: int
    calls: int
    micros: int
    last: int


def call_events(alarm: AlarmSettings, scope: Scope, environment: Environment) -> list[Event]:
    """Return the events that a scope shows, the oldest first."""
    if alarm.on == "person-cost" or (alarm.on != "call-cost" and alarm.calls > 1):
        events = [
            _told_group(alarm, one, environment) for one in _groups(alarm, scope, environment)
        ]
    else:
        events = list(_single(alarm, scope, environment))
    return sorted(dict.fromkeys(events), key=lambda event: (event.at, event.key))


def call_traces(
    alarm: AlarmSettings, scope: Scope, environment: Environment
) -> list[tuple[str, int]]:
    """Return what tells whether the events of a scope are still the same, and whose calls they are
    of (id of the party, 0: nobody's): as cheap as can be."""
    if alarm.on == "person-cost" or (alarm.on != "call-cost" and alarm.calls > 1):
        groups = _groups(alarm, scope, environment)
        return sorted((f"{one.key} {one.calls} {one.micros}", one.party) for one in groups)
    fits = _moments(alarm, environment)
    return sorted(
        (f"{call} {cost}", party)
        for site, query in _queries(alarm, scope, environment)
        for call, started_at, cost, party in read(query, "c.id, c.started_at, c.cost, c.party_id")
        if fits(started_at, site)
    )


def _single(alarm: AlarmSettings, scope: Scope, environment: Environment) -> Iterator[Event]:
    """Yield an event for each call."""
    fits = _moments(alarm, environment)
    for site, query in _queries(alarm, scope, environment):
        for row in list_rows(query, {}):
            started = datetime.fromisoformat(row["started_at"])
            at = int(started.timestamp())
            if row["id"] is None or not fits(at, site):
                continue
            seconds = row["duration"]
            cost = "no price" if row["cost"] is None else f"{row['cost']} {environment.currency}"
            parts = (
                f"{started:%Y-%m-%d %H:%M}",
                row["person"] or "",
                row["line_id"] or "",
                row["other_number"] or "",
                row["destination"] or row["class"],
                f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}",
                cost.rstrip(),
                row["id"],
            )
            yield Event(row["id"], at, "  ".join(cell_text(part) for part in parts if part))


def _groups(alarm: AlarmSettings, scope: Scope, environment: Environment) -> list[Group]:
    """Return the people who reach the threshold in a day of the period."""
    asked = list(_queries(alarm, scope, environment))
    if not asked:  # no rate deck has such a destination
        return []
    first = asked[0].query
    spent = alarm.on == "person-cost"
    by_whom = _sums(first, environment) if spent else _counts(alarm, asked, environment)
    found = []
    for (day, party, line), (calls, micros, last) in by_whom.items():
        reached = micros >= (alarm.amount or 0) if spent else calls >= alarm.calls
        if reached and last >= environment.now - alarm.max_age:
            key = f"line:{_line(first, line)}:{day}"
            if party:
                key = f"person:{party}:{day}"
            label = _label(first, party, line)
            found.append(Group(key, party, label, day, calls, micros, last))
    return found


Whom = tuple[int, int, int]
"""Local day, party, and where that is 0 the line."""


def _sums(query: Query, environment: Environment) -> dict[Whom, tuple[int, int, int]]:
    """Return of each day and person how many rows there are, what they cost, and when the last of
    them began. The database adds up: a day may have very many."""
    found: dict[Whom, tuple[int, int, int]] = {}
    day = query.lookups.first
    while day < query.lookups.end:
        start, stop = query.lookups.days.bounds(day)
        rows = read(
            query,
            f"c.party_id, {WHOSE_LINE}, COUNT(*), SUM(c.cost), MAX(c.started_at)",
            f"started_at >= {start} AND started_at < {min(stop, environment.now + AHEAD)}",
            then=f"GROUP BY c.party_id, {WHOSE_LINE}",
        )
        for party, line, calls, micros, last in rows:
            before = found.get((day, party, line), (0, 0, 0))
            found[day, party, line] = (
                before[0] + calls,
                before[1] + int(micros or 0),
                max(before[2], last),
            )
        day = next_day(day)
    return found


def _counts(
    alarm: AlarmSettings, asked: list[Asked], environment: Environment
) -> dict[Whom, tuple[int, int, int]]:
    """Return the same of the rows of several queries, each once."""
    fits, by_hours = _moments(alarm, environment), alarm.on == "outside-hours"
    columns = f"c.id, c.started_at, c.party_id, {WHOSE_LINE}, COALESCE(c.cost, 0)"
    rows = {row[0]: (site, *row[1:]) for site, query in asked for row in read(query, columns)}
    found: dict[Whom, tuple[int, int, int]] = {}
    for site, started_at, party, line, cost in rows.values():
        if started_at >= environment.now + AHEAD or (by_hours and not fits(started_at, site)):
            continue
        day = day_number(datetime.fromtimestamp(started_at, environment.zone).date())
        calls, micros, last = found.get((day, party, line), (0, 0, 0))
        found[day, party, line] = (calls + 1, micros + cost, max(last, started_at))
    return found


def _line(query: Query, line: int) -> str:
    return str(
        query.lookups.label("line_id", query.lookups.key_of("line_id", Raw.LINE)(line)) or ""
    )


def _label(query: Query, party: int, line: int) -> str:
    if not party:
        return _line(query, line)
    return str(
        query.lookups.label("person", query.lookups.key_of("person", Raw.PARTY)(party)) or ""
    )


def _told_group(alarm: AlarmSettings, one: Group, environment: Environment) -> Event:
    calls = f"{one.calls} call{'s' if one.calls != 1 else ''}"
    cost = f"  {format_micros(one.micros)} {environment.currency}".rstrip()
    label = cell_text(one.label)
    return Event(one.key, one.last, f"{day_date(one.day)}  {label}  {calls}{cost}")


def _moments(alarm: AlarmSettings, environment: Environment) -> Callable[[int, str], bool]:
    """Return whether a call that began at a moment, of a line of a site, is told."""
    since, until = environment.now - alarm.max_age, environment.now + AHEAD
    if alarm.on != "outside-hours":
        return lambda at, site: since <= at <= until
    working = environment.working_times
    if alarm.hours:
        working = working.with_hours(alarm.hours)
    # A group counts the whole of a day, a call only while it is new.
    if alarm.calls > 1:
        return lambda at, site: not working.within(site, at)
    return lambda at, site: since <= at <= until and not working.within(site, at)


class Asked(NamedTuple):
    """A query, and the site whose working times its rows have, empty for those of the company."""

    site: str
    query: Query


def _queries(alarm: AlarmSettings, scope: Scope, environment: Environment) -> Iterator[Asked]:
    """Yield the queries whose rows the alarm is about; one row may be in several."""
    found: Iterable[tuple[str, tuple[str, ...]]]
    found = (("", filters) for filters in _filters(alarm))
    if alarm.on == "outside-hours":
        found = _at_sites(next(_filters(alarm)), environment)
    zone = environment.zone
    first = datetime.fromtimestamp(environment.now - alarm.max_age, zone).date()
    last = datetime.fromtimestamp(environment.now + AHEAD, zone).date()
    for site, filters in found:
        yield Asked(site, _query(scope, filters, first, last, environment))


def _at_sites(
    filters: tuple[str, ...], environment: Environment
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the filters once for each site with working times of its own, and once for the rest."""
    sites = list(environment.working_times.sites)
    others = (f"site!={','.join(map(_value, sites))}",) if sites else ()
    yield "", (*filters, *others)
    for site in sites:
        yield site, (*filters, f"site={_value(site)}")


def _filters(alarm: AlarmSettings) -> Iterator[tuple[str, ...]]:
    """Yield what each query of an alarm is filtered by."""
    common = [f"department={_value(name)}" for name in alarm.departments]
    if alarm.on == "call-cost":
        yield (*common, f"cost>={format_micros(alarm.amount or 0)}")
        return
    if alarm.on == "person-cost":
        yield tuple(common)
        return
    common += ["direction=outgoing", CONNECTED]
    if alarm.on == "outside-hours":
        yield tuple(common)
    if alarm.classes:
        yield (*common, f"class={','.join(alarm.classes)}")
    names = _destinations(alarm.destinations)
    if names:
        yield (*common, f"destination={','.join(map(_value, names))}")


def _query(
    scope: Scope, filters: tuple[str, ...], first: date, last: date, environment: Environment
) -> Query:
    end = date.fromordinal(last.toordinal() + 1)
    request = Request("calls", first.isoformat(), end.isoformat(), filters=filters)
    specification = specify(request, environment)
    lookups = Lookups(Days(environment.zone), day_number(first), day_number(end))
    return Query(scope, specification, lookups)


def _destinations(patterns: tuple[str, ...]) -> list[str]:
    """Return the destinations that patterns name."""
    if not patterns:
        return []
    known = [name for (name,) in Destination.select(Destination.name).tuples() if name]
    wanted = [pattern.casefold() for pattern in patterns]
    return sorted(
        name
        for name in known
        if any(fnmatch.fnmatchcase(name.casefold(), pattern) for pattern in wanted)
    )


def _value(text: str) -> str:
    return text.replace(",", "\\,")
