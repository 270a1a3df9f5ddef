"""A process that has everything imported and makes a child for each piece of work, so that a piece
costs no start of Python. Run as ``python -m tests.support.sweep_worker``; see ``sweep.Worker``.

It reads a request a line from stdin and answers each with a line on stdout, both JSON. A request
names the task, the INI file, and maybe the options of strace: the child waits until strace is
attached to the thread that is meant.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TextIO

import peewee
import structlog

import syncd.application.plugins
import syncd.calls.intake
import syncd.calls.pieces
import syncd.cdr.spool
import syncd.directory.sources.ldap
import syncd.directory.sources.open
import syncd.directory.sources.syncrepl
from syncd.application.composition import Application
from syncd.application.plugins import load_settings
from syncd.cdr.parts import parts
from syncd.cli.main import main
from syncd.daemon.jobs import INGEST, ROLL_UP, SYNC, Jobs
from syncd.daemon.state import DaemonState
from syncd.domain.errors import EXIT_FAILED, EXIT_OK, UserError
from syncd.observe import logs
from syncd.observe.metrics import Metrics
from syncd.store.maintenance import verify
from syncd.store.models import database
from tests.support import mixed
from tests.support.dump import dump

BATCH_ROWS = 15
"""So that the few files make several transactions."""
IN_HAND, PIECE = 11_000, 4000
"""Bytes: so that some of them are too large to be in hand, and come in pieces."""
PATIENCE = 60
"""Seconds that a piece of work may take."""


def fixed_time() -> float:
    return float(mixed.NOW)


class Gate:
    """Where a thread of the child waits until strace is attached to it."""

    def __init__(self, thread: int) -> None:
        """``thread`` 0 is the main one, n the n-th that archives files."""
        self.thread = thread
        self.told, self._tell = os.pipe()
        self._wait, self.open_end = os.pipe()

    def wait(self, thread: int) -> None:
        if thread == self.thread:
            os.write(self._tell, f"{threading.get_native_id()}\n".encode())
            os.read(self._wait, 1)

    def forget_ours(self, child: bool) -> None:
        """Close the ends of the other process, so that a death is noticed."""
        for end in (self.told, self.open_end) if child else (self._tell, self._wait):
            os.close(end)


def trace_archivists(gate: Gate) -> None:
    """Let each thread that archives pass the gate before it does anything."""
    started = 0

    class Traced(ThreadPoolExecutor):
        def __init__(self, workers: int, prefix: str) -> None:
            nonlocal started
            started += 1
            super().__init__(workers, prefix, initializer=gate.wait, initargs=(started,))

    syncd.calls.intake.ThreadPoolExecutor = Traced  # type: ignore[misc]


# --- what a child does ----------------------------------------------------------------------------


def by_daemon(ini: str, kinds: tuple[str, ...]) -> int:
    """Run the jobs of the daemon, one after the other, as its scheduler would; what ends it before
    them is told as ``main`` tells it."""
    logs.configure()
    try:
        settings = load_settings(Path(ini))
        application = Application.open(settings)
    except UserError as error:
        sys.stderr.write(f"syncd: {error}\n")
        return error.exit_code
    except (OSError, peewee.DatabaseError) as error:
        sys.stderr.write(f"syncd: {error}\n")
        return EXIT_FAILED
    jobs = Jobs(application, DaemonState(settings.timezone), Metrics(), lambda: None)
    work: dict[str, tuple[list[str], Callable[..., Any]]] = {
        SYNC: (list(settings.directories), jobs._sync),
        INGEST: (list(settings.cdr), jobs._ingest),
        ROLL_UP: ([""], jobs._roll_up),
    }
    for kind in kinds:
        names, run = work[kind]
        for name in names:
            jobs._run(jobs._plans, kind, name, run)
    application.close()
    return EXIT_OK


def verified(ini: str) -> list[str]:
    settings = load_settings(Path(ini))
    application = Application.open(settings)
    found = verify(settings.timezone)
    application.close()
    return found


TASKS: dict[str, Callable[[str], int]] = {
    "ingest": lambda ini: main(["--config", ini, "ingest", "--no-settle"]),
    "ingest by daemon": lambda ini: by_daemon(ini, (INGEST, ROLL_UP)),
    "sync": lambda ini: main(["--config", ini, "sync"]),
    "sync by daemon": lambda ini: by_daemon(ini, (SYNC,)),
    "month run": lambda ini: main(["--config", ini, "period", "run", mixed.MONTH]),
    "month close": lambda ini: main(["--config", ini, "period", "close", mixed.MONTH, "--yes"]),
    "charge back": lambda ini: main(
        ["--config", ini, "charge-back", "--period", mixed.MONTH]
        + ["--to", str(Path(ini).parent / "drop" / "ledger")]
    ),
}


def child(request: dict[str, Any], gate: Gate | None) -> int:
    """Do the work of a request; its messages go to the file ``said`` beside the company."""
    said = os.open(request["said"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    os.dup2(said, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdin = sys.__stdin__ = None  # type: ignore[assignment,misc]
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    code = 0
    try:
        if gate is not None:
            trace_archivists(gate)
            gate.wait(0)
        if request["task"]:
            code = TASKS[request["task"]](request["ini"])
    except BaseException:
        traceback.print_exc()
        code = 99
    if request.get("result"):
        ini = request["ini"]
        differences = verified(ini) if request["verify"] else []
        found = {"verify": differences} | dump(Path(ini).parent)
        Path(request["result"]).write_text(json.dumps(found))
    return code


# --- the parent -----------------------------------------------------------------------------------


def serve(requests: TextIO, answers: TextIO) -> None:
    for line in requests:
        answers.write(json.dumps(piece(json.loads(line))) + "\n")
        answers.flush()


def piece(request: dict[str, Any]) -> dict[str, Any]:
    """Have a child do one piece of work. Returns its exit code, or minus the signal."""
    options = request.get("strace")
    gate = Gate(request.get("thread", 0)) if options else None
    process = os.fork()
    if process == 0:
        if gate is not None:
            gate.forget_ours(child=True)
        signal.alarm(PATIENCE)
        os._exit(child(request, gate))
    tracer = None
    if gate is not None:
        gate.forget_ours(child=False)
        told = os.read(gate.told, 100)
        if told:
            tracer = subprocess.Popen(
                ["strace", *options, "-o", request["trace"], "-p", told.decode().strip()],
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
            )
            assert tracer.stderr is not None
            attached = tracer.stderr.readline()
            assert b"attached" in attached, attached
            os.write(gate.open_end, b"g")
    _, status = os.waitpid(process, 0)
    if tracer is not None:
        tracer.communicate(timeout=PATIENCE)
    if gate is not None:
        os.close(gate.told)
        os.close(gate.open_end)
    return {"code": os.waitstatus_to_exitcode(status), "traced": tracer is not None}


def warm() -> None:
    """Import everything and fill the caches, by doing it all once."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        ini = mixed.write_company(root)
        saved = os.dup(1), os.dup(2)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        mixed.write_first_file(root)
        mixed.write_files(root)
        by_daemon(str(ini), (SYNC, INGEST, ROLL_UP))
        for task in ("sync", "ingest"):
            TASKS[task](str(ini))
        verified(str(ini))
        sys.stdout.flush()
        for number, old in enumerate(saved, start=1):
            os.dup2(old, number)
            os.close(old)
        os.close(quiet)
    if not database.is_closed():
        database.close()
    structlog.reset_defaults()


if __name__ == "__main__":
    time.time = fixed_time
    # Looking for plug-ins reads a file of every package that is installed.
    for module in (syncd.application.plugins, syncd.directory.sources.open):
        module.entry_points = functools.cache(entry_points)
    syncd.calls.intake.BATCH_ROWS = BATCH_ROWS
    syncd.cdr.spool.IN_HAND = IN_HAND
    syncd.calls.pieces.parts = functools.partial(parts, size=PIECE)
    warm()
    gc.collect()
    gc.freeze()
    serve(sys.stdin, sys.stdout)
