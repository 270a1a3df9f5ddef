"""A request as one line of text, by which command line, schedules, saved reports and programs mean
the same report.

The form is that of a web address: ``by-department?period=last-month&filter=class%3Dmobile``. The
names are those of the command line's options without their dashes. The words of a command line,
``by-department class=mobile --period last-month``, are read, too.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any
from urllib.parse import quote, unquote, urlencode

from syncd.domain.errors import UsageError
from syncd.reports.request import OPTIONS, Request
from syncd.reports.specification import nearest

_NAMES = {option.removeprefix("--"): name for name, option in OPTIONS.items()}
_NUMBERS = ("limit", "top")
_SWITCHES = ("subtotals",)
_YES = "yes"


def to_text(request: Request) -> str:
    """Return a request as one line, the same for equal ones."""
    pairs: list[tuple[str, str]] = []
    for option, name in _NAMES.items():
        value = getattr(request, name)
        if isinstance(value, tuple):
            pairs += [(option, text) for text in value]
        elif isinstance(value, bool):
            pairs += [(option, _YES)] * value
        elif value is not None:
            pairs.append((option, str(value)))
    query = urlencode(pairs, quote_via=quote, safe=",:")
    report = quote(request.report, safe="")
    return f"{report}?{query}" if query else report


def from_text(text: str) -> Request:
    """Return the request that a line means, whichever of the two forms it has. Raises UsageError."""
    text = text.strip()
    report, mark, query = text.partition("?")
    if mark and not any(map(str.isspace, report)):
        pairs = [pair.partition("=") for pair in query.split("&") if pair]
        for name, equals, _ in pairs:
            if not equals:
                raise UsageError(f"{name!r} has no value", "like period=last-month&limit=10")
        # A + is a +: telephone numbers begin with it.
        return _made(unquote(report), [(unquote(name), unquote(value)) for name, _, value in pairs])
    words = _split(text)
    if not words:
        raise UsageError("a report is not named", "like by-department?period=last-month")
    return from_words(words)


def from_words(words: Sequence[str]) -> Request:
    """Return the request that the words of a command line mean: the report, filters, and options as
    ``--option value`` or ``--option=value``. Raises UsageError."""
    report, *rest = words
    pairs: list[tuple[str, str]] = []
    waiting = list(reversed(rest))
    while waiting:
        word = waiting.pop()
        if not word.startswith("--"):
            pairs.append(("filter", word))
            continue
        option, equals, value = word[2:].partition("=")
        if _NAMES.get(option) in _SWITCHES:
            value = value or _YES
        elif not equals:
            if not waiting:
                raise UsageError(f"--{option} says nothing", f"write --{option} VALUE")
            value = waiting.pop()
        pairs.append((option, value))
    return _made(report, pairs)


def over(request: Request, changes: Request) -> Request:
    """Return a request with what another one asks for in place of its own; filters come together.
    The other's report does not matter."""
    parts: dict[str, Any] = {}
    for field in fields(Request):
        value = getattr(changes, field.name)
        if field.name == "filters":
            parts["filters"] = tuple(dict.fromkeys((*request.filters, *value)))
        elif field.name != "report" and value not in (None, False):
            parts[field.name] = value
    ends = ("first", "end", "period")
    if any(name in parts for name in ends):  # a period is asked for as a whole
        parts = {**dict.fromkeys(ends), **parts}
    # Of what cannot be asked together the newer counts.
    if "top" in parts:
        parts = {"limit": None, "subtotals": False, **parts}
    elif "limit" in parts or "subtotals" in parts:
        parts["top"] = None
    return replace(request, **parts)


def _made(report: str, pairs: Sequence[tuple[str, str]]) -> Request:
    parts: dict[str, Any] = {}
    filters = []
    for option, value in pairs:
        name = _NAMES.get(option)
        if name is None:
            raise UsageError(f"a report has no {option!r}", nearest(option, _NAMES))
        if name == "filters":
            filters.append(value)
        elif name in parts:
            raise UsageError(f"{option} stands twice")
        else:
            parts[name] = _value(option, name, value)
    return Request(report, filters=tuple(filters), **parts)


def _value(option: str, name: str, value: str) -> str | int | bool:
    if name in _NUMBERS:
        if not (value.isascii() and value.isdigit()) or len(value) > 9:
            raise UsageError(f"{option}: {value!r} is no number of rows")
        return int(value)
    if name in _SWITCHES:
        if value not in (_YES, "no"):
            raise UsageError(f"{option}: {value!r} is neither yes nor no")
        return value == _YES
    return value


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not understood: {error}") from None
