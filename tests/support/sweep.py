"""Sweeps: do a piece of work again and again, disturb it each time at another system call, and see
that the next start makes good what the disturbance left.

A point is (thread, system call, how many of it came before); strace counts the calls of a thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).parents[2]
SEED = "SYNCD_SEED"
POINTS = "SYNCD_SWEEP"
"""Names of environment variables: which points are chosen, and how many of them or ``all``."""

CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(\()?")
FILES = "trace=%file,%desc"


SECONDS = 0 if POINTS in os.environ else 900
"""Time limit of a test, 0 for none; on a busy machine a point takes a second."""
LONGEST, SHOWN = 3000, 10
"""How much is shown of what is wrong: letters of each point, points."""
VERIFIED = 5
"""``db verify`` looks at each so many-th database; they are compared with one that it found right."""


class Point(NamedTuple):
    """Where the work is disturbed: thread 0 is the main one, n the n-th that archives; ``at``
    counts the calls of this name from 1."""

    thread: int
    call: str
    at: int

    def __str__(self) -> str:
        return f"{self.call} number {self.at} of thread {self.thread}"


@dataclass(frozen=True, slots=True)
class Done:
    """How a piece of work ended: exit code, or minus the signal; what it wrote to stderr; the
    disturbed call as strace shows it."""

    code: int
    said: str
    disturbed: str = ""


class Worker:
    """A company in a folder, put back before each piece of work, and the process that works on it.
    A context manager."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.company = root / "company"
        self._template = root / "template"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.sweep_worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def keep(self) -> None:
        """Make the company as it is now what every piece of work begins with."""
        shutil.rmtree(self._template, ignore_errors=True)
        shutil.copytree(self.company, self._template)

    def put_back(self) -> None:
        shutil.rmtree(self.company)
        shutil.copytree(self._template, self.company)

    def do(self, task: str, point: Point | None = None, inject: str = "") -> Done:
        """Do a task, disturbed at a point in the way that ``inject`` says."""
        options = None
        if point is not None:
            options = ["-y", "-e", f"trace={point.call}"]
            options += ["-e", f"inject={point.call}:{inject}:when={point.at}"]
        return self._ask(task, options, 0 if point is None else point.thread)

    def hit(self, done: Done) -> bool:
        """Tell whether what was disturbed was a call on the company's files: a library may now and
        then read a file of its own once more, and the count is another."""
        return f"{self.company}/" in done.disturbed

    def result(self, task: str = "", *, verify: bool = True) -> tuple[Done, dict[str, list[str]]]:
        """Do a task undisturbed, if one is named, and return everything that is stored then;
        ``verify`` is what ``db verify`` says of it, if that is asked for."""
        path = self.root / "result.json"
        path.unlink(missing_ok=True)
        done = self._ask(task, result=str(path), verify=verify)
        assert path.exists(), done
        return done, json.loads(path.read_text())

    def points(self, task: str, *, network: bool = False) -> list[Point]:
        """Do a task undisturbed and return the system calls that it makes on the company's files,
        and those on its connections if they are asked for."""
        self.put_back()
        done = self._ask(task, ["-f", "-y", "-e", FILES + ",%network" * network], 0)
        assert done.code == 0 or done.said, done
        counted: dict[str, Counter[str]] = {}
        points = []
        for line in (self.root / "trace").read_text(errors="replace").splitlines():
            found = CALL.match(line)
            if found and found[3]:
                calls = counted.setdefault(found[1], Counter())
                calls[found[2]] += 1
                if f"{self.company}/" in line or found[2] in NETWORK:
                    thread = list(counted).index(found[1])
                    points.append(Point(thread, found[2], calls[found[2]]))
        return points

    def _ask(
        self,
        task: str,
        strace: Sequence[str] | None = None,
        thread: int = 0,
        result: str = "",
        verify: bool = False,
    ) -> Done:
        said, trace = self.root / "said", self.root / "trace"
        trace.unlink(missing_ok=True)
        request: dict[str, Any] = {
            "task": task,
            "ini": str(self.company / "syncd.ini"),
            "said": str(said),
            "trace": str(trace),
            "strace": strace,
            "thread": thread,
            "result": result,
            "verify": verify,
        }
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the worker has died"
        disturbed = ""
        if strace and trace.exists():
            lines = trace.read_text(errors="replace").splitlines()
            disturbed = next((line for line in lines if "INJECTED" in line), "")
            if not disturbed:
                disturbed = next((line for line in reversed(lines) if "= ?" in line), "")
        return Done(json.loads(answer)["code"], said.read_text(errors="replace"), disturbed)


