"""Writes a rate deck of our own: a file that says the same when it is read again."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from syncd.billing.deck import load_deck
from syncd.billing.deck_rows import COLUMNS, OPTIONAL_COLUMNS
from syncd.domain.csv_lines import csv_writer
from syncd.domain.errors import ConfigurationError, RefusedError
from syncd.domain.rate import Rate

MODE = 0o644
"""A rate deck is no secret, and the daemon that reads it is another user than who loads it."""


def deck_text(rows: Iterable[Mapping[str, str]], remarks: Sequence[str] = ()) -> str:
    """Return rows by our columns as the text of a rate deck, in the order of their prefixes, with
    the optional columns that any of them uses."""
    ordered = sorted(rows, key=lambda row: (row["prefix"], row.get("band", "")))
    used = [name for name in OPTIONAL_COLUMNS if any(row.get(name) for row in ordered)]
    stream = io.StringIO()
    for remark in remarks:
        stream.write(f"# {' '.join(remark.split())}\n")
    writer = csv_writer(stream)
    writer.writerow((*COLUMNS, *used))
    writer.writerows([row.get(name, "") for name in (*COLUMNS, *used)] for row in ordered)
    return stream.getvalue()


def write_deck(path: Path, text: str, rates: Iterable[Rate], *, replace: bool = False) -> bool:
    """Write a deck as a whole or not at all, when it gives just these rates. Returns False when a deck
    with the same rates is there already.

    Raises RefusedError when another one is there and must not be replaced: what was priced with it
    could no longer be explained.
    """
    wanted = sorted(rates, key=_order)
    if path.exists():
        if _rates_of(path) == wanted:
            return False
        if not replace:
            raise RefusedError(
                f"{path} is there already, with other rates",
                "another --from or --output; --replace overwrites it",
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".csv", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), MODE)
            os.fsync(stream.fileno())
        if _rates_of(draft) != wanted:
            raise ConfigurationError(f"{path} would not say what was read; it was not written")
        draft.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    return True


def _rates_of(path: Path) -> list[Rate] | None:
    """Return the rates of a file in their order, None for one that is no deck."""
    try:
        return sorted(load_deck(path), key=_order)
    except ConfigurationError:
        return None


def _order(rate: Rate) -> tuple[str, str]:
    return rate.prefix, rate.band
