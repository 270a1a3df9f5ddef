"""What carriers write into their bills."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncd.billing.invoice_file import (
    Reading,
    is_ours,
    plain_number,
    price_of,
    read_bill,
    seconds_of,
    starts_of,
)
from syncd.billing.numbering import Numbering, NumberingPlan
from syncd.billing.sheets import NumberText
from syncd.settings.finance import InvoiceSettings

ROME = Numbering(NumberingPlan("IT", "06", "0", "", ("2XXX",)))


def layout(**options: Any) -> InvoiceSettings:
    given: dict[str, Any] = dict.fromkeys(("site", "sheet", "calling", "price", "start"), "")
    given |= {name: name for name in ("number", "date", "time", "duration")}
    return InvoiceSettings(
        **{
            "name": "x",
            "delimiter": "auto",
            "encoding": "auto",
            "start_format": "%d/%m/%y %H.%M",
            "date_format": "%d.%m.%Y",
            "time_format": "%H:%M:%S",
            "timezone": ZoneInfo("Europe/Rome"),
            "duration_format": "seconds",
            "decimal": "point",
            "own_numbers": (),
            "time_tolerance": 60,
            "duration_tolerance": 5,
            "price_tolerance": 10_000,
            **given,
            **options,
        }
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("06 1234567", ("+39061234567", 0)),
        ("+39 (06) 123-4567", ("+39061234567", 0)),
        ("0033142685300", ("+33142685300", 0)),
        ("333 1234567", ("+393331234567", 0)),
        ("003314268XXXX", ("+3314268", 4)),
        ("06 1234***", ("+39061234", 3)),
        ("112", ("112", 0)),
    ],
)
def test_numbers(text: str, number: tuple[str, int]) -> None:
    assert plain_number(text, ROME) == number


@pytest.mark.parametrize("text", ["anonymous", "", "Totale"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        plain_number(text, ROME)


@pytest.mark.parametrize(
    ("text", "options", "seconds"),
    [
        ("65", {}, 65),
        (NumberText("65"), {"decimal": "comma"}, 65),
        ("1:05", {"duration_format": "clock"}, 65),
        ("0:01:05", {"duration_format": "clock"}, 65),
        ("90:00", {"duration_format": "clock"}, 5_400),
        ("1,5", {"duration_format": "minutes", "decimal": "comma"}, 90),
        ("1.0833", {"duration_format": "minutes"}, 65),
        (NumberText("1.5"), {"duration_format": "minutes", "decimal": "comma"}, 90),
    ],
)
def test_durations(text: str, options: dict[str, str], seconds: int) -> None:
    assert seconds_of(text, layout(**options)) == seconds


@pytest.mark.parametrize(
    ("text", "options"),
    [("1:05", {}), ("-5", {}), ("65", {"duration_format": "clock"}), ("1,5", {}), ("", {})],
)
def test_what_is_no_duration(text: str, options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds_of(text, layout(**options))


def test_prices() -> None:
    comma = layout(decimal="comma")
    assert price_of("1.234,5678 €", comma, "EUR") == 1_234_567_800
    assert price_of("", comma, "EUR") is None
    with pytest.raises(ValueError, match="USD"):
        price_of("1,00 USD", comma, "EUR")


def test_times() -> None:
    form = "%d/%m/%y %H.%M"
    assert starts_of(("28/05/26 22.26", form), layout()) == (1_779_999_960,)
    # The hour that the clock repeats may be either.
    first, second = starts_of(("25/10/26 02.30", form), layout())
    assert second - first == 3_600
    assert starts_of(("2026-05-28 22:26:40", form), layout()) == (1_780_000_000,)
    with pytest.raises(ValueError, match="not a time"):
        starts_of(("31/02/26 10.00", form), layout())


def test_whose_it_is() -> None:
    assert is_ours("anything", ())
    assert is_ours("06 1234-001", ("061234*",))
    assert is_ours("Trunk-1", ("trunk-?",))
    assert not is_ours("069999", ("061234*", "trunk-?"))
    assert not is_ours("", ("061234*",))


def test_sums_and_headings_are_no_items(tmp_path: Path) -> None:
    bill = tmp_path / "bill.csv"
    bill.write_text(
        "number;date;time;duration;price\n"
        "Mobile;;;;\n"
        "3331234567;01.10.2026;10:00:00;65;0.20\n"
        "Sum of October;;;;0.20\n",
        encoding="utf-8",
    )
    (item,) = read_bill(bill, Reading(layout(price="price"), ROME, "EUR"))
    assert (item.line, item.price) == (3, 200_000)
