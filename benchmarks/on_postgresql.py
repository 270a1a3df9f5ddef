"""The same calls in a PostgreSQL, asked by ``benchmarks.reports``, and what that costs the server."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import peewee

from tests.support.postgresql_server import PostgresqlServer, find_program

OPTIONS = {
    "shared_buffers": "1GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "4GB",
    "random_page_cost": "1.1",
    "autovacuum": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "max_connections": "20",
    # A second process would not be in the seconds of the processor that are shown.
    "max_parallel_workers_per_gather": "0",
}
"""A server for 24 GB and 2 cores, but for the last."""
DATABASE = "bench"
_TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def own_server() -> Iterator[str]:
    """Run a server, and give the address of a database of it that holds nothing."""
    import subprocess

    server = PostgresqlServer(**OPTIONS)
    try:
        program = find_program("createdb")
        assert program is not None
        command = [program, "-h", str(server.folder), "-U", "syncd", "-T", "template0", DATABASE]
        subprocess.run(command, check=True, cwd=server.folder)
        yield f"postgresql://syncd@/{DATABASE}?host={server.folder}"
    finally:
        server.remove()


def fill(folder: Path, url: str) -> None:
    """Copy what the folder holds into the database, with the program's own code, unless it is there;
    say how long that took and how large it is."""
    from syncd.store.copying import copy_everything
    from syncd.store.database import open_database

    target = open_database(url, folder)
    if not target.execute_sql("SELECT COUNT(*) FROM party").fetchone()[0]:
        source = open_database("sqlite:///syncd.db", folder)
        began, processor = time.perf_counter(), time.process_time()
        copied = {one.table: one.rows for one in copy_everything(source, target)}
        source.close()
        print(
            f"{copied['call']:,} call rows copied in {time.perf_counter() - began:.0f} s"
            f" (processor of syncd {time.process_time() - processor:.0f} s)",
            flush=True,
        )
    target.execute_sql("VACUUM ANALYZE")
    (size,) = target.execute_sql("SELECT pg_database_size(current_database())").fetchone()
    print(f"PostgreSQL: {int(size) / 1e9:.1f} GB", flush=True)
    target.close()


def seconds_of_server(database: peewee.Database) -> float:
    """Return the seconds of the processor that the server has used for this connection; it runs on
    this machine."""
    (process,) = database.execute_sql("SELECT pg_backend_pid()").fetchone()
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
