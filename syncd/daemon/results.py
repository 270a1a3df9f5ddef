"""What a unit of work did, as metrics, totals and one canonical log line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from syncd.application.gauges import Gauges
from syncd.domain.codes import FileState

if TYPE_CHECKING:
    from syncd.application.alarms import AlarmOutcome
    from syncd.application.budgets import BudgetOutcome
    from syncd.application.mail import MailOutcome
    from syncd.application.retention import Due
    from syncd.application.schedules import ScheduleOutcome
    from syncd.calls.intake import FileOutcome, IngestOutcome
    from syncd.cdr.arrivals import Watched
    from syncd.cdr.gaps import Gap
    from syncd.directory.sync import SyncOutcome
    from syncd.observe.metrics import Metrics

SYNC_FINISHED = "sync_finished"
LINE_CONFLICTED = "line_conflicted"
INGEST_FINISHED = "ingest_finished"
FILES_MISSING = "files_missing"
MISSING_FILES_CAME = "missing_files_came"
FOLDER_QUIET = "folder_quiet"
ROLL_UP_FINISHED = "roll_up_finished"
BUDGET_REACHED = "budget_reached"
BUDGET_MEMBER_UNKNOWN = "budget_member_unknown"
MAIL_FINISHED = "mail_finished"
RETENTION_FINISHED = "retention_finished"
RETENTION_HELD = "retention_held"
ALARM_RAISED = "alarm_raised"
ALARM_REFUSED = "alarm_refused"
SCHEDULES_FINISHED = "schedules_finished"
FILE_EVENTS = {
    FileState.DONE: "file_ingested",
    FileState.FAILED: "file_failed",
    FileState.SET_ASIDE: "file_set_aside",
    FileState.IGNORED: "file_ignored",
    FileState.GROWING: "file_grown",
}
STORED = (FileState.DONE, FileState.GROWING)
ROW_COUNTERS = ("stored", "duplicate", "excluded", "not_billed", "rejected")


class Report(Protocol):
    """The result of one unit of work."""

    def counts(self) -> dict[str, int]:
        """Return what is added to the daemon's totals."""
        ...

    def tell(self, log: Any, metrics: Metrics, seconds: float) -> None:
        """Write the unit's log line and set its metrics."""
        ...


def tell_file(log: Any, metrics: Metrics, source: str, file: FileOutcome) -> None:
    """Log and count one file that was dealt with; a file that could not be taken is a warning."""
    metrics.add_files(source, file.state.word)
    fields: dict[str, Any] = {"source": source, "file": file.name}
    if file.state in STORED:
        for name in ROW_COUNTERS:
            count = getattr(file, name)
            fields[name] = count
            metrics.add_records(source, name, count)
        metrics.add_calls(file.calls)
        fields |= {"read": file.read, "calls": file.calls}
    if file.reason:
        fields["reason"] = file.reason
    taken = file.state in (*STORED, FileState.IGNORED)
    (log.info if taken else log.warning)(FILE_EVENTS[file.state], **fields)


def tell_arrivals(log: Any, metrics: Metrics, source: str, watched: Watched) -> None:
    """Set the gauges of what is missing, and say once what is new: a gap, its end, a quiet
    folder."""
    metrics.set_arrivals(source, watched.missing, watched.quiet)
    for gap in watched.found:
        log.warning(FILES_MISSING, source=source, **_gap_fields(gap), ask=gap.text())
    for gap in watched.filled:
        log.info(MISSING_FILES_CAME, source=source, **_gap_fields(gap))
    if watched.fell_quiet:
        log.warning(FOLDER_QUIET, source=source, seconds=watched.quiet)


def _gap_fields(gap: Gap) -> dict[str, Any]:
    return {
        "cluster": gap.cluster,
        "node": gap.node,
        "tag": gap.tag,
        "numbers": gap.numbers,
        "files": gap.files,
    }


class IngestReport:
    """Of one folder."""

    def __init__(self, source: str, outcome: IngestOutcome) -> None:
        self.source = source
        self.outcome = outcome

    def counts(self) -> dict[str, int]:
        files = [file for file in self.outcome.files if file.state in STORED]
        return {
            "files": len(files),
            "records": sum(file.read for file in files),
            "calls": self.outcome.calls,
        }

    def tell(self, log: Any, metrics: Metrics, seconds: float) -> None:
        outcome = self.outcome
        metrics.set_spool(self.source, outcome.waiting, outcome.oldest_waiting or 0)
        for file in outcome.files:
            if file.state is FileState.DONE and file.reason:
                log.warning(
                    "file_not_archived", source=self.source, file=file.name, reason=file.reason
                )
        tell_arrivals(log, metrics, self.source, outcome.watched)
        # A folder is looked at every half minute: looking in vain is no event.
        speak = log.info if outcome.files or outcome.released else log.debug
        speak(
            INGEST_FINISHED,
            source=self.source,
            files=len(outcome.files),
            waiting=outcome.waiting,
            records=outcome.records,
            calls=outcome.calls,
            withheld=outcome.withheld,
            unrated=outcome.unrated,
            released=outcome.released,
            seconds=seconds,
        )


