"""A company with a year of calls, written straight into an SQLite database.

Everything is a function of the place in the year, so the same size gives the same rows. Records and
call rows are made inside SQLite by arithmetic on their number: ten million take minutes, where
intake would take an hour. The sums are then built by the program's own code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

ZONE = ZoneInfo("Europe/Rome")
YEAR = 2025
NOW = int(datetime(YEAR, 12, 31, 20, tzinfo=ZONE).timestamp())
"""The last month is not over: it has sums by day alone."""
OPENS, CLOSES = 7 * 3600 + 1800, 19 * 3600
"""Seconds of the local day between which calls begin."""
WEIGHTS = (20, 20, 20, 20, 20, 3, 1)
"""How the calls of a week fall on its days, Monday first."""
ROWS_OF_FOUR_RECORDS = 5
"""Every fourth record is an internal call, with a row for either side."""

COUNTRIES = 230
"""Destinations; the first few are of the country itself."""
ABROAD = 4
ANONYMOUS = 200
"""Lines that nobody holds."""
OFFICES = 10
MOVES = int(datetime(YEAR, 7, 1, tzinfo=ZONE).timestamp())
"""When every tenth person goes to another department."""

VIEWERS = {
    "own": (2, 0),
    "busy": (2, 0),
    "six1": (6, 1),
    "six20": (6, 20),
    "six200": (6, 200),
    "eight": (8, 0),
}
"""Level and number of departments of the people who look, by username."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    calls: int = 10_000_000
    """Call rows, about."""
    people: int = 5_000
    departments: int = 200


def build(database: Path, size: Size) -> int:
    """Write everything but the sums into a database that is brought up to date already. Returns the
    number of call rows."""
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=wal", "synchronous=off", "cache_size=-1000000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    _directory(connection, size)
    connection.execute("COMMIT")
    records = 0
    for first, seconds in _days(size):
        if not seconds:
            continue
        connection.execute("BEGIN")
        _one_day(connection, records, first, seconds, size)
        connection.execute("COMMIT")
        records += seconds
    connection.execute("DROP TABLE bench_holder")
    connection.execute("PRAGMA wal_checkpoint(truncate)")
    calls = connection.execute("SELECT COUNT(*) FROM call").fetchone()[0]
    connection.close()
    return int(calls)


def _days(size: Size) -> Iterator[tuple[int, int]]:
    """Yield for each day the epoch second at which its first call begins, and its records."""
    days = [date(YEAR, 1, 1) + timedelta(days=number) for number in range(365)]
    weights = [WEIGHTS[day.weekday()] for day in days]
    records = size.calls * 4 // ROWS_OF_FOUR_RECORDS
    done = before = 0
    for day, weight in zip(days, weights, strict=True):
        before += weight
        until = records * before // sum(weights)
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
        yield int(midnight.astimezone(UTC).timestamp()) + OPENS, until - done
        done = until


