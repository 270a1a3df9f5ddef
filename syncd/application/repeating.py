"""A unit of work that a database's passing trouble ended is done again at once, so many times.

It may be: a transaction is there as a whole or not at all, also one whose end nobody heard of, and
every unit finds what it did before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import structlog

if TYPE_CHECKING:
    import peewee

Outcome = TypeVar("Outcome")

WAITS = (0.1, 0.4, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further attempt: together longer than a server takes to restart."""
LOOK_SECONDS = 0.5
"""How often who waits asks whether to stop."""
UNIT_REPEATED = "unit_repeated"

log = structlog.get_logger()


def repeated(
    work: Callable[[], Outcome],
    database: peewee.Database,
    unit: str,
    giving_up: Callable[[], bool] = lambda: False,
    *,
    told: Callable[[], None] = lambda: None,
) -> Outcome:
    """Do a unit of work, and again where a trouble that passes ended it, unless ``giving_up`` says
    so; ``told`` is called before each further attempt. Raises what the last attempt raised."""
    from syncd.store.passing import passes

    def attempt() -> Outcome:
        # A connection of the caller's that broke is opened again.
        if not database.is_closed():
            database.connect(reuse_if_open=True)
        return work()

    for wait in WAITS:
        try:
            return attempt()
        except Exception as error:
            # Within a transaction of the caller's nothing can be done again in parts.
            if database.in_transaction() or not passes(error) or giving_up():
                raise
            log.warning(UNIT_REPEATED, unit=unit, reason=str(error).strip(), wait=wait)
        told()
        _sleep(wait, giving_up)
    return attempt()


def _sleep(seconds: float, giving_up: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not giving_up():
        time.sleep(min(left, LOOK_SECONDS))
