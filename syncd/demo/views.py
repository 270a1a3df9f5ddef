"""What the demonstration shows at its end: directory, licence, files, reports, what to try."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from syncd.demo.daemon_process import Verbs
from syncd.demo.screen import Screen
from syncd.demo.stage import MASKED_DIGITS, Stage

COUNTERS = ("stored", "duplicate", "excluded", "not_billed", "rejected")


def show(stage: Stage, verbs: Verbs, screen: Screen) -> None:
    """Print the state of everything, and the three reports."""
    _directory(stage, verbs, screen)
    _licence(verbs, screen)
    _files(verbs, screen)
    _reports(stage, verbs, screen)


def _directory(stage: Stage, verbs: Verbs, screen: Screen) -> None:
    runs = verbs.json("sync", "--history")
    last = runs[0]
    leaver, mover = stage.cast.company.leaver, stage.cast.company.mover
    screen.heading("The directory (syncd sync --history)")
    screen.line(
        f"  {last['entries']} people, last sync {_moment(last['started_at'])}: {last['arrived']}"
        f" arrived, {last['departed']} departed, {last['changed']} changed"
    )
    screen.line(
        f"  {leaver.display_name} left: the number {leaver.partition}.{leaver.extension} stays"
        " assigned for the 7 days of grace, the calls for ever"
    )
    screen.line(
        f"  {mover.display_name} moved from {mover.department} to"
        f" {stage.cast.company.mover_department}: calls made before that stay with"
        f" {mover.department}"
    )


def _licence(verbs: Verbs, screen: Screen) -> None:
    licence = verbs.json("licence")
    kinds = Counter(holder["kind"] for holder in licence["holders"])
    waiting = licence["waiting_lines"]
    screen.heading("The licence (syncd licence)")
    screen.line(
        f"  {licence['slots']} slots, {licence['used']} used: {kinds['named']} by numbers of named"
        f" people, {kinds['acquired']} acquired automatically"
    )
    if waiting:
        lines = ", ".join(f"{line['line_id']} ({line['withheld']})" for line in waiting)
        screen.line(f"  {len(waiting)} lines wait for a slot, their calls are withheld: {lines}")
    if licence["hunt_lines"]:
        screen.line(f"  hunt lines need no slot: {', '.join(licence['hunt_lines'])}")


def _files(verbs: Verbs, screen: Screen) -> None:
    files = verbs.json("files")
    states = Counter(file["state"] for file in files)
    sums = {name: sum(file[name] for file in files) for name in ("read", *COUNTERS, "calls")}
    screen.heading("The files (syncd files)")
    screen.line(f"  {_counted(states)}; every row of them is accounted for:")
    screen.line(f"  {sums['read']:,} rows = {_counted(sums, *COUNTERS, between=' + ')}")
    screen.line(f"  {sums['calls']:,} calls were made of the stored ones, one for each line's side")
    screen.line("  (a file came twice, and a row was cut short: syncd rejects)")


def _reports(stage: Stage, verbs: Verbs, screen: Screen) -> None:
    cast, period = stage.cast, stage.period
    month = ("--from", str(period.first), "--to", str(period.this_month))

    def report(*arguments: str) -> None:
        screen.command(f"syncd report {' '.join(arguments)}")
        verbs.show("report", *arguments)

    screen.heading(
        f"{cast.employee.display_name}, level 2, sees their own calls; the last {MASKED_DIGITS}"
        " digits are masked"
    )
    report("calls", "--as", cast.employee.uid, "--from", str(period.first), "--limit", "8")
    screen.heading(
        f"{cast.manager.display_name}, level 6, sees the calls of {cast.manager.department}"
    )
    report(
        "by-person", "--as", cast.manager.uid, *month, "--measures", "calls,missed,duration,cost"
    )
    screen.heading(f"{cast.admin.display_name}, level 10, sees everything")
    report("by-department", "--as", cast.admin.uid, *month)
    screen.line()
    report("by-destination", "--as", cast.admin.uid, *month, "--limit", "8")


def show_next(stage: Stage, verbs: Verbs, screen: Screen, *, kept: bool) -> None:
    """Print what to try next; without a company that was kept, how to keep one comes first."""
    first = str(stage.period.first)
    cast = stage.cast
    screen.heading("What to try next")
    path = _path_needed()
    if kept:
        if path:
            screen.command(path)
        screen.command(f"export SYNCD_CONFIG={shlex.quote(str(stage.files.ini))}")
    else:
        screen.line("  Nothing of this is left. With a company to play with:")
        if path:
            screen.command(path)
        screen.command("syncd demo --keep company; export SYNCD_CONFIG=$PWD/company/syncd.ini")
    calls = verbs.json("report", "calls", "--from", first, "--filter", "state=rated")["rows"]
    line = f"{cast.employee.partition}.{cast.employee.extension}"
    dearest = max(calls, key=lambda call: float(call["cost"]))
    refused = next(person for person in cast.company.people if person.level == 0)
    commands = {
        f"syncd explain {dearest['id']}": "why this price",
        f"syncd report by-line --from {first} --group-by custom1": "other sums",
        f"syncd report calls --from {first} --filter line_id={line}": "one line",
        f"syncd report calls --from {first} --format csv > calls.csv": "all fields",
        f"syncd report calls --as {refused.uid}": "level 0 sees nothing",
        "syncd licence": "who holds a slot, who waits",
        "syncd unknown": "numbers that nobody holds",
        "syncd rejects": "rows that could not be read",
        "syncd db verify": "are all sums right",
        "syncd run": "the daemon, at an everyday pace",
    }
    width = max(map(len, commands))
    for command, why in commands.items():
        screen.command(f"{command:{width}}  # {why}")


def _path_needed() -> str:
    """Return the command that makes ``syncd`` known to the shell, empty where it is."""
    if shutil.which("syncd"):
        return ""
    return f'export PATH="{Path(sys.executable).parent}{os.pathsep}$PATH"'


def _moment(iso: str) -> str:
    return iso[:19].replace("T", " ")


def _counted(counts: Mapping[str, int], *names: str, between: str = ", ") -> str:
    """Return counts with their names, of all or of those that are named."""
    return between.join(f"{counts[name]:,} {name.replace('_', ' ')}" for name in names or counts)
