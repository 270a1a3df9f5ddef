"""What re-rating asks of stored rows and writes to them: the money of a row, never whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from syncd.domain.codes import Direction, RecordOutcome, Side, State
from syncd.domain.leg import Leg
from syncd.domain.posting import Cause
from syncd.store.adjustments import booked
from syncd.store.dialect import by_ids
from syncd.store.frozen import NOT_FROZEN
from syncd.store.models import Call, CallWithheld, RerateChange
from syncd.store.models import database as proxy

TABLES = (Call._meta.table_name, CallWithheld._meta.table_name)
MONEY = (
    "destination_id",
    "carrier_id",
    "rate_id",
    "billed_seconds",
    "cost",
    "state",
    "reason",
)
"""The columns that re-rating may change, in the order of ``Money``."""

OUTWARD = (int(Direction.OUTGOING), int(Direction.TRANSIT))

_LEG = ", ".join(f'record."{name}"' for name in Leg._fields)


class Place(NamedTuple):
    """After which record to go on: its start, telephone system and key."""

    started_at: int = -1
    pbx_id: int = 0
    key_hash: int = 0


class Money(NamedTuple):
    """What a call row says of money, by the keys of dimensions; ``cost`` micros, None: unrated."""

    destination: int
    carrier: int
    rate: int
    billed_seconds: int
    cost: int | None
    state: int
    reason: str


class Candidate(NamedTuple):
    """A stored record with a call row that has to do with money."""

    id: int
    file_id: int
    row: int
    source: str
    conversation: int
    place: Place
    leg: Leg


class Row(NamedTuple):
    """A call row, withheld or not."""

    id: int
    started_at: int
    org: int
    number_class: int
    counted: int
    withheld: bool
    money: Money


class Change(NamedTuple):
    """A row and what its money becomes."""

    row: Row
    money: Money


def candidates(
    since: int, until: int, after: Place, limit: int, *, incoming: bool
) -> list[Candidate]:
    """Return up to ``limit`` records that begin since … until (epoch seconds, exclusive), after a
    place, of which a row has a price or lacks one, or goes over an outside leg: an outgoing one,
    and with ``incoming`` any."""
    mark = proxy.obj.param
    # A record that carries an outgoing leg is an outgoing one, or goes through.
    outgoing = "" if incoming else f" AND one.direction IN {OUTWARD}"
    rows = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} AS one WHERE one.id BETWEEN record.id * 8"
        f" AND record.id * 8 + 7 AND (one.state <> {int(State.FREE)}"
        f" OR ((one.leg <> 0 OR one.carrier_id <> 0){outgoing})))"
        for table in TABLES
    )
    cursor = proxy.obj.execute_sql(
        "SELECT record.id, record.file_id, record.row, file.source, record.conversation,"
        f" record.started_at, record.pbx_id, record.key_hash, {_LEG}"
        " FROM record JOIN file ON file.id = record.file_id"
        f" WHERE record.started_at >= {mark} AND record.started_at < {mark}"
        f" AND (record.started_at, record.pbx_id, record.key_hash) > ({mark}, {mark}, {mark})"
        f" AND record.outcome = {int(RecordOutcome.STORED)} AND {NOT_FROZEN} AND ({rows})"
        f" ORDER BY record.started_at, record.pbx_id, record.key_hash LIMIT {mark}",
        (max(since, after.started_at), until, *after, limit),
    )
    return [
        Candidate(row[0], row[1], row[2], row[3], row[4], Place(*row[5:8]), Leg._make(row[8:]))
        for row in cursor.fetchall()
    ]


def conversations_of(records: Iterable[int]) -> dict[int, int]:
    """Return the conversation of each record."""
    return {row[0]: row[1] for row in by_ids("SELECT id, conversation FROM record", records)}


def rows_of(records: Iterable[int]) -> dict[int, Row]:
    """Return the call rows of records by id, withheld ones too."""
    sides = range(len(Side))
    return rows_by_id(record * 8 + side for record in records for side in sides)


def rows_by_id(ids: Iterable[int]) -> dict[int, Row]:
    """Return call rows by their ids, withheld ones too."""
    found: dict[int, Row] = {}
    wanted = list(ids)
    for withheld, table in enumerate(TABLES):
        if withheld and not CallWithheld.select().exists():
            continue
        for row in by_ids(
            f"SELECT id, started_at, org_id, class, counted, {', '.join(MONEY)} FROM {table}",
            wanted,
        ):
            money = Money._make(row[5:])
            found[row[0]] = Row(row[0], row[1], row[2], row[3], row[4], bool(withheld), money)
    return found


def write(changes: Sequence[Change], cause: Cause, *, at: int, run: int) -> None:
    """Write what the money of rows becomes, and book what concerns closed months; ``at`` is the time
    (epoch seconds), ``run`` the row of ``maintenance_run``."""
    mark = proxy.obj.param
    settings = ", ".join(f"{name} = {mark}" for name in MONEY)
    shown = [one for one in changes if not one.row.withheld]
    with booked([(one.row.id, one.row.started_at) for one in shown], cause, at=at, run=run):
        for withheld, table in enumerate(TABLES):
            proxy.obj.cursor().executemany(
                f"UPDATE {table} SET {settings} WHERE id = {mark}",
                [(*one.money, one.row.id) for one in changes if one.row.withheld == withheld],
            )


_CHANGE_COLUMNS = (
    "run_id",
    "call_id",
    "started_at",
    *(
        f"{name}_{when}"
        for name in ("destination", "carrier", "rate", "billed", "cost", "state", "reason")
        for when in ("before", "after")
    ),
)
"""Of ``rerate_change``; before and after of the columns of ``Money``, in their order."""


def remember(run: int, changes: Iterable[Change]) -> None:
    """Keep what a run made of rows, so that it can be undone."""
    marks = ", ".join([proxy.obj.param] * len(_CHANGE_COLUMNS))
    proxy.obj.cursor().executemany(
        f"INSERT INTO {RerateChange._meta.table_name} ({', '.join(_CHANGE_COLUMNS)})"
        f" VALUES ({marks})",
        [
            (
                run,
                one.row.id,
                one.row.started_at,
                *(value for both in zip(one.row.money, one.money, strict=True) for value in both),
            )
            for one in changes
        ],
    )


class Remembered(NamedTuple):
    """A row that a run changed, with its money before and after."""

    id: int
    before: Money
    after: Money


def remembered(run: int, after: int, limit: int) -> list[Remembered]:
    """Return up to ``limit`` of the changes of a run to rows with greater ids."""
    mark = proxy.obj.param
    cursor = proxy.obj.execute_sql(
        f"SELECT {', '.join(_CHANGE_COLUMNS[1:])} FROM {RerateChange._meta.table_name}"
        f" WHERE run_id = {mark} AND call_id > {mark} ORDER BY call_id LIMIT {mark}",
        (run, after, limit),
    )
    return [
        Remembered(row[0], Money._make(row[2::2]), Money._make(row[3::2]))
        for row in cursor.fetchall()
    ]
