"""The daemons that work on one database, and what each of them does."""

from __future__ import annotations

from typing import Any

from syncd.cli.context import Context
from syncd.cli.output import print_list, say
from syncd.domain.clock import iso
from syncd.domain.errors import EXIT_OK
from syncd.reports.render.table import Column

COLUMNS = {
    "host": Column("Host"),
    "process": Column("Process", right=True),
    "state": Column("State"),
    "roles": Column("Roles"),
    "does": Column("Does"),
    "seen": Column("Seen"),
    "version": Column("Version"),
}


def show_daemons(context: Context) -> int:
    """Print them, and on stderr what should not be so. Returns 0."""
    if context.settings.database_file is not None:
        return _show_the_one(context)
    from syncd.application.sharing import fingerprint, systems, told_work
    from syncd.store.nodes import Present, database_time, nodes

    context.database()
    zone = context.settings.timezone
    now, ours = database_time(), fingerprint(context.settings)
    present = nodes()

    def shown(node: Present) -> dict[str, Any]:
        state = "works" if node.works(now) else "hangs" if node.connected else "gone"
        return {
            "host": node.host,
            "process": node.process,
            "state": state,
            "roles": list(node.roles) if context.json else " ".join(node.roles),
            "schedules": node.leads and node.works(now),
            "intake": list(node.holds) if node.works(now) else [],
            "sees": list(node.sees),
            "does": (told_work(node.leads, node.holds) or "nothing") if node.works(now) else "",
            "started": iso(node.started_at, zone),
            "seen": iso(node.seen_at, zone),
            "version": node.version,
            "same_configuration": node.configuration == ours,
        }

    rows = [shown(node) for node in present]
    print_list(rows, COLUMNS, as_json=context.json, empty="no daemon works on this database")
    working = [node for node in present if node.works(now)]
    for node in working:
        if node.configuration != ours:
            say(f"{node.host}: its configuration is another than that of {context.config_file}")
    if working and not any(node.leads for node in working):
        say("nobody does what the role scheduler does: syncs, sums, mail, retention")
    left = systems(context.settings).difference(*(node.holds for node in working))
    if working and left:
        say(f"nobody takes the records of {', '.join(sorted(left))}")
    return EXIT_OK


def _show_the_one(context: Context) -> int:
    """Say of a SQLite database who has it."""
    from pathlib import Path

    from syncd.store.locks import holder, lock_path

    who = holder(lock_path(context.settings.state_directory, "daemon"))
    # Who was killed could not empty the file.
    alive = bool(who) and Path("/proc", who.split()[1]).exists()
    rows = [{"daemon": who}] if alive else []
    print_list(
        rows,
        {"daemon": Column("Daemon")},
        as_json=context.json,
        empty="no daemon runs; on SQLite there is one at most",
    )
    return EXIT_OK
