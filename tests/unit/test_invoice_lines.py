"""Rounding an invoice's lines, compared with fractions."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from syncd.billing.allowances import Place, Priced
from syncd.billing.invoice_lines import InvoiceLine, InvoiceLines
from syncd.domain.posting import Posted
from syncd.domain.rate import ROUNDED_PER, Rounding

MODES = {
    "up": ROUND_CEILING,
    "down": ROUND_FLOOR,
    "half-up": ROUND_HALF_UP,
    "half-even": ROUND_HALF_EVEN,
}


def row(carrier: str, version: str, destination: int, cost: int) -> Priced:
    posted = Posted(1, 1, 1, 1, 1, 4, destination, 1, len(carrier), cost)
    return Priced(Place(0, 0, 0), (0, 0), "", "", "", "", carrier, version, "", 60, False, posted)


ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(["telco", "other", "third one"]),
        st.sampled_from(["2025", "2026"]),
        st.integers(0, 2),
        st.integers(1, 30_000_000),
    )
)


@given(ROWS, st.sampled_from(sorted(MODES)), st.integers(0, 6))
def test_each_line_is_what_a_decimal_makes_of_it(
    rows: list[Priced], mode: str, decimals: int
) -> None:
    rounding = Rounding(mode, decimals, ROUNDED_PER[2])
    lines = InvoiceLines({"telco": rounding, "third one": rounding})
    for one in rows:
        lines.add(one, one.posted.cost + 5)
        lines.add(one, -5)
    expected: dict[InvoiceLine, int] = {}
    for one in rows:
        if one.carrier != "other":
            key = InvoiceLine(one.carrier, len(one.carrier), one.version, one.posted.destination)
            expected[key] = expected.get(key, 0) + one.posted.cost
    found = dict(lines.differences())
    assert found.keys() == expected.keys()
    for key, micros in expected.items():
        exact = Decimal(micros).scaleb(-6)
        rounded = exact.quantize(Decimal(1).scaleb(-decimals), MODES[mode])
        assert micros + found[key] == int(rounded.scaleb(6))
