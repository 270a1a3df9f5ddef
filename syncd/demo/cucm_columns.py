"""The columns of a Cisco UCM 15 CDR flat file, in its order and spelling, with its type line."""

from __future__ import annotations

from syncd.cdr.drivers.cucm_columns import COLUMNS as COLUMNS

NAMES: tuple[str, ...] = tuple(name for name, _ in COLUMNS)
INDEX: dict[str, int] = {name: index for index, name in enumerate(NAMES)}
TEXT: frozenset[str] = frozenset(name for name, kind in COLUMNS if kind != "INTEGER")
"""Columns that are written in quotes."""

HEADER = ",".join(f'"{name}"' for name in NAMES)
TYPES = ",".join(kind for _, kind in COLUMNS)