def _directory(connection: sqlite3.Connection, size: Size) -> None:
    """Write people, lines, orgs and names, and which of them calls are of."""
    people, departments = size.people, size.departments

    def org(person: int, moved: int) -> tuple[str, str, str]:
        department = (person + 7 * moved) % departments
        office = (department + person // departments % 2 * 5) % OFFICES
        return f"department {department}", f"center {department % 50}", f"office {office}"

    orgs: dict[tuple[str, str, str], int] = {}
    holders = []
    for person in range(people):
        moves = int(person % 10 == 3)
        now = org(person, moves)
        before = org(person, 0)
        for place in (before, now):
            if place not in orgs:
                orgs[place] = len(orgs) + 1
                connection.execute("INSERT INTO org VALUES (?, ?, ?, ?)", (orgs[place], *place))
        identity = person + 1
        _insert(
            connection,
            "party",
            {
                "id": identity,
                "source": "corp",
                "external_id": f"id-{person}",
                "kind": "person",
                "arrived_at": 0,
                "username": f"user{person}",
                "username_key": f"user{person}",
                "display_name": f"Person {person}",
                "enabled": 1,
                "department": now[0],
                "cost_center": now[1],
                "office_location": now[2],
            },
        )
        number = f"2{person:05d}"
        connection.execute(
            "INSERT INTO line VALUES (?, 'hq', '', ?, ?)", (identity, number, number)
        )
        spans = [(identity, before, 0, MOVES if moves else 2**62)]
        if moves:
            spans.append((people + identity, now, MOVES, 2**62))
        for profile, place, begins, ends in spans:
            _insert(
                connection,
                "profile",
                {
                    "id": profile,
                    "party_id": identity,
                    "org_id": orgs[place],
                    "display_name": f"Person {person}",
                    "department": place[0].title(),
                    "cost_center": place[1],
                    "office_location": place[2],
                    "custom1": f"Project {person % 120}",
                    "valid_from": begins,
                    "valid_to": ends,
                },
            )
            holders.append((person, begins, ends, identity, identity, profile, orgs[place]))
    for kind, place in (("department", 0), ("cost_center", 1), ("office_location", 2)):
        for key in sorted({names[place] for names in orgs}):
            _insert(connection, "name", {"kind": kind, "key": key, "text": key.title()})
    for spare in range(ANONYMOUS):
        number = f"9{spare:03d}"
        connection.execute(
            "INSERT INTO line VALUES (?, 'hq', '', ?, ?)", (people + 1 + spare, number, number)
        )
    for table, count in (("destination", COUNTRIES), ("trunk", 8), ("carrier", 2)):
        for row in range(1, count + 1):
            _insert(connection, table, {"id": row, "name": f"{table.title()} {row}"})
    codes = sorted(code for code, of in COUNTRY_CODE_TO_REGION_CODE.items() if of[0] != "001")
    connection.executemany(
        "INSERT INTO destination_prefix (destination_id, prefix) VALUES (?, ?)",
        [
            (row, "39" if row < ABROAD else str(codes[row % len(codes)]))
            for row in range(1, COUNTRIES + 1)
        ],
    )
    _insert(
        connection,
        "rate_used",
        {"id": 1, "carrier": "Carrier 1", "version": "deck", "prefix": "39"},
    )
    connection.execute("INSERT INTO pbx (id, name) VALUES (1, 'hq')")
    _insert(
        connection,
        "file",
        {"id": 1, "source": "hq", "name": "bench", "sha256": "0", "size": 0, "state": 1}
        | dict.fromkeys(("taken_at", "read", "stored"), 0),
    )
    _viewers(connection, size)
    connection.execute(
        "CREATE TABLE bench_holder (person INTEGER, begins INTEGER, ends INTEGER, party INTEGER,"
        " line INTEGER, profile INTEGER, org INTEGER, PRIMARY KEY (person, begins)) WITHOUT ROWID"
    )
    connection.executemany("INSERT INTO bench_holder VALUES (?, ?, ?, ?, ?, ?, ?)", holders)


def _viewers(connection: sqlite3.Connection, size: Size) -> None:
    """Give the first people the levels of those who look. ``busy`` is one of the 50 who make a
    twentieth of all calls, the others are from behind them."""
    for place, (username, (level, departments)) in enumerate(VIEWERS.items()):
        person = 13 if username == "busy" else 60 + place
        names = ";".join(
            f"Department {(person + step) % size.departments}"
            for step in range(1, min(departments, size.departments))
        )
        connection.execute(
            "UPDATE party SET username = ?, username_key = ?, permission_level = ?,"
            " level6_basis = 'department', additional_departments = ? WHERE id = ?",
            (username, username, level, names, person + 1),
        )


def _insert(connection: sqlite3.Connection, table: str, values: dict[str, object]) -> None:
    """Insert a row; columns that are not named and may not be null are empty or 0."""
    given = dict(values)
    for _, name, kind, required, _, key in connection.execute(f"PRAGMA table_info({table})"):
        if required and not key and name not in given:
            given[name] = "" if kind == "TEXT" else 0
    names = ", ".join(f'"{name}"' for name in given)
    connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(given))})", [*given.values()]
    )


