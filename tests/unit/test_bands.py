"""Time bands, holidays and exchange rates."""

from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.bands import Bands
from syncd.billing.exchange import ExchangeRates, exchanged, load_exchange_rates, shown_rate
from syncd.billing.holidays import HolidayCalendar, country_problem, load_holidays
from syncd.domain.bands import EVERY_DAY, HOLIDAY, Span, parse_spans
from syncd.domain.rate import EXCHANGE_SCALE, ExchangeRate

ROME = ZoneInfo("Europe/Rome")
HOUR = 3_600


def bands(*holidays: date, **texts: str) -> Bands:
    return Bands("week", {name: parse_spans(text) for name, text in texts.items()}, holidays)


def at(hour: int, minute: int = 0, *, day: int = 5, month: int = 1, fold: int = 0) -> int:
    """Return a moment of 2026 in Rome; 5 January is a Monday."""
    return int(datetime(2026, month, day, hour, minute, tzinfo=ROME, fold=fold).timestamp())


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Mon-Fri 08:00-18:30", (Span(frozenset(range(5)), 8 * HOUR, 18 * HOUR + 1_800),)),
        ("sat sun, holiday", (Span(frozenset({5, 6})), Span(frozenset({HOLIDAY})))),
        ("Fri-Mon", (Span(frozenset({4, 5, 6, 0})),)),
        ("22:00-06:00", (Span(EVERY_DAY, 22 * HOUR, 6 * HOUR),)),
        ("daily 00:00-24:00", (Span(EVERY_DAY),)),
    ],
)
def test_spans_are_read(text: str, spans: tuple[Span, ...]) -> None:
    assert parse_spans(text) == spans


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "nothing stands"),
        ("Mon,,Tue", "nothing stands"),
        ("Monday", "neither a day"),
        ("Mon 8-12", "neither a day"),
        ("Mon 08:00-25:00", "no time of day"),
        ("Mon 08:60-09:00", "no time of day"),
        ("Mon 08:00-08:00", "no beginning and end"),
        ("Mon 08:00-12:00 14:00-18:00", "second time of day"),
        ("08:00-12:00 Mon", "behind the hours"),
    ],
)
def test_what_is_no_span(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse_spans(text)


def test_the_first_band_that_fits_counts() -> None:
    times = bands(peak="Mon-Fri 08:00-18:30", rest="daily").times(ROME)
    assert [times.at(at(hour))[0] for hour in (7, 8, 18, 19)] == ["rest", "peak", "peak", "rest"]
    assert times.at(at(18, 29)) == ("peak", at(18, 30))
    assert times.at(at(12, day=10))[0] == "rest"


def test_hours_over_midnight_belong_to_the_day_on_which_they_began() -> None:
    times = bands(night="Fri 22:00-06:00").times(ROME)
    found = [times.at(at(hour, day=day))[0] for day, hour in ((9, 5), (9, 22), (10, 5), (10, 6))]
    assert found == ["", "night", "night", ""]


def test_on_a_holiday_no_day_of_the_week_holds() -> None:
    times = bands(date(2026, 1, 6), peak="Tue", off="holiday 00:00-12:00").times(ROME)
    assert times.at(at(9, day=6))[0] == "off"
    assert times.at(at(13, day=6))[0] == ""
    assert times.at(at(9, day=13))[0] == "peak"


def test_a_day_of_23_hours_and_one_of_25() -> None:
    times = bands(early="daily 00:00-02:30", late="daily 02:30-24:00").times(ROME)
    # On 29 March it is 3:00 after 1:59:59.
    spring = at(1, 59, day=29, month=3)
    assert times.stretches(spring, 120) == [
        ("early", 60),
        ("late", at(0, day=30, month=3) - spring),
    ]
    # On 25 October 2:30 is there twice: late, early again, late again.
    autumn = at(2, 0, day=25, month=10)
    found = times.stretches(autumn, 2 * HOUR)
    assert [(band, min(until, 2 * HOUR)) for band, until in found] == [
        ("early", 1_800),
        ("late", 3_600),
        ("early", 5_400),
        ("late", 7_200),
    ]


@given(
    st.integers(1_700_000_000, 1_900_000_000),
    st.integers(1, 200_000),
    st.sampled_from(["Europe/Rome", "America/St_Johns", "Australia/Lord_Howe", "Asia/Tehran"]),
)
def test_every_moment_of_a_stretch_has_its_band(epoch: int, seconds: int, name: str) -> None:
    zone = ZoneInfo(name)
    week = bands(a="Mon-Fri 08:00-18:30", b="Sat 22:15-03:00, Sun 01:30-02:30", c="12:00-13:00")
    times = week.times(zone)
    stretches = times.stretches(epoch, seconds)
    assert stretches[-1].until >= seconds
    assert all(one.band != other.band for one, other in pairwise(stretches))
    begin = 0
    for band, until in stretches:
        for moment in {begin, (begin + until) // 2, until - 1}:
            local = datetime.fromtimestamp(epoch + moment, zone)
            second = local.hour * HOUR + local.minute * 60 + local.second
            found = [its for start, its in week.of_day(local.date()) if start <= second][-1]
            assert found == band
        begin = until


def test_hours_without_a_band_are_named() -> None:
    week = bands(peak="Mon-Fri 08:00-18:30", off="Mon-Thu 18:30-08:00, Sat Sun holiday")
    assert week.open_hours() == ["Mon 00:00-08:00", "Fri 18:30-24:00"]
    assert bands(all="daily").open_hours() == []
    week = bands(peak="Mon-Fri 08:00-18:30", off="Mon-Fri 18:30-08:00, Sat Sun")
    assert week.open_hours() == ["Mon 00:00-08:00", "holiday"]


def test_holidays_of_countries_and_of_a_list(tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    file.write_text("date,name\n# ours\n2026-05-04,Patron\n12-24,Christmas Eve\n", encoding="utf-8")
    days, yearly, problems = load_holidays(file)
    assert problems == []
    calendar = HolidayCalendar(["IT", "DE-BY"], days, yearly)
    for day in ((4, 25), (6, 2), (5, 4), (12, 24), (1, 6), (11, 1), (10, 3)):
        assert date(2026, *day) in calendar
    assert date(2027, 12, 24) in calendar
    assert date(2027, 5, 4) not in calendar
    assert date(2026, 10, 3) not in HolidayCalendar(["IT"])


def test_what_is_wrong_with_holidays(tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    file.write_text("2026-02-30\n13-01\nnext week\n", encoding="utf-8")
    assert [problem.line for problem in load_holidays(file)[2]] == [1, 2, 3]
    assert "cannot be read" in load_holidays(tmp_path / "none.csv")[2][0].what
    assert country_problem("IT") == country_problem("DE-BY") == ("", "")
    for wrong in ("it", "XX", "DE-XX", "Italy"):
        assert country_problem(wrong)[0]


def test_exchange_rates_hold_from_their_day(tmp_path: Path) -> None:
    file = tmp_path / "exchange.csv"
    file.write_text(
        "currency,date,rate\nUSD,2026-02-01,0.9307\n# later\nUSD,2026-01-01,0.9215\n"
        "JPY,2026-01-01,0.0061523419\n",
        encoding="utf-8",
    )
    rates, problems = load_exchange_rates(file, ROME)
    assert problems == []
    assert rates.at("USD", at(0, day=1) - 1) is None
    found = [rates.at("USD", moment) for moment in (at(0, day=1), at(0, day=1, month=2))]
    assert [shown_rate(one) for one in found if one] == ["0.9215", "0.9307"]
    yen = rates.at("JPY", at(0, day=2))
    assert yen is not None
    assert exchanged(1_000_000_000, yen) == 6_152_342
    assert rates.at("GBP", at(0)) is None


def test_halves_go_to_the_even_micro() -> None:
    half = ExchangeRate("USD", 0, EXCHANGE_SCALE // 2)
    assert [exchanged(micros, half) for micros in (1, 3, 5, -1, -3)] == [0, 2, 2, 0, -2]


def test_every_mistake_in_a_list_of_rates_is_told_and_nothing_is_used(tmp_path: Path) -> None:
    file = tmp_path / "exchange.csv"
    file.write_text(
        "date,currency,rate\n2026-01-01,USD,0.9\n2026-01-01,USD,0.8\n1.1.2026,usd,0\n2026-01-02,EUR\n",
        encoding="utf-8",
    )
    rates, problems = load_exchange_rates(file, ROME)
    assert rates.at("USD", at(0, day=9)) is None
    assert [(one.line, one.option) for one in problems] == [
        (3, "date"),
        (4, "date"),
        (4, "currency"),
        (4, "rate"),
        (5, ""),
    ]
    file.write_text("day,money\n", encoding="utf-8")
    assert "not the header" in load_exchange_rates(file, ROME)[1][0].what


def test_rates_remember_nothing_of_other_currencies() -> None:
    rates = ExchangeRates([ExchangeRate("USD", 5, 1)])
    assert "USD" in rates
    assert "EUR" not in rates
