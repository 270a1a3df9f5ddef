"""When reports are sent: words, and the last time before a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.settings.timing import latest, parse_timing
from syncd.settings.values import BadValue
from syncd.settings.values_mailing import parse_recipients

ROME = ZoneInfo("Europe/Rome")
NOW = int(datetime(2026, 11, 23, 11, 0, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("words", "following"),
    [
        ("daily at 07:00", "2026-11-24 07:00"),
        ("Daily at 7:00", "2026-11-24 07:00"),
        ("weekdays at 12:30", "2026-11-23 12:30"),
        ("weekly on monday at 07:00", "2026-11-30 07:00"),
        ("weekly on sun at 00:05", "2026-11-29 00:05"),
        ("monthly on 1 at 07:00", "2026-12-01 07:00"),
        ("monthly on 31 at 07:00", "2026-12-31 07:00"),
        ("quarterly on 1 at 07:00", "2027-01-01 07:00"),
        ("yearly on 2 march at 23:59", "2027-03-02 23:59"),
        ("every 6 hours", "2026-11-23 18:00"),
        ("0 6 * * 2", "2026-11-24 06:00"),
    ],
)
def test_words(words: str, following: str) -> None:
    found = parse_timing(words).next_after(NOW, ROME)
    assert f"{datetime.fromtimestamp(found, ROME):%Y-%m-%d %H:%M}" == following
    assert parse_timing(str(parse_timing(words))) == parse_timing(words)


@pytest.mark.parametrize(
    "words",
    [
        "daily",
        "daily at 24:00",
        "weekly on someday at 07:00",
        "monthly on 0 at 07:00",
        "yearly on 30 february at 07:00",
        "every 1 minute",
        "every day",
    ],
)
def test_no_words(words: str) -> None:
    with pytest.raises(ValueError):
        parse_timing(words)


WORDS = st.sampled_from(
    ["daily at 02:30", "weekly on monday at 07:00", "monthly on 31 at 07:00", "every 7 hours"]
    + ["*/5 * * * *", "yearly on 29 february at 07:00", "0 * * * *"]
)


@given(WORDS, st.integers(0, 3 * 366 * 86_400))
def test_the_last_time_is_the_one_after_which_nothing_comes(words: str, passed: int) -> None:
    schedule = parse_timing(words)
    due = schedule.next_after(NOW, ROME)
    now = due + passed
    found = latest(schedule, ROME, due, now)
    assert due <= found <= now < schedule.next_after(found, ROME)
    assert found == due or schedule.next_after(found - 1, ROME) == found or "every" in words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("anna", "anna"),
        ("corp:anna.verdi;me", "corp:anna.verdi; me"),
        ("department Sales & Marketing;level >= 8", "department Sales & Marketing; level>=8"),
        (
            "managers of  Sales\nuser level;a@example.com",
            "managers of Sales; user level; a@example.com",
        ),
        ("anna;anna;", "anna"),
        ("group corp:the sales; user group x", "group corp:the sales; user group x"),
    ],
)
def test_recipients(text: str, shown: str) -> None:
    found = parse_recipients(text)
    assert "; ".join(map(str, found)) == shown
    assert parse_recipients(shown) == found


@pytest.mark.parametrize("text", ["level>=7", "level", "a@b@c", "managers of", "a b\x07"])
def test_no_recipients(text: str) -> None:
    with pytest.raises(BadValue):
        parse_recipients(text)
