"""Asking before something is done that concerns past calls."""

from __future__ import annotations

import sys

from syncd.domain.errors import UsageError


def confirmed(what: str) -> bool:
    """Ask on a terminal. Raises UsageError, which says ``what`` is to be done, where nobody can
    answer."""
    if not sys.stdin.isatty():
        raise UsageError(what, "say so with --yes, or --dry-run")
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")
