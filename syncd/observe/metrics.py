"""What the daemon counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Metrics:
    """Counters and gauges in a registry of their own; every method may be called from any thread.

    The library is imported when the first Metrics is made.
    """

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge

        registry = CollectorRegistry()
        self.registry: CollectorRegistry = registry
        self._records = Counter(
            "syncd_records",
            "Records read from files, by what became of them.",
            ["source", "outcome"],
            registry=registry,
        )
        self._files = Counter(
            "syncd_files",
            "Files handled, by what became of them.",
            ["source", "state"],
            registry=registry,
        )
        self._calls = Counter("syncd_calls", "Call rows stored.", registry=registry)
        self._last_success = Gauge(
            "syncd_job_last_success_timestamp_seconds",
            "When a job last succeeded.",
            ["job"],
            registry=registry,
        )
        self._job_seconds = Gauge(
            "syncd_job_seconds", "How long a job took last.", ["job"], registry=registry
        )
        self._failures = Counter(
            "syncd_job_failures", "Runs of a job that failed.", ["job"], registry=registry
        )
        self._skips = Counter(
            "syncd_job_skips",
            "Times a job was due while its last run went on.",
            ["job"],
            registry=registry,
        )
        self._repeats = Counter(
            "syncd_job_repeats",
            "Times a job was begun again at once, since the database interrupted it.",
            ["job"],
            registry=registry,
        )
        self._reports = Counter(
            "syncd_scheduled_reports",
            "Scheduled reports by what became of them, one for each recipient.",
            ["state"],
            registry=registry,
        )
        self._reports_again = Gauge(
            "syncd_scheduled_reports_again",
            "Scheduled reports that met a defect and are going to be tried again.",
            registry=registry,
        )
        self._spool_files = Gauge(
            "syncd_spool_files", "Files that wait in a drop folder.", ["source"], registry=registry
        )
        self._spool_oldest = Gauge(
            "syncd_spool_oldest_file_seconds",
            "Age of the oldest file that waits, 0 when none does.",
            ["source"],
            registry=registry,
        )
        self._missing = Gauge(
            "syncd_missing_files",
            "Files of which the numbers of those that came show that they are missing.",
            ["source"],
            registry=registry,
        )
        self._quiet = Gauge(
            "syncd_folder_quiet_seconds",
            "How long nothing has come into a drop folder, 0 while that is usual.",
            ["source"],
            registry=registry,
        )
        self._unrated = Gauge(
            "syncd_unrated_calls", "Calls that have no price yet.", registry=registry
        )
        self._slots = Gauge(
            "syncd_licence_slots", "Slots of the licence, by state.", ["state"], registry=registry
        )
        self._leads = Gauge(
            "syncd_scheduler",
            "Whether this process does what one alone does of those that share a database.",
            registry=registry,
        )
        self._takes = Gauge(
            "syncd_intake",
            "Whether this process takes the records of a phone system.",
            ["pbx"],
            registry=registry,
        )
        self._leads.set(1)
        build = Gauge("syncd_build_info", "The running version.", ["version"], registry=registry)
        build.labels(_version()).set(1)

    def add_records(self, source: str, outcome: str, count: int) -> None:
        """Count records of a ``[cdr:NAME]`` by outcome: stored, duplicate, excluded, …"""
        self._records.labels(source, outcome).inc(count)

    def add_files(self, source: str, state: str, count: int = 1) -> None:
        """Count files of a ``[cdr:NAME]`` by state: done, failed, set-aside, …"""
        self._files.labels(source, state).inc(count)

    def add_calls(self, count: int) -> None:
        """Count call rows that were stored."""
        self._calls.inc(count)

    def job_ended(self, job: str, seconds: float, success_at: int | None) -> None:
        """Note how long a job took, and when (epoch seconds) it succeeded, None if it did not."""
        self._job_seconds.labels(job).set(seconds)
        if success_at is not None:
            self._last_success.labels(job).set(success_at)

    def job_failed(self, job: str) -> None:
        """Count a run that failed."""
        self._failures.labels(job).inc()

    def job_skipped(self, job: str) -> None:
        """Count a time when a job was due while its last run went on."""
        self._skips.labels(job).inc()

    def job_repeated(self, job: str) -> None:
        """Count a time when a job was begun again at once."""
        self._repeats.labels(job).inc()

    def add_reports(self, state: str, count: int) -> None:
        """Count scheduled reports that came to a state."""
        self._reports.labels(state).inc(count)

    def set_reports_again(self, count: int) -> None:
        """Note how many scheduled reports are going to be tried again."""
        self._reports_again.set(count)

    def set_spool(self, source: str, files: int, oldest_seconds: int) -> None:
        """Note how many files wait in a drop folder, and the age of the oldest."""
        self._spool_files.labels(source).set(files)
        self._spool_oldest.labels(source).set(oldest_seconds)

    def set_arrivals(self, source: str, missing: int, quiet_seconds: int) -> None:
        """Note how many files of a drop folder are missing, and how long it has been quiet, 0 while
        that is usual."""
        self._missing.labels(source).set(missing)
        self._quiet.labels(source).set(quiet_seconds)

    def set_unrated(self, count: int) -> None:
        """Note how many calls have no price."""
        self._unrated.set(count)

    def set_slots(self, state: str, count: int) -> None:
        """Note how many slots are in a state: licensed, used, waiting."""
        self._slots.labels(state).set(count)

    def set_roles(self, leads: bool, systems: Collection[str]) -> None:
        """Note what this process does where several share the work."""
        self._leads.set(int(leads))
        self._takes.clear()
        for pbx in systems:
            self._takes.labels(pbx).set(1)

    def exposition(self) -> tuple[bytes, str]:
        """Return what ``/metrics`` answers, and its content type."""
        from prometheus_client import generate_latest
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4


def _version() -> str:
    try:
        return version("syncd")
    except PackageNotFoundError:
        return "unknown"