# Numbers that look as if they were random: each one is made of the last by a step of a linear
# congruence, and of each the upper bits are used.
_RANDOM = """
WITH RECURSIVE place(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM place WHERE k + 1 < :count),
a AS (SELECT k, :before + k + 1 AS id, (:before + k + 1) * 2654435761 % 4294967296 AS r1 FROM place),
b AS (SELECT *, (r1 * 1103515245 + 12345) % 2147483648 AS r2 FROM a),
c AS (SELECT *, (r2 * 1103515245 + 12345) % 2147483648 AS r3 FROM b),
d AS (SELECT *, (r3 * 1103515245 + 12345) % 2147483648 AS r4 FROM c),
e AS (SELECT *, (r4 * 1103515245 + 12345) % 2147483648 AS r5 FROM d),
made AS (SELECT id,
 :first + k * :open / :count AS started_at,
 r1 / 4096 % 100 AS kind,
 CASE WHEN r2 / 4096 % 100 < 5 THEN r3 / 4096 % 50 ELSE r3 / 4096 % :people END AS person,
 r4 / 4096 % :people AS other,
 r2 / 65536 % 100 AS fate,
 r5 / 4096 % 10000 AS luck,
 3 + r4 / 65536 % 20 AS ring,
 5 + (r5 / 65536 % 1000) * (r5 / 65536 % 1000) / 1500 AS talk,
 r3 / 65536 % 10000 AS far
FROM e)
"""

_RECORD = {
    "id": "id",
    "pbx_id": "1",
    "file_id": "1",
    "row": "id",
    "conversation": "id",
    # 64 bits that differ, so that public ids do.
    "key_hash": "(id * 2654435761 % 4294967296 - 2147483648) * 2147483648 + id",
    "started_at": "started_at",
    "connected_at": "CASE WHEN fate < 80 THEN started_at + ring ELSE 0 END",
    "ended_at": "started_at + ring + CASE WHEN fate < 80 THEN talk ELSE 0 END",
    "duration": "CASE WHEN fate < 80 THEN talk ELSE 0 END",
    "key": "'bench-' || id",
    "content_hash": "id",
    "call_ref": "id",
    "orig_leg": "id * 2",
    "dest_leg": "id * 2 + 1",
    "calling_number": "'2' || person",
    "original_number": "'0' || far",
    "final_number": "'0' || far",
    "orig_device": "'SEP' || person",
    "dest_device": "'gateway'",
    "final_pattern": "'0.!'",
}

