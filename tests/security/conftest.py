"""The count of comparisons with the oracle, over all tests and processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

COMPARISONS = "comparisons"


class Compared:
    """Compares what somebody got with what the oracle says, and counts. One comparison is a row of a
    list, a sum of a group, a total, or a set or order of rows as a whole."""

    def __init__(self) -> None:
        self.count = 0

    def equal(self, found: Any, wanted: Any, *about: Any) -> None:
        """Compare one thing."""
        assert found == wanted, about
        self.count += 1

    def rows(self, found: list[Any], wanted: list[Any], *about: Any) -> None:
        """Compare a list in its order: how many, and each row."""
        assert len(found) == len(wanted), (*about, len(found), len(wanted))
        self.count += 1
        for place, (one, other) in enumerate(zip(found, wanted, strict=True)):
            assert one == other, (*about, place)
            self.count += 1

    def sums(
        self, found: dict[Any, dict[str, Any]], wanted: dict[Any, dict[str, Any]], *about: Any
    ) -> None:
        """Compare sums by group: which groups, and each sum of each."""
        assert found.keys() == wanted.keys(), (*about, set(found) ^ set(wanted))
        self.count += 1
        for group, values in wanted.items():
            for name, value in values.items():
                assert found[group][name] == value, (*about, group, name)
                self.count += 1


@pytest.fixture
def compared(request: pytest.FixtureRequest) -> Iterator[Compared]:
    counter = Compared()
    yield counter
    request.node.user_properties.append((COMPARISONS, counter.count))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how many comparisons there were."""
    total = sum(
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "teardown"
        for name, value in getattr(report, "user_properties", ())
        if name == COMPARISONS
    )
    if total:
        terminalreporter.write_line(f"{total:,} comparisons with the oracle of permissions")
