"""The days of all sums are those of one time zone, which changes only while no daemon works."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from pathlib import Path
from zoneinfo import ZoneInfo

from syncd.domain.errors import TryAgainError
from syncd.store.database import get_meta
from syncd.store.dialect import is_postgresql
from syncd.store.locks import hold, holder, lock_path
from syncd.store.nodes import database_time, nodes
from syncd.store.rollups import TIMEZONE, ensure_zone, zone_is


def change_zone(zone: ZoneInfo, state_directory: Path, command: str) -> None:
    """Let the days of the database be those of a zone. Raises TryAgainError while a daemon works by
    another, whose calls would be summed on other days, ConfigurationError where days cannot change."""
    if zone_is(zone):
        return
    before = get_meta(TIMEZONE)
    who = _daemon_beside(state_directory, command) if before else ""
    if who:
        raise TryAgainError(
            f"{who} works in the time zone {before}, and [syncd] timezone is {zone} here",
            "stop every daemon, then start them with the new one: the sums of all days change",
        )
    ensure_zone(zone)


def _daemon_beside(state_directory: Path, command: str) -> str:
    """Return which other daemon works on the database, empty when none does."""
    if is_postgresql():
        now, own = database_time(), (socket.gethostname(), os.getpid())
        others = (
            f"the daemon on {node.host} (process {node.process})"
            for node in nodes()
            if node.works(now) and (node.host, node.process) != own
        )
        return next(others, "")
    said = holder(lock_path(state_directory, "daemon"))
    if not said or re.match(rf"process {os.getpid()}\b", said):
        return ""
    # One that was killed is still named there.
    with contextlib.suppress(TryAgainError), hold(state_directory, "daemon", command, wait=0):
        return ""
    return said