# Two fifths go out, 35 of a hundred come in, a quarter stays inside. Of what goes out a third is
# national, a third mobile, a fifth local, the rest abroad: to few countries mostly.
_ABROAD = "kind < 40 AND luck % 100 >= 88"
_CALL = {
    "started_at": "started_at",
    "conversation": "id",
    "counted": "1",
    "outcome": "CASE WHEN fate < 80 THEN 1 WHEN {called} THEN 2 ELSE 3 END",
    "role": "CASE WHEN far % 100 < 3 THEN 10 ELSE 1 END",
    "direction": "CASE WHEN kind < 40 THEN 1 WHEN kind < 75 THEN 2 ELSE 0 END",
    "class": "CASE WHEN kind >= 75 THEN 1 WHEN kind >= 40 THEN 0 WHEN luck % 100 < 34 THEN 4"
    " WHEN luck % 100 < 68 THEN 5 WHEN luck % 100 < 88 THEN 3 ELSE 6 END",
    "destination_id": f"CASE WHEN {_ABROAD} THEN 4 + (far % 226) * (luck / 100 % 100) / 100"
    " WHEN kind < 40 THEN 1 + luck % 3 ELSE 0 END",
    "trunk_id": "CASE WHEN kind < 75 THEN 1 + far % 8 ELSE 0 END",
    "carrier_id": "CASE WHEN kind < 75 THEN 1 + far % 2 ELSE 0 END",
    "rate_id": "CASE WHEN kind < 40 THEN 1 ELSE 0 END",
    "ring_seconds": "ring",
    "duration": "CASE WHEN fate < 80 THEN talk ELSE 0 END",
    "billed_seconds": "CASE WHEN fate < 80 AND kind < 40 THEN talk ELSE 0 END",
    "cost": "CASE WHEN kind >= 40 OR fate >= 80 THEN 0 WHEN luck < 20 THEN NULL"
    f" WHEN {_ABROAD} THEN talk * 3100 ELSE talk * 210 END",
    "state": "CASE WHEN kind >= 40 OR fate >= 80 THEN 0 WHEN luck < 20 THEN 2 ELSE 1 END",
    "reason": "CASE WHEN kind < 40 AND fate < 80 AND luck < 20 THEN 'no rate for 3906' ELSE '' END",
    "disposition": "CASE WHEN fate < 80 THEN 0 ELSE 1 END",
    "posting_period": ":month",
    "leg": "CASE WHEN kind < 75 THEN id * 2 ELSE 0 END",
    "other_number": "CASE WHEN kind >= 75 THEN '2' || other ELSE '+390' || (luck * 7919 + far) END",
    "other_outside": "CASE WHEN kind < 75 THEN 1 ELSE 0 END",
}
_NOBODY = "far % 100 < 3"


def _one_day(
    connection: sqlite3.Connection, before: int, first: int, count: int, size: Size
) -> None:
    """Write the records and call rows of a day."""
    month = datetime.fromtimestamp(first, ZONE)
    given = {
        "before": before,
        "count": count,
        "first": first,
        "open": CLOSES - OPENS,
        "people": size.people,
        "month": month.year * 100 + month.month,
        "spare": size.people + 1,
    }
    names = _columns(connection, "record", _RECORD)
    values = ", ".join(names.values())
    connection.execute(
        f"INSERT INTO record ({', '.join(names)}) {_RANDOM} SELECT {values} FROM made", given
    )
    for side, called, person, rows in (
        (0, "0", "made.person", "kind < 40 OR kind >= 75"),
        (1, "1", "CASE WHEN kind >= 75 THEN other ELSE made.person END", "kind >= 40"),
    ):
        own = {
            "id": f"id * 8 + {side}",
            "side": str(side),
            **{name: text.replace("{called}", called) for name, text in _CALL.items()},
            "line_id": f"CASE WHEN {_NOBODY} THEN :spare + luck % {ANONYMOUS} ELSE holder.line END",
            "party_id": f"CASE WHEN {_NOBODY} THEN 0 ELSE holder.party END",
            "profile_id": f"CASE WHEN {_NOBODY} THEN 0 ELSE holder.profile END",
            "org_id": f"CASE WHEN {_NOBODY} THEN 0 ELSE holder.org END",
        }
        names = _columns(connection, "call", own)
        connection.execute(
            f"INSERT INTO call ({', '.join(names)}) {_RANDOM} SELECT {', '.join(names.values())}"
            f" FROM made JOIN bench_holder holder ON holder.person = {person}"
            " AND started_at >= holder.begins AND started_at < holder.ends"
            f" WHERE {rows}",
            given,
        )
    connection.execute("UPDATE file SET read = read + ?, stored = stored + ?", (count, count))
    marked = month.year * 10_000 + month.month * 100 + month.day
    connection.execute("INSERT INTO dirty_day VALUES (?)", (marked,))


def _columns(connection: sqlite3.Connection, table: str, known: dict[str, str]) -> dict[str, str]:
    """Return SQL for each column of a table: what is not known is empty or 0."""
    return {
        f'"{name}"': known.get(name, "''" if kind == "TEXT" else "0")
        for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")
    }
