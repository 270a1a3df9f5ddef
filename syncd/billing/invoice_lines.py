"""Rounding the lines of a month's invoice, where a tariff rounds these (pure; docs/rules.md 7.10).

A line is what a carrier asks for a destination by one version of its tariff.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from syncd.billing.allowances import Priced
from syncd.billing.working import rounded
from syncd.domain.rate import Rounding


class InvoiceLine(NamedTuple):
    """Carrier (name, id), version of its tariff, destination (id)."""

    carrier: str
    carrier_id: int
    version: str
    destination: int


class InvoiceLines:
    """What the lines of a month come to, before rounding."""

    def __init__(self, roundings: Mapping[str, Rounding]) -> None:
        """``roundings``: of the carriers whose lines are rounded."""
        self._roundings = roundings
        self._sums: defaultdict[InvoiceLine, int] = defaultdict(int)

    def add(self, row: Priced, micros: int) -> None:
        """Add to the line of a row."""
        if row.carrier in self._roundings:
            posted = row.posted
            line = InvoiceLine(row.carrier, posted.carrier, row.version, posted.destination)
            self._sums[line] += micros

    def differences(self) -> Iterator[tuple[InvoiceLine, int]]:
        """Yield the lines with what rounding adds to each, in micros."""
        for line, micros in sorted(self._sums.items()):
            yield line, rounded(micros, 1, self._roundings[line.carrier]) - micros
