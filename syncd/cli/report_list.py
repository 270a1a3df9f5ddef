"""What reports there are for a viewer, and what one of them says."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from syncd.cli.access import policy
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_OK, UserError

if TYPE_CHECKING:
    from syncd.domain.viewer import Viewer
    from syncd.reports.catalogue.entry import CatalogueEntry


def list_reports(arguments: argparse.Namespace, context: Context, form: str) -> int:
    """Print the reports that the viewer may open, by group."""
    from syncd.cli.output import print_list
    from syncd.reports.render.table import Column

    rows = [_summary(entry, level) for entry, level in _opened(arguments, context)]
    if form != "json":
        # A group is named once.
        named: set[str] = set()
        for row in rows:
            row["group"], group = "" if row["group"] in named else row["group"], row["group"]
            named.add(group)
    print_list(
        rows,
        {
            "group": Column("Group"),
            "report": Column("Report"),
            "level": Column("Level", right=True),
            "period": Column("Period"),
            "summary": Column("What it says"),
        },
        as_json=form == "json",
        empty="no report is open to you",
    )
    return EXIT_OK


def describe_report(arguments: argparse.Namespace, context: Context, form: str) -> int:
    """Print what a report says, counts and can be asked. Raises UsageError for one that there is
    not, UserError for one that the viewer may not open."""
    from syncd.cli.output import print_json, print_table
    from syncd.reports.catalogue.standard import find_report
    from syncd.reports.render.table import Column

    entry = find_report(arguments.name, context.settings.custom_fields)
    opened = {one.name: level for one, level in _opened(arguments, context)}
    if entry.name not in opened:
        raise UserError(
            f"The report {entry.name} is not available to {_viewer(arguments, context).name}."
        )
    described = _described(entry, opened[entry.name], context)
    if form == "json":
        print_json(described)
        return EXIT_OK
    print_table(
        [Column(""), Column("")],
        [
            [name.replace("_", " "), ", ".join(value) if isinstance(value, list) else str(value)]
            for name, value in described.items()
            if value not in (None, [], "")
        ],
    )
    return EXIT_OK


def _viewer(arguments: argparse.Namespace, context: Context) -> Viewer:
    from syncd.domain.viewer import LOCAL_ADMINISTRATOR
    from syncd.reports.scope import resolve_viewer

    if arguments.viewer is None:
        return LOCAL_ADMINISTRATOR
    context.database()
    return resolve_viewer(arguments.viewer, policy(context).level6_basis)


def _opened(
    arguments: argparse.Namespace, context: Context
) -> Iterator[tuple[CatalogueEntry, int]]:
    """Yield the reports that the viewer may open, by group, each with the level that it needs."""
    from syncd.reports.catalogue.entry import Group
    from syncd.reports.catalogue.standard import catalogue
    from syncd.reports.permissions import may_open, required_level

    viewer, levels = _viewer(arguments, context), policy(context).levels
    groups = list(Group)
    entries = catalogue(context.settings.custom_fields).values()
    for entry in sorted(entries, key=lambda entry: groups.index(entry.group)):
        if may_open(viewer, entry.name, levels):
            yield entry, required_level(entry.name, levels)


def _summary(entry: CatalogueEntry, level: int) -> dict[str, Any]:
    return {
        "report": entry.name,
        "title": entry.heading,
        "group": entry.group.value,
        "summary": entry.summary,
        "level": level,
        "period": entry.period,
        "dimensions": list(entry.dimensions),
    }


def _described(entry: CatalogueEntry, level: int, context: Context) -> dict[str, Any]:
    from syncd.reports.dimensions import DEFAULT_MEASURES
    from syncd.reports.request import OPTIONS
    from syncd.reports.specification import BOOKED_MEASURES, BY_POSTING

    short = context.settings.reports.short_call
    measures = entry.measures or (BOOKED_MEASURES if entry.by == BY_POSTING else DEFAULT_MEASURES)
    return {
        **_summary(entry, level),
        "counts": entry.counting,
        "by": entry.by,
        "measures": list(measures) if entry.dimensions and not entry.make else [],
        "only": [
            *(f"{key}={','.join(values)}" for key, values in entry.filters),
            *(condition.format(short_call=short) for condition in entry.conditions),
        ],
        "sort": list(entry.sort),
        "limit": entry.limit,
        "options": sorted(option for name, option in OPTIONS.items() if name in entry.takes),
    }
