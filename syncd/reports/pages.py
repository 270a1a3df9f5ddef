"""Keys of pages: where in a list the next page goes on.

A key holds what its reader was shown of the last row: its place in the order, and its public id.
Row ids are not in it, for they would tell how many calls there are between two of one's own.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any, NamedTuple

from syncd.domain.call_id import format_call_id, parse_call_id
from syncd.domain.errors import UsageError
from syncd.reports.lookups import select
from syncd.reports.specification import Specification

_GONE = 0
"""In the place of a row that is no longer there: the list goes on before its second."""


_TOO_LARGE = 2**62


class Mark(NamedTuple):
    """A row as a place in a list."""

    values: tuple[Any, ...]
    """What the list is sorted by, as shown, before the time."""
    started_at: int
    row: int
    """Id of the row."""


def page_key(
    specification: Specification,
    values: tuple[Any, ...],
    started_at: int,
    key_hash: int | None,
    side: int,
) -> str:
    """Return the key of the page that follows a row."""
    call = None if key_hash is None else format_call_id(started_at, key_hash, side)
    text = json.dumps([_question(specification), started_at, call, *values], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_page(specification: Specification) -> Mark | None:
    """Return after which row the page of a specification begins, None for the first page. Raises
    UsageError for what is no key, or that of another list."""
    if not specification.page:
        return None
    key = specification.page
    try:
        text = base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
        question, started_at, call, *values = json.loads(text)
        if not isinstance(call, str | None) or not all(map(_is_shown, (started_at, *values))):
            raise ValueError
        if type(started_at) is not int:
            raise ValueError
    except (ValueError, TypeError, RecursionError):
        raise UsageError(
            "--page: this is no key of a page", "the one that the page before gave"
        ) from None
    if question != _question(specification) or len(values) != len(specification.sort):
        raise UsageError(
            "--page: the key is of another list", "ask for the same as the page before"
        )
    return Mark(tuple(values), started_at, _GONE if call is None else _row(call, started_at))


def _is_shown(value: Any) -> bool:
    """Say whether a value may stand in a row: keys are made up, too."""
    return value is None or type(value) is str or (type(value) is int and abs(value) < _TOO_LARGE)


def _row(call: str, started_at: int) -> int:
    """Return the id of the row with a public id."""
    parts = parse_call_id(call)
    found = select(
        "SELECT MAX(id) FROM record WHERE started_at = ? AND key_hash BETWEEN ? AND ?",
        started_at,
        *parts.hash_between(),
    )
    return _GONE if found[0][0] is None else found[0][0] * 8 + int(parts.side or 0)


def _question(specification: Specification) -> str:
    """Return what tells one list from another, whatever is shown of it."""
    plain = replace(specification, page="", limit=None, columns=())
    return hashlib.sha256(plain.text().encode()).hexdigest()[:8]