class SyncReport:
    """Of one directory."""

    def __init__(self, source: str, outcome: SyncOutcome) -> None:
        self.source = source
        self.outcome = outcome

    def counts(self) -> dict[str, int]:
        return {}

    def tell(self, log: Any, metrics: Metrics, seconds: float) -> None:
        outcome = self.outcome
        for conflict in outcome.conflicts:
            log.warning(LINE_CONFLICTED, source=self.source, conflict=str(conflict))
        log.info(
            SYNC_FINISHED,
            source=self.source,
            server=outcome.server,
            outcome=outcome.outcome,
            entries=outcome.entries,
            arrived=outcome.arrived,
            departed=outcome.departed,
            returned=outcome.returned,
            changed=outcome.changed,
            closed=outcome.closed,
            conflicts=len(outcome.conflicts),
            warnings=len(outcome.warnings),
            seconds=seconds,
        )


class RollUpReport:
    """Of the sums, with the figures that are true after them."""

    def __init__(self, rebuilt: int, gauges: Gauges) -> None:
        self.rebuilt = rebuilt
        self.gauges = gauges

    def counts(self) -> dict[str, int]:
        return {}

    def tell(self, log: Any, metrics: Metrics, seconds: float) -> None:
        gauges = self.gauges
        metrics.set_unrated(gauges.unrated)
        if gauges.slots is not None:
            metrics.set_slots("licensed", gauges.slots)
        metrics.set_slots("used", gauges.used)
        metrics.set_slots("waiting", gauges.waiting)
        if self.rebuilt:
            log.info(ROLL_UP_FINISHED, rebuilt=self.rebuilt, seconds=seconds)


class BudgetReport:
    """Of the budgets."""

    def __init__(self, outcome: BudgetOutcome) -> None:
        self.outcome = outcome

    def counts(self) -> dict[str, int]:
        return {}

    def tell(self, log: Any, metrics: Metrics, seconds: float) -> None:
        for budget, member in self.outcome.missing:
            log.warning(BUDGET_MEMBER_UNKNOWN, budget=budget, member=member)
        for told in self.outcome.told:
            state = told.alert.state
            log.info(
                BUDGET_REACHED,
                budget=state.budget.name,
                member=state.pot.label,
                first_day=state.account.span.first,
                thresholds=list(told.alert.thresholds),
                messages=len(told.messages),
            )


class RetentionReport:
    """Of what was older than it is kept; nothing where none was due, or there is a ``doubt``."""

    def __init__(self, gone: list[Due], doubt: str = "") -> None:
        self.gone = gone
        self.doubt = doubt

    def counts(self) -> dict[str, int]:
        return {}

    def tell(self, log: Any, metrics: Metrics, seconds: float) -> None:
        if self.doubt:
            log.warning(RETENTION_HELD, data="everything", reason=self.doubt)
        for due in self.gone:
            if due.note:
                log.warning(RETENTION_HELD, data=due.name, reason=due.note)
        rows = {due.name: due.rows for due in self.gone if due.rows}
        if rows:
            log.info(RETENTION_FINISHED, seconds=seconds, **rows)


class AlarmReport:
    """Of the alarms."""

    def __init__(self, outcome: AlarmOutcome) -> None:
        self.outcome = outcome

    def counts(self) -> dict[str, int]:
        return {}

    def tell(self, log: Any, metrics: Metrics, seconds: float) -> None:
        for one in self.outcome.raised:
            if one.told is not None:
                events = len(one.told.events)
                log.info(ALARM_RAISED, alarm=one.alarm.name, to=one.recipient, events=events)
            else:
                log.warning(
                    ALARM_REFUSED, alarm=one.alarm.name, to=one.recipient, reason=one.refusal
                )


class ScheduleReport:
    """Of the scheduled reports that were due."""

    def __init__(self, outcome: ScheduleOutcome) -> None:
        self.outcome = outcome

    def counts(self) -> dict[str, int]:
        return {}

    def tell(self, log: Any, metrics: Metrics, seconds: float) -> None:
        outcome = self.outcome
        metrics.set_reports_again(outcome.again)
        if not outcome.sent:
            return
        states = {
            state: outcome.count(state)
            for state in ("written", "empty", "refused", "failed", "missed")
        }
        for state, count in states.items():
            metrics.add_reports(state, count)
        speak = log.warning if outcome.count("failed", "missed") else log.info
        speak(SCHEDULES_FINISHED, **states, again=outcome.again, seconds=seconds)


class MailReport:
    """Of the mail that was due."""

    def __init__(self, outcome: MailOutcome) -> None:
        self.outcome = outcome

    def counts(self) -> dict[str, int]:
        return {}

    def tell(self, log: Any, metrics: Metrics, seconds: float) -> None:
        outcome = self.outcome
        if not (outcome.sent or outcome.deferred or outcome.failed or outcome.withdrawn):
            return
        speak = log.warning if outcome.failed else log.info
        speak(
            MAIL_FINISHED,
            sent=outcome.sent,
            deferred=outcome.deferred,
            failed=outcome.failed,
            withdrawn=outcome.withdrawn,
            waiting=outcome.waiting,
            seconds=seconds,
        )
