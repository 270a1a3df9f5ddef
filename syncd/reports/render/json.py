"""A report as JSON, written row by row: a long list is never held as a whole."""

from __future__ import annotations

import json
from typing import TextIO

from syncd.reports.result import Result


def write_json(result: Result, stream: TextIO) -> None:
    """Write a report as one JSON object: what it is, its rows, its totals, and what was known only
    after the rows, as the key of the next page."""
    dump = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
    head = result.head
    for name, value in head.items():
        stream.write(f"{'{' if name == 'report' else ','}\n {dump(name)}: {dump(value)}")
    stream.write(',\n "rows": [')
    separator = "\n  "
    names = [column.name for column in result.columns] if result.specification.columns else None
    for row in result.rows:
        stream.write(separator + dump({name: row[name] for name in names} if names else row))
        separator = ",\n  "
    stream.write(f'\n ],\n "totals": {dump(result.totals)}')
    for name, value in result.facts.items():
        if name not in head:
            stream.write(f",\n {dump(name)}: {dump(value)}")
    stream.write("\n}\n")
