"""Figures of the whole database that the daemon shows beside what its jobs count."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Gauges:
    """``slots`` None: unlimited. ``unrated`` is as of the last roll-up of every day."""

    unrated: int
    slots: int | None
    used: int
    waiting: int


def measure(settings: Settings, now: int) -> Gauges:
    """Return the figures as of ``now`` (epoch seconds), from the sums and the licence."""
    from syncd.licensing.claims import Terms
    from syncd.licensing.view import view
    from syncd.store.figures import unrated_rows

    licensing = settings.licensing
    licence = view(Terms(licensing.slots, licensing.automatic_acquisition), now)
    return Gauges(unrated_rows(), licence.slots, licence.used, licence.waiting)
