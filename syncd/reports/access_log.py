"""Who ran which report on what, when, and how many rows they got."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from syncd.domain.party import name_key
from syncd.reports.scope import Door, asked_for
from syncd.store.models import AccessLog


class Access(NamedTuple):
    """One use of a door."""

    at: int
    """Epoch seconds."""
    viewer: str
    level: int
    report: str
    """The report or verb."""
    specification: str
    """What was asked, in one line."""
    rows: int


def accesses(
    start: int,
    stop: int,
    reader: Door,
    *,
    viewer: str | None = None,
    report: str | None = None,
    limit: int | None = None,
) -> Iterator[Access]:
    """Yield what was looked at from ``start`` to before ``stop`` (epoch seconds), the latest first;
    by one viewer (their username, in any spelling) or of one report where these are given.

    Numbers that somebody filtered by are shown as ``asked_for`` says: together with how many rows
    were found they would tell what is behind the mask.
    """
    query = AccessLog.select(
        AccessLog.at,
        AccessLog.viewer,
        AccessLog.level,
        AccessLog.report,
        AccessLog.specification,
        AccessLog.rows,
    ).where(AccessLog.at >= start, AccessLog.at < stop)
    if report is not None:
        query = query.where(AccessLog.report == report)
    wanted = None if viewer is None else name_key(viewer)
    left = limit
    shown = asked_for(reader)
    for row in query.order_by(AccessLog.at.desc(), AccessLog.id.desc()).tuples().iterator():
        if left == 0:
            return
        if wanted is None or name_key(row[1]) == wanted:
            one = Access._make(row)
            yield one._replace(specification=shown(one.specification))
            left = None if left is None else left - 1
