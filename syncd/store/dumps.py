"""Backup and restore of a database on PostgreSQL, by its own pg_dump and pg_restore."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from syncd.domain.errors import UserError
from syncd.store.backup import refuse_newer
from syncd.store.database import HISTORY

PACKAGE = "postgresql-client"
_CLEARED = """
SET client_min_messages = warning;
DO $$
DECLARE one record;
BEGIN
    FOR one IN
        SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE 'detached\\_%'
    LOOP
        EXECUTE format('DROP TABLE %I CASCADE', one.relname);
    END LOOP;
    DROP SEQUENCE IF EXISTS record_id;
    FOR one IN
        SELECT own.oid, own.relname FROM pg_index JOIN pg_class AS own ON own.oid = indexrelid
        JOIN pg_class AS its ON its.oid = indrelid
        WHERE its.relnamespace = current_schema()::regnamespace
        AND its.relname LIKE 'detached\\_%' AND own.relname NOT LIKE 'detached\\_%'
    LOOP
        EXECUTE format(
            'ALTER INDEX %I RENAME TO %I', one.relname, 'detached_' || one.oid || '_' || one.relname
        );
    END LOOP;
END $$
"""
"""Takes away what is there, but for months that were detached; the names of their indexes are free
then, for a backup from before has the same."""


def dump(url: str, password: Callable[[], str] | None, target: Path) -> int:
    """Write a database to a file while it is in use, as of one moment, without months that were
    detached. Returns its size in bytes.

    The file is read again before it gets its name. Raises UserError when it exists already, cannot
    be written, or the programs are not there.
    """
    if target.exists():
        raise UserError(f"{target} exists already", "choose another name, or remove it first")
    part = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        part.touch(mode=0o600)
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}") from error
    try:
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--file={part}"]
        options.append("--exclude-table=detached_*")
        _run("pg_dump", [*options, f"--dbname={url}"], password)
        check_dump(part)
        size = part.stat().st_size
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return size


def restore_dump(url: str, password: Callable[[], str] | None, source: Path) -> None:
    """Put a dump in the place of what a database holds, in one transaction. Raises UserError; the
    database is as it was then."""
    check_dump(source)
    # Written out first: a dump that ends early must not be restored up to there.
    script = source.with_name(f".{source.name}.{os.getpid()}.sql")
    try:
        with _list_without_extras(source) as listed:
            options = ["--no-owner", "--no-privileges", f"--use-list={listed}"]
            _run("pg_restore", [*options, f"--file={script}", str(source)], None)
        options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        steps = [f"--command={_CLEARED}", f"--file={script}"]
        _run("psql", [*options, f"--dbname={url}", *steps], password)
    finally:
        script.unlink(missing_ok=True)


def check_dump(path: Path) -> None:
    """Raise UserError unless a file is a whole dump of a database of syncd's, of this version or
    older."""
    if not path.is_file():
        raise UserError(f"{path} is not a file")
    # What a dump holds is read to its end where nobody looks.
    history = _run("pg_restore", ["--data-only", f"--table={HISTORY}", "--file=-", str(path)], None)
    applied = set()
    reading = False
    for line in history.splitlines():
        if line.startswith("COPY "):
            reading = True
        elif line == "\\.":
            reading = False
        elif reading and len(cells := line.split("\t")) > 1:
            applied.add(cells[1])
    if not applied:
        raise UserError(f"{path} is not a dump of a database of syncd")
    refuse_newer(path, applied)


@contextlib.contextmanager
def _list_without_extras(source: Path) -> Iterator[Path]:
    """Give the list of what is restored: without the schema ``public``, which belongs to whoever
    made the database, and comments on it."""
    listed = source.with_name(f".{source.name}.{os.getpid()}.list")
    lines = _run("pg_restore", ["--list", str(source)], None).splitlines()
    kept = [line for line in lines if " SCHEMA - " not in line and " COMMENT - " not in line]
    try:
        try:
            listed.write_text("\n".join(kept) + "\n", encoding="utf-8")
        except OSError as error:
            raise UserError(f"{listed} cannot be written: {error.strerror}") from error
        yield listed
    finally:
        listed.unlink(missing_ok=True)


def find_program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs; Debian keeps those of each version in a folder
    of its own. Raises UserError."""
    versions = [one for one in Path("/usr/lib/postgresql").glob("*") if one.name.isdigit()]
    newest = sorted(versions, key=lambda one: int(one.name), reverse=True)
    places = [*(str(one / "bin") for one in newest), os.environ.get("PATH", os.defpath)]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise UserError(
            f"{name} is not there",
            f"install it (on Debian: apt install {PACKAGE}), or use your own",
        )
    return found


def _run(name: str, arguments: list[str], password: Callable[[], str] | None) -> str:
    """Run a program. Returns what it says. Raises UserError with what it complains of."""
    environment = {**os.environ, "LC_MESSAGES": "C"}
    if password is not None:
        environment["PGPASSWORD"] = password()
    command = [find_program(name), "--no-password", *arguments]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UserError(f"{name} failed: {said[0] if said else f'exit code {done.returncode}'}")
    return done.stdout
