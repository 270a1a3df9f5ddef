"""How much time a search for rows that no index leads to looks at with one question (pure)."""

from __future__ import annotations

import math

DAY = 86_400
"""Seconds."""
SOON = 0.25
"""Seconds after which people want to see that something is going on."""
LATE = 1.0
"""Seconds for which they wait for it where that is faster in all."""
_PAYS = 0.8
"""Another size pays where a second of calls takes no more than this part of what it took."""


class Windows:
    """The sizes of windows, the first of a day: about a quarter of a second's work each.

    Where a window takes what it takes, however small it is, as on a server that reads a whole month
    for one day of it, windows grow for as long as that pays. None becomes shorter than a day.
    """

    def __init__(self) -> None:
        self._before = self._best = math.inf
        """Seconds of work for a second of calls: in the last window, and in the fastest."""

    def following(self, size: int, seconds: float) -> int:
        """Return how many seconds of calls the next window has, given those of the last and for how
        long that was worked at."""
        pace = seconds / size
        pays = pace < self._before * _PAYS or self._best < pace * _PAYS
        self._before, self._best = pace, min(pace, self._best)
        if seconds < SOON / 2 or (seconds < LATE and pays):
            return size * 2
        return size if seconds < 2 * LATE else max(DAY, size // 2)
