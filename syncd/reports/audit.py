"""Who changed what: what people did by hand, and the levels that syncs brought."""

from __future__ import annotations

from typing import NamedTuple

from syncd.directory.people.find import called
from syncd.directory.plan import LOCAL
from syncd.reports.access import FIELDS
from syncd.reports.scope import Door, asked_for
from syncd.store.models import AuditEntry, Party, SyncChange, SyncRun


class Audited(NamedTuple):
    """One change."""

    at: int
    """Epoch seconds."""
    actor: str
    """Whoever did it, ``directory NAME`` for a sync."""
    account: str | None
    """The account of the operating system from which it was done."""
    action: str
    subject: str | None
    """Of whom or of what."""
    field: str | None
    old: str | None
    new: str | None
    reason: str | None


def audited(
    start: int, stop: int, reader: Door, *, of: int | None = None, limit: int | None = None
) -> list[Audited]:
    """Return what was changed from ``start`` to before ``stop`` (epoch seconds), the latest first;
    ``of`` one party alone. Numbers that a command names to filter by are masked as those of the
    access log are."""
    found = [*_by_hand(start, stop, of, limit), *_by_syncs(start, stop, of, limit)]
    found.sort(key=lambda one: -one.at)
    asked_of = asked_for(reader)
    return [one._replace(subject=one.subject and asked_of(one.subject)) for one in found[:limit]]


def _by_hand(start: int, stop: int, of: int | None, limit: int | None) -> list[Audited]:
    query = AuditEntry.select(AuditEntry, Party).left_outer_join(
        Party, on=AuditEntry.party == Party.id
    )
    query = query.where(AuditEntry.at >= start, AuditEntry.at < stop)
    if of is not None:
        query = query.where(AuditEntry.party == of)
    return [
        Audited(
            row.at,
            row.actor,
            row.account or None,
            row.action,
            (row.subject or None) if row.party_id is None else called(row.party),
            row.field or None,
            row.old or None,
            row.new or None,
            row.reason or None,
        )
        for row in query.order_by(AuditEntry.id.desc()).limit(limit)
    ]


def _by_syncs(start: int, stop: int, of: int | None, limit: int | None) -> list[Audited]:
    """Return what syncs changed of levels and of what goes with them; what is done by hand stands in
    the same table, and is left out."""
    query = (
        SyncChange.select(SyncChange, SyncRun, Party)
        .join(SyncRun)
        .switch(SyncChange)
        .join(Party)
        .where(
            SyncRun.source != LOCAL,
            SyncRun.started_at >= start,
            SyncRun.started_at < stop,
            SyncChange.field << list(FIELDS),
        )
    )
    if of is not None:
        query = query.where(SyncChange.party == of)
    return [
        Audited(
            row.run.started_at,
            f"directory {row.run.source}",
            None,
            "sync",
            called(row.party),
            row.field,
            row.old or None,
            row.new or None,
            None,
        )
        for row in query.order_by(SyncChange.id.desc()).limit(limit)
    ]
