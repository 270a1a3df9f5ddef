"""One exit code for a command that worked on several sources."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.domain.errors import (
    EXIT_BAD_CONFIGURATION,
    EXIT_DIFFERENT,
    EXIT_FAILED,
    EXIT_OK,
    EXIT_REFUSED,
    EXIT_TRY_AGAIN,
)

GRAVEST_FIRST = (
    EXIT_BAD_CONFIGURATION,
    EXIT_REFUSED,
    EXIT_TRY_AGAIN,
    EXIT_FAILED,
    EXIT_DIFFERENT,
)


def gravest(codes: Iterable[int]) -> int:
    """Return the gravest of several exit codes: 78, 4, 75, 1, 3, then 0.

    A code that is none of these counts as 1: something failed in a way that nobody foresaw.
    """
    seen = {code if code in GRAVEST_FIRST or code == EXIT_OK else EXIT_FAILED for code in codes}
    return next((code for code in GRAVEST_FIRST if code in seen), EXIT_OK)
