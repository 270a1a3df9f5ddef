"""Write a month's cost by cost center as files for the ledger."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from syncd.cli.access import add_viewer
from syncd.cli.context import Context
from syncd.domain.errors import EXIT_OK, RefusedError, UsageError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncd.reports.charge_back import LedgerFile

REQUIRED = 10
MODE = 0o640
Layout = TypeVar("Layout")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the month, where to and the layout."""
    parser.add_argument("--period", required=True, metavar="YYYY-MM", help="the month")
    parser.add_argument(
        "--to",
        dest="target",
        type=Path,
        required=True,
        metavar="FOLDER|FILE",
        help="where the files go; a file when the layout has one for all cost centers",
    )
    parser.add_argument(
        "--map", metavar="NAME", help="the [charge-back:NAME]; needed where there are several"
    )
    parser.add_argument(
        "--replace", action="store_true", help="overwrite files with another content"
    )
    add_viewer(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Write the files of a month, all of them or none."""
    from datetime import datetime

    from syncd.cli.access import open_report_door
    from syncd.cli.output import print_list, say
    from syncd.domain.days import month_of
    from syncd.reports.charge_back import charge_back
    from syncd.reports.render.table import UNASSIGNED, Column

    settings = context.settings
    match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", arguments.period)
    if match is None:
        raise UsageError(f"--period: {arguments.period!r} is no month", "write it like 2026-01")
    layout = chosen_map(arguments.map, settings.finance.charge_backs, "charge-back")
    door = open_report_door(
        arguments, context, "charge-back", f"{arguments.period} {layout.name} {arguments.target}"
    )
    if door.viewer.level < REQUIRED:
        raise UserError(f"The verb charge-back is not available to {door.viewer.name}.")
    month = int(match[1] + match[2])
    vat = {name: carrier.vat for name, carrier in settings.carriers.items() if carrier.vat}
    done = charge_back(door, layout, month, settings.timezone, settings.currency, vat)
    paths = _paths(arguments.target, done.files)
    _write(paths, replace=arguments.replace)
    rows = [
        {
            "file": str(path),
            "cost_center": file.cost_center,
            "lines": file.lines,
            "calls": file.calls,
            "amount": file.total,
            **({"vat": file.vat} if vat else {}),
        }
        for path, file in paths.items()
    ]
    together = "{cost_center" not in layout.file
    columns = {
        "cost_center": Column("Cost center", absent=UNASSIGNED),
        "lines": Column("Lines", right=True),
        "calls": Column("Calls", right=True),
        "amount": Column(f"Amount {settings.currency}", right=True),
        "vat": Column("VAT", right=True),
        "file": Column("File"),
    }
    if not vat:
        del columns["vat"]
    if together:
        del columns["cost_center"]
    print_list(rows, columns, as_json=context.json, empty="nothing was spent: no file is written")
    tax = f" and {done.vat} VAT" if vat else ""
    say(f"{arguments.period} comes to {done.total} {settings.currency}{tax}, by posting period")
    if done.unrated:
        have, are = ("row has", "is") if done.unrated == 1 else ("rows have", "are")
        say(f"{done.unrated} {have} no price yet and {are} in no file")
    today = datetime.fromtimestamp(context.now(), settings.timezone).date()
    if month >= month_of(int(f"{today:%Y%m%d}")):
        say("the month is not over: the files will differ")
    _say_what_is_not_booked(month, context)
    return EXIT_OK


def _say_what_is_not_booked(month: int, context: Context) -> None:
    """Say that a month is open, and what belongs to it by the month run and is not in the files."""
    from syncd.application.reports import books_by_month
    from syncd.cli.output import say
    from syncd.domain.days import Days, month_of
    from syncd.domain.money import format_micros
    from syncd.store.adjustments import closing
    from syncd.store.periods import shown_month

    settings = context.settings
    this = month_of(Days(settings.timezone).day(context.now()))
    if month <= closing().through or month > this or not books_by_month(settings):
        return
    from syncd.application.composition import Application
    from syncd.application.months import to_be_booked

    name = shown_month(month)
    micros = to_be_booked(Application(settings, context.database(), command="charge-back"), month)[
        month
    ]
    if micros:
        say(
            f"allowances, flat charges and rounded invoices of {format_micros(micros)}"
            f" {settings.currency} are not in it: syncd period run {name} books them, and so does"
            " closing the month"
        )


def chosen_map(name: str | None, known: Mapping[str, Layout], kind: str) -> Layout:
    """Return the named layout, or the only one. Raises UsageError."""
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is None:
        hint = f"--map {' or '.join(known)}" if known else f"add [{kind}:NAME] to the configuration"
        raise UsageError(f"it is not said which [{kind}:NAME] is meant", hint)
    if name not in known:
        raise UsageError(
            f"there is no [{kind}:{name}]", f"known: {', '.join(known) or 'none is configured'}"
        )
    return known[name]


def _paths(target: Path, files: Sequence[LedgerFile]) -> dict[Path, LedgerFile]:
    """Return where each file goes."""
    if len(files) == 1 and files[0].cost_center == "" and not target.is_dir():
        return {target: files[0]}
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file, and there are several", "--to FOLDER")
    return {target.joinpath(file.name): file for file in files}


def _write(paths: Mapping[Path, LedgerFile], *, replace: bool) -> None:
    """Write every file as a whole. Raises RefusedError when another one is there, before any is
    written."""
    for path, file in paths.items():
        if path.exists() and not replace and path.read_bytes() != file.content:
            raise RefusedError(
                f"{path} is there already, with another content", "--replace overwrites it"
            )
    for path, file in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".charge-back.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(file.content)
                stream.flush()
                os.fchmod(stream.fileno(), MODE)
                os.fsync(stream.fileno())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
