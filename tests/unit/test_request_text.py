"""One line of text for a request, and back."""

from __future__ import annotations

import shlex
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.domain.errors import UsageError
from syncd.reports.request import Request
from syncd.reports.request_text import from_text, from_words, over, to_text

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
MAYBE = st.none() | TEXTS
ROWS = st.none() | st.integers(0, 999_999)
REQUESTS = st.builds(
    Request,
    st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True),
    *(MAYBE, MAYBE, MAYBE, st.lists(TEXTS, max_size=3).map(tuple), MAYBE, MAYBE),
    *(ROWS, MAYBE, MAYBE, MAYBE, MAYBE, MAYBE, ROWS, st.booleans(), MAYBE, MAYBE),
)


@given(REQUESTS)
def test_a_request_comes_back_from_its_text(request_: Request) -> None:
    text = to_text(request_)
    assert text.isascii()
    assert " " not in text
    assert from_text(text) == request_


@given(REQUESTS)
def test_the_words_of_a_command_line_mean_the_same(request_: Request) -> None:
    words = [request_.report]
    for part in to_text(request_).partition("?")[2].split("&"):
        name, equals, value = part.partition("=")
        if equals:
            words += [f"--{name}={unquote(value)}"]
    assert from_words(words) == request_
    if len(words) > 1:
        assert from_text(shlex.join(words)) == request_


def test_both_forms_of_a_line() -> None:
    wanted = Request(
        "by-department", filters=("class=mobile",), period="last-month", limit=5, subtotals=True
    )
    for text in (
        "by-department?period=last-month&filter=class%3Dmobile&limit=5&subtotals=yes",
        "by-department class=mobile --period last-month --limit 5 --subtotals",
        "by-department --period=last-month --filter class=mobile --limit=5 --subtotals",
    ):
        assert from_text(text) == wanted
    assert from_text("calls?filter=number~+4420&filter=department=Human Resources") == Request(
        "calls", filters=("number~+4420", "department=Human Resources")
    )
    assert to_text(Request("calls")) == "calls"
    assert from_text(" calls ") == Request("calls")
    assert from_text("calls '--filter=department=Human Resources'") == Request(
        "calls", filters=("department=Human Resources",)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a report is not named"),
        ("calls?perod=today", "a report has no 'perod'"),
        ("calls?limit=x", "is no number of rows"),
        ("calls?limit=5&limit=6", "limit stands twice"),
        ("calls?period", "'period' has no value"),
        ("calls?subtotals=maybe", "neither yes nor no"),
        ("calls --period", "--period says nothing"),
        ("calls 'department=x", "is not understood"),
    ],
)
def test_a_line_that_cannot_be_read_is_told(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_text(text)


def test_what_is_asked_for_now_stands_over_what_was_saved() -> None:
    saved = Request("calls", period="last-month", filters=("class=mobile",), limit=5, sort="-cost")
    asked = over(saved, Request("", first="2026-01-01", filters=("line=2",), sort="cost"))
    assert asked == Request(
        "calls", first="2026-01-01", filters=("class=mobile", "line=2"), limit=5, sort="cost"
    )
    assert over(saved, Request("x")) == saved


def test_of_what_cannot_be_asked_together_the_newer_counts() -> None:
    highest, summed = Request("by-line", top=5), Request("by-line", subtotals=True)
    assert over(highest, Request("", limit=3)) == Request("by-line", limit=3)
    assert over(highest, Request("", subtotals=True)) == summed
    assert over(summed, Request("", top=5)) == highest
    assert over(Request("by-line", limit=3), Request("", top=5)) == highest
    # Both at once are told of where the report is run.
    assert over(summed, Request("", top=5, limit=3)) == Request("by-line", top=5, limit=3)
