"""What the demonstration is set up with: where, who works there, and the files of their calls."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from syncd.demo.company import CompanyFiles, write_company
from syncd.demo.cucm_writer import write_files
from syncd.demo.people import Company, Person, build_company
from syncd.domain.errors import UserError

SEED = 1
CONVERSATIONS = 4000
ROWS_PER_FILE = 600
LAST_FILES = 3
"""How many files come after the directory has changed: the last two and the repeated one."""
SPARE_SLOTS = 2
"""Slots beyond what named people need: automatic acquisition fills them, further lines wait."""
MASKED_DIGITS = 3
DEPARTMENT = "Support"
"""Whose manager and employee look at the reports."""

_PACE = """\
; The pace of the demonstration: files are taken after a second, sums are made every second, and the
; directory is read when the daemon is told to.

[directory:corp]
schedule = 7 3 * * *

[cdr:hq]
schedule = every 1 second
settle = 1 second

[daemon]
metrics = 127.0.0.1:0
rollups = every 1 second
"""


@dataclass(frozen=True, slots=True)
class Period:
    """The days of the calls: from ``first`` (of last month) to the day before ``today``;
    ``this_month`` is its first day."""

    first: date
    this_month: date
    today: date

    @classmethod
    def until(cls, today: date) -> Period:
        """Return the whole last month and this one so far."""
        this_month = today.replace(day=1)
        return cls((this_month - timedelta(days=1)).replace(day=1), this_month, today)

    @property
    def days(self) -> int:
        return (self.today - self.first).days


@dataclass(frozen=True, slots=True)
class Cast:
    """The company, and those of its people who look at reports."""

    company: Company
    employee: Person
    manager: Person
    admin: Person

    @classmethod
    def of(cls, company: Company) -> Cast:
        """Choose them, and have digits masked for the employee."""
        department = [person for person in company.people if person.department == DEPARTMENT]
        manager = next(person for person in department if person.level == 6)
        employee = next(
            replace(person, masked_digits=MASKED_DIGITS)
            for person in department
            if person.level == 2 and person.billed
        )
        people = (employee if person.uid == employee.uid else person for person in company.people)
        admin = next(person for person in company.people if person.level == 10)
        return cls(replace(company, people=tuple(people)), employee, manager, admin)


@dataclass(frozen=True, slots=True)
class Traffic:
    """The files that are still to be delivered, in their order, those of call quality first, and
    the rows in all of them: damaged ones and those that come twice are counted too."""

    conversations: int
    records: int
    waiting: list[Path]


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that the demonstration plays with, in one directory."""

    directory: Path
    files: CompanyFiles
    cast: Cast
    period: Period
    pace: Path
    log: Path

    @classmethod
    def build(cls, directory: Path, today: date) -> Stage:
        """Write the company into an empty directory."""
        cast = Cast.of(build_company(seed=SEED))
        period = Period.until(today)
        files = write_company(
            directory,
            cast.company,
            slots=cast.company.slots_needed + SPARE_SLOTS,
            acquisition=True,
            tariff_from=period.first.replace(month=1, day=1),
        )
        pace = directory / "conf.d" / "demo.ini"
        pace.parent.mkdir()
        pace.write_text(_PACE, "utf-8")
        return cls(directory, files, cast, period, pace, directory / "daemon.log")

    def simulate(self) -> Traffic:
        """Write the files of the period beside the drop folder.

        As happens in real life the last row of all is cut short, and the first file comes a second
        time under another name.
        """
        folder = self.directory / "coming"
        summary = write_files(
            folder,
            self.cast.company,
            seed=SEED,
            calls=CONVERSATIONS,
            start=self.period.first,
            days=self.period.days,
            rows_per_file=ROWS_PER_FILE,
            quality=True,
        )
        last = summary.files[-1]
        text = last.read_text("utf-8")
        row = text.splitlines()[-1]
        last.write_text(f"{text}{row[: len(row) // 2]}\n", "utf-8")
        first = summary.files[0]
        again = first.with_name(f"{first.name}_again")
        shutil.copy2(first, again)
        return Traffic(
            summary.conversations,
            summary.records + 1 + min(ROWS_PER_FILE, summary.records) + summary.measurements,
            [*summary.quality_files, *summary.files, again],
        )

    def deliver(self, traffic: Traffic, count: int) -> list[Path]:
        """Move the next ``count`` files into the drop folder."""
        moved = [path.rename(self.files.drop / path.name) for path in traffic.waiting[:count]]
        del traffic.waiting[:count]
        return moved

    def strike(self) -> None:
        """Leave the company as one would set it up: with the pace of every day."""
        self.pace.unlink()
        self.pace.parent.rmdir()
        (self.directory / "coming").rmdir()


def utc_today() -> date:
    """Return the day at which the simulated calls end."""
    return datetime.now(UTC).date()


@contextlib.contextmanager
def place(keep: Path | None) -> Iterator[Path]:
    """Give the directory to play in: one that is removed afterwards, or the one to keep.

    Raises UserError when the latter is not empty or cannot be made.
    """
    if keep is None:
        directory = Path(tempfile.mkdtemp(prefix="syncd-demo-"))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        return
    directory = keep.absolute()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        empty = next(directory.iterdir(), None) is None
    except FileExistsError as error:
        raise UserError(f"{keep} is not a directory") from error
    except OSError as error:
        raise UserError(f"{keep} cannot be used: {error.strerror}") from error
    if not empty:
        raise UserError(f"{keep} is not empty", "name a new directory: the demo overwrites nothing")
    yield directory