class Failures:
    """Goes on after a point at which something is wrong, so that one sweep finds all of them."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextlib.contextmanager
    def noted(self, where: str) -> Iterator[None]:
        """Note what an assertion says, and where it was."""
        try:
            yield
        except AssertionError as error:
            self.found.append(f"{error}\n    {where}")

    def raise_any(self) -> None:
        """Raise AssertionError with the first ones, when there are any."""
        shown = "\n".join(text[:LONGEST] for text in self.found[:SHOWN])
        assert not self.found, f"{len(self.found)} points, {SEED}={seed()}\n{shown}"


def seed() -> int:
    """Return the seed of this run, which its header shows."""
    return int(os.environ[SEED])


def chosen(points: Sequence[Any], usual: int, part: int, parts: int) -> list[Any]:
    """Return one of ``parts`` equal parts of the points of this run: ``usual`` of them, another
    choice with each seed, or as many as the environment says."""
    wanted = os.environ.get(POINTS, str(usual))
    count = len(points) if wanted == "all" else min(int(wanted), len(points))
    picked = random.Random(seed()).sample(list(points), count)
    return picked[part::parts]


def differences(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> list[str]:
    """Return what is there and should not be, and what should be there and is not."""
    said = []
    for name in sorted(found.keys() | wanted.keys()):
        is_there, should_be = Counter(found.get(name, [])), Counter(wanted.get(name, []))
        said += [f"{name}: too much: {row}" for row in (is_there - should_be).elements()]
        said += [f"{name}: missing: {row}" for row in (should_be - is_there).elements()]
    return said


CHANGING = frozenset(
    ["openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "mkdir", "ftruncate"]
)
READING = frozenset(["read", "pread64", "getdents64", "newfstatat", "fcntl"])
NETWORK = frozenset(["socket", "connect", "sendto", "recvfrom", "sendmsg", "recvmsg"])
BY_NAME = frozenset(["openat", "rename", "unlink", "mkdir", "newfstatat", "access"])


def disturbances(point: Point) -> list[str]:
    """Return the faults of a call on a file, or on a connection."""
    if point.call in NETWORK:
        return ["error=ECONNRESET", "error=ETIMEDOUT"]
    return faults(point)


def faults(point: Point) -> list[str]:
    """Return what may go wrong with a call, as strace injects it."""
    found = []
    if point.call in CHANGING and point.call != "unlink":
        found.append("error=ENOSPC")
    if point.call in CHANGING | READING:
        found.append("error=EIO")
    if point.call in BY_NAME:
        found.append("error=EACCES")
    return found


def complaints(said: str) -> list[str]:
    """Return what was said that is not mere progress, without times; the lines that go into detail
    are part of the one before."""
    found: list[str] = []
    for line in said.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            if line.startswith(" ") and found:
                found[-1] += line
            else:
                found.append(line)
            continue
        if event["level"] != "info":
            for name in ("timestamp", "seconds"):
                event.pop(name, None)
            found.append(json.dumps(event, ensure_ascii=False))
    return found


def tracebacks(said: Sequence[str]) -> list[str]:
    """Return the complaints that show the inside of syncd, or give no reason."""
    return [
        line
        for line in said
        if "Traceback" in line
        or "defect" in line
        or (line.startswith("{") and not json.loads(line).get("reason"))
    ]


def schedules(usual: int) -> int:
    """Return how many orders of arrival a test tries."""
    return 600 if os.environ.get(POINTS) == "all" else usual
