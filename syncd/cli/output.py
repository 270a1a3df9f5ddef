"""What goes to stdout: JSON for programs, tables for people."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from syncd.reports.render.table import Column, plain_table, terminal_table

WIDE = 120
"""Columns of a terminal that show every table as it is."""


def print_json(value: Any) -> None:
    """Print a value as JSON, indented, in UTF-8 whatever the locale."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=not is_unicode()) + "\n")


def print_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    total: Sequence[Any] | None = None,
) -> None:
    """Print a table: aligned text, on a terminal with colours."""
    if sys.stdout.isatty():
        terminal_table(columns, rows, total)
    else:
        sys.stdout.write(plain_table(columns, rows, total))


def print_list(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, Column],
    *,
    as_json: bool,
    empty: str = "nothing",
) -> None:
    """Print objects as one JSON array, or as a table of the columns named by key."""
    if as_json:
        print_json(list(rows))
    elif rows:
        print_table(list(columns.values()), [[row[key] for key in columns] for row in rows])
    else:
        say(empty)


def is_narrow() -> bool:
    """Tell whether tables go to a terminal that cannot show many columns side by side."""
    return sys.stdout.isatty() and shutil.get_terminal_size().columns < WIDE


def say(message: str) -> None:
    """Print a remark on stderr: it is not data."""
    sys.stderr.write(f"{message}\n")


def is_unicode() -> bool:
    """Tell whether standard output takes every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
