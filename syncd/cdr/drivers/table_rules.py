"""What a section says about the rows of a table: its expressions, checked together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from syncd.cdr.driver_options import OptionProblem, OptionsError, Values
from syncd.cdr.drivers.delimited_row import CONDITIONS, FIELDS, KEY, Rules
from syncd.cdr.expressions import Columns, Condition, ExpressionError, Template
from syncd.cdr.neutral import Trunks
from syncd.cdr.times import Clock
from syncd.settings import values


def rules_of(options: Values, zone: ZoneInfo) -> Rules:
    """Return what the families ``column`` and ``value`` say. Raises OptionsError."""
    problems: list[OptionProblem] = []
    texts: dict[str, Columns | Template] = {}
    conditions: dict[str, Condition] = {}
    for family, attribute in (("column", "column_of"), ("value", "value_of")):
        for key, text in options[attribute]:
            written = f"{family}.{key}"
            known = (*FIELDS, KEY) if family == "column" else (*FIELDS, KEY, *CONDITIONS)
            try:
                if key not in known:
                    hint = values.nearest(key, known)
                    problems.append(OptionProblem(written, "there is no such meaning", hint))
                elif key in CONDITIONS:
                    conditions[key] = Condition.parse(text)
                elif key in texts:
                    what = f"column.{key} is set too"
                    problems.append(OptionProblem(written, what, "remove one"))
                else:
                    texts[key] = (Columns if family == "column" else Template).parse(text)
            except ExpressionError as error:
                problems.append(OptionProblem(written, str(error)))
    problems += _missing(texts, conditions, options)
    if problems:
        raise OptionsError(problems)
    clock = Clock(options["timezone"] or zone, options["date_format"])
    return Rules(
        texts,
        conditions,
        clock,
        options["duration_unit"],
        options["duration_from"] == "start",
        Trunks(options["trunks"]),
        options.get("least_columns", 0),
        tuple(options["date_format"]),
        options["timezone"] or zone,
    )


def _missing(
    texts: dict[str, Columns | Template], conditions: dict[str, Condition], options: Values
) -> Iterator[OptionProblem]:
    """Yield what a description lacks."""
    if "start" not in texts and not {"end", "duration"} <= texts.keys():
        hint = "column.start = NAME"
        yield OptionProblem("column.start", "is missing, and so are end and duration", hint)
    for field in ("calling", "called"):
        if field not in texts:
            yield OptionProblem(f"column.{field}", "is missing", f"column.{field} = NAME")
    if not texts.keys() & {"duration", "end"}:
        yield OptionProblem(
            "column.duration", "is missing", "column.duration = NAME, or column.end"
        )
    if not texts.keys() & {"connect", "ring", "duration"} and "answered" not in conditions:
        hint = "value.answered = NAME == TEXT"
        yield OptionProblem("value.answered", "nothing tells who was connected", hint)
    sides = {"calling_device", "called_device"}
    if not texts.keys() & sides and not conditions.keys() & {"outgoing", "incoming"}:
        hint = "value.outgoing = NAME == TEXT"
        yield OptionProblem("value.outgoing", "nothing tells what leaves the house", hint)
    if options.get("header") or options["columns"]:
        return
    for family, key, expression in _written(texts, conditions, options):
        named = [name for name in expression.names if not name.startswith("#")]
        if named:
            what = f"no header and no columns option tell where {named[0]} is"
            yield OptionProblem(f"{family}.{key}", what, "write a position, such as #3")


def _written(
    texts: dict[str, Columns | Template], conditions: dict[str, Condition], options: Values
) -> Iterator[tuple[str, str, Any]]:
    for key, expression in texts.items():
        yield ("column" if isinstance(expression, Columns) else "value"), key, expression
    for key, condition in conditions.items():
        yield "value", key, condition
