"""What the command line may ask of a report, and how its mistakes are told."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.domain.call_id import format_call_id, format_conversation_id, parse_call_id
from syncd.domain.codes import Side
from syncd.domain.errors import UsageError
from syncd.reports.catalogue.standard import find_report
from syncd.reports.comparisons import parse_conditions
from syncd.reports.specification import (
    Specification,
    parse_dimensions,
    parse_measures,
    period,
    split_values,
)

CUSTOM = {"custom1": "Project"}
TODAY = date(2026, 2, 14)


def test_dimensions_are_taken_in_their_order_once() -> None:
    assert parse_dimensions("month, line,custom1,line_id", CUSTOM) == (
        "month",
        "line_id",
        "custom1",
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("departmnt", "did you mean department?"),
        ("department,persn", "did you mean person?"),
        ("custom2", "did you mean custom1?"),
        ("cost_cent", "did you mean cost_center?"),
        ("desti", "did you mean destination?"),
        ("", "one of line_id"),
        ("zzz", "one of line_id"),
    ],
)
def test_an_unknown_dimension_is_told_with_the_nearest(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_dimensions(text, CUSTOM)
    assert caught.value.hint.startswith(hint)


def test_filters_of_one_key_are_alternatives() -> None:
    texts = ["class=mobile,national", "department=", "class=premium", "line=200"]
    assert parse_conditions(texts, CUSTOM)[0] == (
        ("class", ("mobile", "national", "premium")),
        ("department", ("",)),
        ("line_id", ("200",)),
    )


def test_a_comma_within_a_value_is_escaped() -> None:
    assert split_values(r"Rossi\, Mario, Bianchi,") == ["Rossi, Mario", "Bianchi", ""]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("weekday=1", "monday"),
        ("weekday=Sunday", "sunday"),
        ("hour=07", "7"),
        ("month=2026-03", "2026-03"),
        ("day=2026-03-29", "2026-03-29"),
        ("direction=On_Net", "on-net"),
        ("party=007", "7"),
        ("party=", ""),
        ("other_number=+39061234***", "+39061234***"),
    ],
)
def test_values_take_their_form(text: str, value: str) -> None:
    assert parse_conditions([text], CUSTOM)[0][0][1] == (value,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("department", "has no value"),
        ("depart=Sales", "did you mean department?"),
        ("custom3=x", "did you mean custom1?"),
        ("class=mobil", "did you mean mobile?"),
        ("direction=", "one of internal"),
        ("hour=24", "0 to 23"),
        ("hour=²", "0 to 23"),
        ("weekday=0", "one of monday"),
        ("month=2026-13", "2026-01"),
        ("day=2026-02-30", "2026-01-31"),
        ("party=x", "by-person"),
        ("conversation=202601-000000000000-calling", "leave the side out"),
        ("conversation=x", "is not the id of a call"),
    ],
)
def test_a_filter_that_makes_no_sense_is_told(text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_conditions([text], CUSTOM)[0]
    assert told in str(caught.value)


def test_measures_are_known_ones() -> None:
    assert parse_measures("cost, calls,cost") == ("cost", "calls")
    with pytest.raises(UsageError, match="did you mean duration"):
        parse_measures("duraton")
    with pytest.raises(UsageError):
        parse_measures(" , ")


@pytest.mark.parametrize(
    ("first", "end", "expected"),
    [
        (None, None, (date(2026, 2, 1), date(2026, 3, 1))),
        ("2026-01-15", None, (date(2026, 1, 15), date(2026, 3, 1))),
        ("2027-12-31", None, (date(2027, 12, 31), date(2028, 1, 1))),
        (None, "2026-02-01", (date(2026, 1, 1), date(2026, 2, 1))),
        ("2026-01-31", "2026-02-01", (date(2026, 1, 31), date(2026, 2, 1))),
    ],
)
def test_a_period_is_filled_up(
    first: str | None, end: str | None, expected: tuple[date, date]
) -> None:
    assert period(first, end, TODAY) == expected


@pytest.mark.parametrize(
    ("first", "end"),
    [
        ("2026-02-01", "2026-02-01"),
        ("2026-02-02", "2026-02-01"),
        ("2026-2-1", None),
        ("20260201", None),
        ("2026-02-29", None),
        (None, "tomorrow"),
        ("0001-01-01", None),
        (None, "9999-12-31"),
    ],
)
def test_a_period_that_is_none_is_told(first: str | None, end: str | None) -> None:
    with pytest.raises(UsageError):
        period(first, end, TODAY)


def test_reports_are_found_by_name() -> None:
    assert find_report("by-custom1", CUSTOM).dimensions == ("custom1",)
    with pytest.raises(UsageError, match="did you mean by-person"):
        find_report("by-persons", CUSTOM)
    with pytest.raises(UsageError):
        find_report("by-custom2", CUSTOM)


def test_a_specification_is_one_line_for_the_log() -> None:
    asked = Specification(
        "by-line",
        date(2026, 1, 1),
        date(2026, 2, 1),
        ("line_id",),
        filters=(("class", ("mobile", "")),),
        counts="conversations",
        limit=3,
    )
    assert asked.text() == (
        "2026-01-01..2026-02-01 group-by=line_id filter=class=mobile, count=conversations limit=3"
    )


# --- public ids ----------------------------------------------------------------------------------


@given(
    st.integers(0, 2**33),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(list(Side)),
)
def test_a_public_id_finds_its_record_again(started_at: int, key_hash: int, side: Side) -> None:
    found = parse_call_id(format_call_id(started_at, key_hash, side))
    begin, end = found.started_between()
    low, high = found.hash_between()
    assert begin <= started_at < end
    assert low <= key_hash <= high
    assert high - low < 2**16
    assert found.side is side
    whole = parse_call_id(format_conversation_id(started_at, key_hash))
    assert whole == found._replace(side=None)


def test_a_public_id_is_what_it_always_was() -> None:
    midnight_in_rome = 1_767_222_000  # 2025-12-31T23:00Z
    assert format_call_id(midnight_in_rome, -1, 2) == "202512-ffffffffffff-first-redirecting"
    assert format_call_id(0, 2**48, 0) == "197001-000100000000-calling"


@pytest.mark.parametrize(
    "text",
    ["", "202601", "202613-000000000000-calling", "202601-00000000000-calling", "202601-x-calling"]
    + ["202601-000000000000-caller", "202601-000000000000-", "000001-000000000000-calling"],
)
def test_what_is_no_public_id_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="is not the id of a call"):
        parse_call_id(text)
