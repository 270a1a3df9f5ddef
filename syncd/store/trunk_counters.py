"""How busy the trunks are, by quarter of an hour: made of the records, again where they changed.

Whoever writes or removes records marks the quarters in which they begin (``mark_quarters``) in the
same transaction. A quarter's counters are replaced whole, so the order of arrival never matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from syncd.domain.days import QUARTER
from syncd.domain.leg import Leg
from syncd.store.models import DirtyQuarter, TrunkCounter
from syncd.store.models import database as proxy

AT_ONCE = 400
"""Values of one query."""

_COLUMNS = ", ".join(("id", "file_id", "row", "pbx_id", "conversation", *Leg._fields))


class Busy(NamedTuple):
    """What happened to a trunk: seizures, failures, and seconds occupied."""

    seizures: int
    failures: int
    seconds: int


class Counted(NamedTuple):
    """A record as it is counted."""

    id: int
    file_id: int
    row: int
    pbx_id: int
    conversation: int
    leg: Leg


def mark_quarters(quarters: Iterable[int]) -> None:
    """Mark quarters of an hour (epoch seconds // 900) in which records that changed begin."""
    # In one order: writers beside each other then wait, where they would block each other.
    rows = [(quarter,) for quarter in sorted(quarters)]
    if rows:
        mark = proxy.obj.param
        proxy.obj.cursor().executemany(
            f"INSERT INTO dirty_quarter (quarter) VALUES ({mark}) ON CONFLICT DO NOTHING", rows
        )


def dirty_quarters(limit: int) -> list[int]:
    """Return up to ``limit`` quarters whose counters are due, the newest first."""
    query = DirtyQuarter.select(DirtyQuarter.quarter).order_by(DirtyQuarter.quarter.desc())
    return [row[0] for row in query.limit(limit).tuples()]


def records_of(quarter: int) -> list[Counted]:
    """Return the records that begin in a quarter and name a device."""
    mark = proxy.obj.param
    return _counted(
        f"started_at >= {mark} AND started_at < {mark} AND (orig_device <> '' OR dest_device <> '')",
        (quarter * QUARTER, (quarter + 1) * QUARTER),
    )


def relatives_of(records: Iterable[Counted]) -> list[Counted]:
    """Return the records of the same conversations that carry a leg of one of these, themselves
    included."""
    wanted: dict[int, set[int]] = {}
    conversations = set()
    for record in records:
        conversations.add(record.conversation)
        legs = {record.leg.orig_leg, record.leg.dest_leg} - {0}
        wanted.setdefault(record.pbx_id, set()).update(legs)
    found: dict[int, Counted] = {}
    mark = proxy.obj.param
    for pbx_id, legs in wanted.items():
        ids = sorted(legs)
        for start in range(0, len(ids), AT_ONCE):
            part = ids[start : start + AT_ONCE]
            places = ", ".join([mark] * len(part))
            for column in ("orig_leg", "dest_leg"):
                chosen = f"tied = 1 AND {column} IN ({places}) AND pbx_id = {mark}"
                for record in _counted(chosen, (*part, pbx_id)):
                    if record.conversation in conversations:
                        found[record.id] = record
    return list(found.values())


def _counted(condition: str, parameters: tuple[int, ...]) -> list[Counted]:
    cursor = proxy.obj.execute_sql(f"SELECT {_COLUMNS} FROM record WHERE {condition}", parameters)
    return [
        Counted(row[0], row[1], row[2], row[3], row[4], Leg._make(row[5:]))
        for row in cursor.fetchall()
    ]


def replace_quarter(quarter: int, counters: Mapping[tuple[int, int], Busy]) -> None:
    """Replace what the records that begin in a quarter did, by (row of ``trunk``, quarter), and take
    the mark away. Must run inside the write transaction in which the records were read."""
    TrunkCounter.delete().where(TrunkCounter.start_quarter == quarter).execute()
    if counters:
        mark = proxy.obj.param
        proxy.obj.cursor().executemany(
            "INSERT INTO trunk_counter (start_quarter, trunk_id, quarter, seizures, failures,"
            f" seconds) VALUES ({', '.join([mark] * 6)})",
            [(quarter, *key, *busy) for key, busy in sorted(counters.items())],
        )
    DirtyQuarter.delete().where(DirtyQuarter.quarter == quarter).execute()


def dirty_before(moment: int) -> bool:
    """Say whether a quarter that begins before a moment (epoch seconds) is not counted yet."""
    return bool(DirtyQuarter.select().where(DirtyQuarter.quarter < moment // QUARTER).exists())


def leave_quarter(quarter: int) -> None:
    """Take the mark of a quarter away, and leave its counters as they are."""
    DirtyQuarter.delete().where(DirtyQuarter.quarter == quarter).execute()


class TrunkQuarter(NamedTuple):
    """A trunk by name in a quarter of an hour (epoch seconds // 900)."""

    trunk: str
    quarter: int
    busy: Busy


def busy_quarters(start: int, stop: int) -> list[TrunkQuarter]:
    """Return how busy each trunk was in the quarters from ``start`` to before ``stop`` (epoch
    seconds), in the order of names and time."""
    mark = proxy.obj.param
    cursor = proxy.obj.execute_sql(
        "SELECT trunk.name, quarter, SUM(seizures), SUM(failures), SUM(seconds) FROM trunk_counter"
        f" JOIN trunk ON trunk.id = trunk_id WHERE quarter >= {mark} AND quarter < {mark}"
        " GROUP BY trunk.name, quarter ORDER BY trunk.name, quarter",
        (start // QUARTER, -(-stop // QUARTER)),
    )
    return [TrunkQuarter(row[0], row[1], Busy(*row[2:])) for row in cursor.fetchall()]


def due_between(start: int, stop: int) -> int:
    """Return how many quarters from ``start`` to before ``stop`` (epoch seconds) are not counted
    yet."""
    chosen = DirtyQuarter.quarter.between(start // QUARTER, (stop - 1) // QUARTER)
    return int(DirtyQuarter.select().where(chosen).count())
