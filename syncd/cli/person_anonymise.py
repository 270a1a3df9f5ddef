"""Make a person nobody: their calls stay with the department, without person and number."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from syncd.cli.admission import actor
from syncd.cli.confirmation import confirmed
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, UserError

if TYPE_CHECKING:
    from syncd.application.anonymising import Preview
    from syncd.application.composition import Application


def anonymise(application: Application, arguments: argparse.Namespace, context: Context) -> int:
    """Say what there is of the person, ask, and do it."""
    from syncd.application.anonymising import carry_out, preview
    from syncd.cli.output import print_json, say
    from syncd.store.periods import shown_month

    found = preview(application, arguments.name)
    if arguments.dry_run or not (arguments.yes and context.json):
        _print(found, context)
    if found.present and not arguments.although_present:
        raise UserError(
            f"{found.name} is still in the directory {found.source}",
            "its next sync would bring them as somebody new: take the entry out first, or say"
            " --although-present",
        )
    if found.open_months and not arguments.although_open:
        raise UserError(
            f"{', '.join(map(shown_month, found.open_months))}: allowances and flat charges would be"
            f" worked out without {found.name}, and the totals change",
            f"close first what is over, syncd period close {shown_month(found.open_months[-1])}, or"
            " say --although-open",
        )
    if arguments.dry_run:
        return EXIT_OK
    if not arguments.yes and not confirmed("this cannot be undone"):
        say("nothing was changed")
        return EXIT_FAILED
    rows = carry_out(application, arguments.name, actor(arguments, context))
    if context.json:
        print_json({"party": found.party_id, "rows": rows})
    say(
        f"#{found.party_id} is nobody: {rows} call rows keep their department, cost center and office"
    )
    _warn(found, context)
    return EXIT_OK


def _print(found: Preview, context: Context) -> None:
    from syncd.cli.output import print_json
    from syncd.domain.clock import iso
    from syncd.domain.money import format_micros
    from syncd.store.periods import shown_month

    there = found.concerned
    zone = context.settings.timezone
    status = {
        "party": found.party_id,
        "name": found.name,
        "source": found.source,
        "present": found.present,
        "rows": there.rows,
        "calls": there.calls,
        "cost": format_micros(there.cost),
        "first_call": None if there.first is None else iso(there.first, zone),
        "last_call": None if there.last is None else iso(there.last, zone),
        "withheld": there.withheld,
        "assignments": there.assignments,
        "slots": there.slots,
        "changes": there.changes,
        "archived_files": found.archived,
        "open_months": list(map(shown_month, found.open_months)),
    }
    if context.json:
        print_json(status)
        return
    span = "" if there.first is None else f", {status['first_call']} to {status['last_call']}"
    lines = [
        f"{found.name} (#{found.party_id}, {found.source}) becomes nobody:",
        f"  {there.rows} call rows, {there.calls} calls, {status['cost']}"
        f" {context.settings.currency}{span}: they keep the department, cost center and office, and"
        " lose person, profile and line",
        f"  {there.assignments} numbers, user ids and devices held; {there.slots} slots",
        f"  {there.changes} changes in the history; names in logs and messages",
    ]
    if there.withheld:
        lines.append(
            f"  {there.withheld} withheld rows, which are in no report, are deleted: slots come first"
        )
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _warn(found: Preview, context: Context) -> None:
    from syncd.cli.output import say

    if found.archived:
        days = context.settings.retention.archive
        how_long = f"go after {days} days" if days else "stay: [retention] archive = DAYS ends that"
        say(
            f"their numbers stand still in {found.archived} files of the archive, which {how_long};"
            " and in backups"
        )
