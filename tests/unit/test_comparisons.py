"""Conditions beside ``key=value``, and how their mistakes are told."""

from __future__ import annotations

import pytest

from syncd.domain.errors import UsageError
from syncd.reports.comparisons import parse_conditions

CUSTOM = {"custom1": "Cost unit"}


@pytest.mark.parametrize(
    ("text", "key", "operator", "values"),
    [
        ("duration>60", "duration", ">", (60,)),
        ("duration >= 1:30", "duration", ">=", (90,)),
        ("duration=1:00:01,5", "duration", "=", (3601, 5)),
        ("ring-seconds<10", "ring_seconds", "<", (10,)),
        ("cost>1.50", "cost", ">", (1_500_000,)),
        ("cost<=0.000001", "cost", "<=", (1,)),
        ("cost!=0", "cost", "!=", (0,)),
        ("department!=Sales,", "department", "!=", ("Sales", "")),
        ("Cost unit!=A", "custom1", "!=", ("A",)),
        ("number~+4420,0044", "other_number", "~", ("+4420", "0044")),
        ("line~UK.", "line_id", "~", ("UK.",)),
        ("time>=8:31", "time", ">=", (30_660,)),
        ("time<24:00", "time", "<", (86_400,)),
        ("time=18:00-08:00,12:00-13:00", "time", "=", ("18:00-08:00", "12:00-13:00")),
        ("hour>=9", "hour", ">=", ("9",)),
        ("weekday<6", "weekday", "<", ("saturday",)),
        ("day>2026-01-31", "day", ">", ("2026-01-31",)),
        ("class!=Toll_free", "class", "!=", ("toll-free",)),
    ],
)
def test_a_comparison_is_read(
    text: str, key: str, operator: str, values: tuple[str | int, ...]
) -> None:
    filters, (comparison,) = parse_conditions([text], CUSTOM)
    assert filters == ()
    assert comparison == (key, operator, values, text.strip())


def test_equality_stays_a_filter_and_labels_name_their_field() -> None:
    filters, comparisons = parse_conditions(
        ["cost unit=A", "Department=Sales", "department=Legal", "number=112", "duration>5"], CUSTOM
    )
    assert filters == (
        ("custom1", ("A",)),
        ("department", ("Sales", "Legal")),
        ("other_number", ("112",)),
    )
    assert [comparison.text for comparison in comparisons] == ["duration>5"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("durtion>5", "nothing can be filtered by 'durtion'", "did you mean duration?"),
        ("department", "has no value", "write --filter key=value"),
        ("last-month", "has no value", "days are --period last-month"),
        ("2026-Q3", "has no value", "days are --period 2026-Q3"),
        ("duration>x", "'x' is no duration", "whole seconds"),
        ("cost>1,5", "is not an amount", ""),
        ("cost>1e3", "is not an amount", ""),
        ("department>Sales", "department is neither more nor less", "> is for duration"),
        ("number>5", "other_number is neither more nor less", ""),
        ("class~mob", "class begins with nothing", "~ is for numbers and names"),
        ("duration~5", "duration begins with nothing", "~ is for numbers and names"),
        ("number~", "every value begins with nothing", "~beginning"),
        ("time>8:60", "is no time of day", "like 08:30"),
        ("time>24:01", "is no time of day", ""),
        ("time=18:00", "is no span of a day", "time>=18:00"),
        ("time=18:00-18:00", "holds no time", ""),
        ("hour>25", "'25' is no hour", "from 0 to 23"),
        ("class!=mobil", "'mobil' is no class", "did you mean mobile?"),
    ],
)
def test_a_mistake_is_told(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_conditions([text], CUSTOM)
    assert message in caught.value.message
    assert hint in caught.value.hint
