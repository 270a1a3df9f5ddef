"""How a report of the catalogue finds what makes it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from syncd.reports.catalogue.entry import CatalogueEntry
from syncd.reports.environment import Environment
from syncd.reports.result import Result
from syncd.reports.scope import Door
from syncd.reports.specification import Specification

Maker = Callable[[Door, Specification, Environment], Result]


def maker_of(entry: CatalogueEntry) -> Maker | None:
    """Return what makes a report, imported now; None for sums and lists of call rows, which the
    engine makes."""
    if not entry.make:
        return None
    maker: Maker = import_module(f"syncd.reports.makers.{entry.make}").make
    return maker
