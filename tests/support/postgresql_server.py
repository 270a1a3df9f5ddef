"""A PostgreSQL of the tests' own: in a temporary folder, on a Unix socket, gone when they end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "max_connections": "300",
    "max_locks_per_transaction": "512",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    # A file that is not written can be made and dropped faster.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "deadlock_timeout": "200ms",
}
ACCOUNT = "nobody"
"""Who runs it where the tests are root's: PostgreSQL refuses to."""


def find_program(name: str) -> str | None:
    """Return the path of a program of PostgreSQL's, which Debian keeps out of PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("[0-9]*"), key=lambda one: int(one.name))
    places = [str(version / "bin") for version in reversed(versions)]
    return shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")]))


class PostgresqlServer:
    """A running server. ``folder`` holds its socket."""

    def __init__(self, **options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="syncd-postgresql-"))
        self.folder.chmod(0o755)
        self._data = self.folder / "data"
        self._data.mkdir(0o700)
        if os.geteuid() == 0:
            for place in (self.folder, self._data):
                shutil.chown(place, ACCOUNT)
        self._run("initdb", "-A", "trust", "-U", "syncd", "--no-sync", "-E", "UTF8", "--locale=C")
        settings = {**OPTIONS, **options, "unix_socket_directories": str(self.folder)}
        (self._data / "postgresql.auto.conf").write_text(
            "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        )
        self.start()

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it; ``immediate`` as a crash would."""
        self._run("pg_ctl", "-w", "-m", how, "stop")

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        found = find_program(program)
        assert found is not None, f"{program} is missing"
        command = [found, "-D", str(self._data), *arguments]
        if os.geteuid() == 0:
            command = [
                "setpriv",
                f"--reuid={ACCOUNT}",
                "--regid=nogroup",
                "--clear-groups",
                *command,
            ]
        environment = {**os.environ, "LC_ALL": "C"}
        environment.pop("PYTHONPATH", None)
        with (self.folder / "start").open("ab") as output:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, stdout=output, stderr=output
            )
        if done.returncode:
            raise RuntimeError((self.folder / "start").read_text("utf-8", errors="replace"))
