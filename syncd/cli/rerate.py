"""Rate stored calls again, with the rate decks as they are now: after a mend of a deck, or a new one.

Shows first what every department would pay, before and after. A run is kept and can be undone. What
concerns closed months is booked in the oldest open one. Without a period the runs are listed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from syncd.cli.access import add_format, add_viewer, chosen_format
from syncd.cli.administration import open_application
from syncd.cli.confirmation import confirmed
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from syncd.calls.rerating import Amount, Rerated, Wanted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the period, the carrier and the run."""
    parser.add_argument("--from", dest="first", metavar="DAY", help="first day, as 2026-03-01")
    parser.add_argument("--to", dest="end", metavar="DAY", help="the day after the last")
    parser.add_argument(
        "--carrier", metavar="NAME", help="only conversations over this [carrier:NAME]"
    )
    parser.add_argument(
        "--undo", type=int, metavar="RUN", help="give the calls of a run the prices they had before"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would change, no more")
    parser.add_argument("--yes", action="store_true", help="do not ask, and do not say it first")
    add_viewer(parser)
    add_format(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Show what would change, ask, then do it; or list the runs."""
    listing = arguments.first is None and arguments.end is None and arguments.undo is None
    arguments.action = "list" if listing else "run"
    application, door = open_application(arguments, context, "rerate")

    from syncd.application.rerating import carry_out, preview
    from syncd.cli.output import say

    as_json = chosen_format(arguments, context) == "json"
    if listing:
        if arguments.carrier is not None or arguments.dry_run or arguments.yes:
            raise UsageError("no period is given", "--from 2026-03-01 --to 2026-04-01")
        return _list(context, as_json=as_json)
    chosen = _wanted(arguments, context)
    if arguments.dry_run or not arguments.yes:
        changes = preview(application, chosen)
        _print(changes, context, chosen, as_json=as_json, run=None)
        if arguments.dry_run:
            door.note_rows(changes.rows)
            return EXIT_OK
        if not changes.rows:
            say("nothing would change")
            return EXIT_OK
        if not confirmed("this changes what past calls cost"):
            say("nothing was changed")
            return EXIT_FAILED
    number, changes = carry_out(application, chosen, door.viewer.name)
    door.note_rows(changes.rows)
    _print(changes, context, chosen, as_json=as_json, run=number)
    return EXIT_OK


def _wanted(arguments: argparse.Namespace, context: Context) -> Wanted:
    """Return what is asked for. Raises UsageError."""
    from syncd.application.rerating import wanted
    from syncd.calls.rerating import Wanted
    from syncd.cli.reprocess import span

    if arguments.undo is not None:
        if (arguments.first, arguments.end, arguments.carrier) != (None, None, None):
            raise UsageError("a run is undone as a whole", "--undo RUN alone")
        return Wanted(undo=arguments.undo)
    if arguments.first is None or arguments.end is None:
        raise UsageError(
            "the period needs a first day and the day after the last",
            "--from 2026-03-01 --to 2026-04-01",
        )
    return wanted(context.settings, *span(arguments, context), arguments.carrier)


def _list(context: Context, *, as_json: bool) -> int:
    """Print the runs, the newest first."""
    import json

    from syncd.cli.output import print_list
    from syncd.domain.clock import iso
    from syncd.domain.days import Days, day_date
    from syncd.domain.money import format_micros
    from syncd.reports.render.table import Column
    from syncd.store.models import MaintenanceRun, RerateRun

    zone = context.settings.timezone
    days = Days(zone)
    rows = []
    undone = {one.undoes: one.run_id for one in RerateRun.select() if one.undoes}
    for one in RerateRun.select().order_by(RerateRun.run_id.desc()):
        run = MaintenanceRun.get_by_id(one.run_id)
        asked: dict[str, Any] = json.loads(run.arguments)
        whole = one.undoes == 0
        rows.append(
            {
                "run": one.run_id,
                "started_at": iso(run.started_at, zone),
                "who": one.who,
                "state": f"undone by {undone[one.run_id]}" if one.run_id in undone else run.state,
                "from": day_date(days.day(asked["since"])).isoformat() if whole else None,
                "to": day_date(days.day(asked["until"])).isoformat() if whole else None,
                "carrier": asked["carrier"] or None,
                "undoes": one.undoes or None,
                "rows": one.rows,
                "cost_before": format_micros(one.before),
                "cost_after": format_micros(one.after),
                "difference": format_micros(one.after - one.before),
                "skipped": one.skipped,
            }
        )
    currency = context.settings.currency
    print_list(
        rows,
        {
            "run": Column("Run", right=True),
            "started_at": Column("Started"),
            "who": Column("Who"),
            "state": Column("State"),
            "from": Column("From"),
            "to": Column("To"),
            "carrier": Column("Carrier", absent="(all)"),
            "undoes": Column("Undoes", right=True),
            "rows": Column("Rows", right=True),
            "cost_before": Column(f"{currency} before", right=True),
            "cost_after": Column(f"{currency} after", right=True),
            "difference": Column("Difference", right=True),
        },
        as_json=as_json,
        empty="nothing was rated again yet",
    )
    return EXIT_OK


def _amounts(amount: Amount) -> dict[str, Any]:
    from syncd.domain.money import format_micros

    return {
        "rows": amount.rows,
        "cost_before": format_micros(amount.before),
        "cost_after": format_micros(amount.after),
        "difference": format_micros(amount.after - amount.before),
        "unrated_before": amount.unrated_before,
        "unrated_after": amount.unrated_after,
    }


def _groups(changes: Rerated) -> list[dict[str, Any]]:
    """Return what changes by department, carrier and class, in the order of their names."""
    from syncd.calls.rerating import Amount
    from syncd.domain.codes import NumberClass
    from syncd.store.names import departments

    names = departments()
    groups: dict[tuple[str, str, str], Amount] = {}
    for (org, carrier, number_class), amount in changes.groups.items():
        key = (names.get(org, ""), carrier, NumberClass(number_class).word)
        groups.setdefault(key, Amount()).add(amount)
    return [
        {
            "department": department or None,
            "carrier": carrier or None,
            "class": number_class,
            **_amounts(amount),
        }
        for (department, carrier, number_class), amount in sorted(groups.items())
    ]


def _print(
    changes: Rerated, context: Context, chosen: Wanted, *, as_json: bool, run: int | None
) -> None:
    from syncd.cli.output import print_json, print_table, say
    from syncd.reports.render.table import Column

    groups, total = _groups(changes), _amounts(changes.total)
    if as_json:
        print_json(
            {
                "run": run,
                "done": run is not None,
                "undoes": chosen.undo or None,
                "records": changes.records,
                "withheld": changes.withheld,
                "skipped": changes.skipped,
                "not_configured": sorted(changes.unknown),
                "groups": groups,
                "totals": total,
            }
        )
        return
    if groups:
        currency = context.settings.currency
        print_table(
            [
                Column("Department", absent="(none)"),
                Column("Carrier", absent="(none)"),
                Column("Class"),
                Column("Rows", right=True),
                Column(f"{currency} before", right=True),
                Column(f"{currency} after", right=True),
                Column("Difference", right=True),
                Column("Unrated before", right=True),
                Column("Unrated after", right=True),
            ],
            [list(row.values()) for row in groups],
            ["Total", "", "", *total.values()],
        )
    for source in sorted(changes.unknown):
        say(f"calls of [cdr:{source}], which is no longer configured, stay as they are")
    if changes.withheld:
        say(f"{changes.withheld} rows of withheld calls are among them, in no sum")
    if changes.skipped:
        say(f"{changes.skipped} rows have changed again since that run, and stay as they are")
    what = "" if chosen.undo else f"{changes.records} records rated again: "
    if run is None:
        say(f"{what}{changes.rows} call rows would change")
    else:
        say(f"{what}{changes.rows} call rows changed, run {run}")
