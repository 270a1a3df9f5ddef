"""What a month has beside its calls: shown, and booked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from syncd.cli.context import Context
from syncd.domain.errors import EXIT_OK

if TYPE_CHECKING:
    from syncd.application.composition import Application
    from syncd.reports.scope import Door
    from syncd.store.month_runs import Line


def show_month(
    context: Context, application: Application, door: Door, month: int, *, as_json: bool
) -> int:
    """Show a month: as it is now while it is open, else as it was closed."""
    from syncd.application.months import Shown
    from syncd.cli.output import say
    from syncd.domain.clock import iso
    from syncd.store.periods import shown_month

    shown = Shown(application, month)
    _print(context, application, door, shown.lines, month, shown.state, as_json=as_json)
    name = shown_month(month)
    if shown.at is not None:
        when = iso(shown.at, context.settings.timezone)[:16].replace("T", " ")
        say(f"booked at {when} by {shown.who}")
    if shown.stale:
        say(f"calls changed since: syncd period run {name} books it again, and so does closing it")
    elif shown.state == "estimate":
        say(f"an estimate: {name} is open" + ("" if shown.at else ", and nothing is booked yet"))
    return EXIT_OK


def run_month(
    context: Context,
    application: Application,
    door: Door,
    month: int,
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Book what an open month has beside its calls, or show what would be booked."""
    from syncd.application import months
    from syncd.cli.output import say
    from syncd.store.periods import shown_month

    if dry_run:
        found = months.preview_month(application, month)
    else:
        found = months.run_month(application, month, door.viewer.name)
    _print(context, application, door, sorted(found.lines), month, "estimate", as_json=as_json)
    say("nothing was booked" if dry_run else f"booked in {shown_month(month)}")
    return EXIT_OK


def _print(
    context: Context,
    application: Application,
    door: Door,
    lines: Sequence[Line],
    month: int,
    state: str,
    *,
    as_json: bool,
) -> None:
    from syncd.cli.output import print_list
    from syncd.reports.months import shown_lines
    from syncd.reports.render.table import Column

    with application.connected():
        rows: list[dict[str, Any]] = shown_lines(lines, month, state)
    door.note_rows(len(rows))
    print_list(
        rows,
        {
            "kind": Column("What"),
            "name": Column("Name"),
            "whose": Column("Whose"),
            "unit": Column("In"),
            "given": Column("Given", right=True),
            "carried": Column("Carried", right=True),
            "used": Column("Used", right=True),
            "left": Column("Left", right=True),
            "cost": Column(f"{context.settings.currency} booked", right=True),
        },
        as_json=as_json,
        empty="nothing beside the calls",
    )
