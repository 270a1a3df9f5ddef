"""What every way into syncd and out of it needs, shows and changes: one table (pure).

A verb, job, output or page that stands here not is a defect, which a test finds.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from syncd.reports.permissions import OWN, REQUIRED_LEVELS

MANAGEMENT = 10


class Needs(Enum):
    """Who may use it, where no level of a report says so."""

    LOCAL = "local administrator"
    """Who may read the configuration and the database's file: root or the service account. There is
    no ``--as``."""
    NOBODY = "nothing"
    """It tells nothing of this installation."""
    REPORT = "level of the report"
    """The level of the report that is asked for, from ``OWN`` up."""
    VIEWER = "whom it is for"
    """It is given what somebody was already let in for."""


class Shows(Enum):
    """What of calls goes out by it."""

    ROWS = "calls"
    SUMS = "sums of calls"
    COUNTS = "how many calls there are, not whose"
    RECORDS = "records, files and numbers that became no call"
    NOTHING = "nothing of calls"


class Changes(Enum):
    """What it changes, and by what that is entered into the audit."""

    NOTHING = "nothing"
    COMMAND = "audited as a command"
    EACH = "audited, each change"
    OWN = "has a history of its own"
    """Runs of syncs and files have their tables."""


class Way(NamedTuple):
    """One way in or out."""

    name: str
    """``person set``, ``roll-up``, ``csv``."""
    needs: Needs | str
    """The name of the report or verb whose level it needs, or who else may use it."""
    shows: Shows
    door: str
    """The module, within syncd, that chooses what goes out."""
    changes: Changes = Changes.NOTHING

    @property
    def level(self) -> int | None:
        """The level it needs unless the settings say something else; None where none counts."""
        if isinstance(self.needs, Needs):
            return OWN if self.needs is Needs.REPORT else None
        level = REQUIRED_LEVELS.get(self.needs, OWN)
        return max(level, MANAGEMENT) if self.changes is not Changes.NOTHING else level


_SCOPE = "reports.scope"

VERBS = (
    Way("run", Needs.LOCAL, Shows.NOTHING, "daemon.service", Changes.OWN),
    Way("demo", Needs.NOBODY, Shows.NOTHING, "demo.demonstration"),
    Way("check-config", Needs.LOCAL, Shows.NOTHING, "settings.checks"),
    Way("sync", Needs.LOCAL, Shows.NOTHING, "directory.sync", Changes.OWN),
    Way("directory list", Needs.LOCAL, Shows.NOTHING, "directory.sync"),
    Way("directory test", Needs.LOCAL, Shows.NOTHING, "directory.mapping"),
    Way("ingest", Needs.LOCAL, Shows.COUNTS, "calls.intake", Changes.OWN),
    Way("call list", "calls", Shows.ROWS, _SCOPE),
    Way("call show", "call", Shows.ROWS, "reports.conversation"),
    Way("report", Needs.REPORT, Shows.ROWS, _SCOPE),
    Way("licence", "licence", Shows.COUNTS, "licensing.view"),
    Way("person list", "person", Shows.NOTHING, "directory.people.find"),
    Way("person show", "person", Shows.NOTHING, "directory.people.find"),
    Way("person history", "person", Shows.NOTHING, "directory.people.find"),
    Way("person add", "person", Shows.NOTHING, "application.people", Changes.EACH),
    Way("person set", "person", Shows.NOTHING, "application.people", Changes.EACH),
    Way("person lock", "person", Shows.NOTHING, "application.people", Changes.EACH),
    Way("person unlock", "person", Shows.NOTHING, "application.people", Changes.EACH),
    Way("person assign", "person", Shows.SUMS, "store.reassignment", Changes.EACH),
    Way("person anonymise", "person", Shows.SUMS, "store.anonymisation", Changes.EACH),
    Way("person move", "person", Shows.SUMS, "store.reassignment", Changes.EACH),
    Way("department list", "department", Shows.NOTHING, "directory.people.names"),
    Way("department rename", "department", Shows.NOTHING, "application.people", Changes.COMMAND),
    Way("department merge", "department", Shows.NOTHING, "application.people", Changes.COMMAND),
    Way("access list", "access", Shows.NOTHING, "reports.access"),
    Way("access explain", "access", Shows.ROWS, "reports.access_explained"),
    Way("access set", "access", Shows.NOTHING, "application.people", Changes.EACH),
    Way("access log", "access", Shows.NOTHING, "reports.access_log"),
    Way("access audit", "access", Shows.NOTHING, "reports.audit"),
    Way("cdr list", Needs.NOBODY, Shows.NOTHING, "cdr.drivers"),
    Way("cdr try", Needs.LOCAL, Shows.RECORDS, "cdr.drivers"),
    Way("files list", "files", Shows.RECORDS, "cdr.ledger"),
    Way("files retry", "files", Shows.NOTHING, "cdr.spool", Changes.COMMAND),
    Way("rejects list", "rejects", Shows.RECORDS, "store.rejects"),
    Way("rejects show", "rejects", Shows.RECORDS, "store.rejects"),
    Way("rejects retry", "rejects", Shows.COUNTS, "calls.retrying", Changes.COMMAND),
    Way("rejects drop", "rejects", Shows.COUNTS, "store.rejects", Changes.COMMAND),
    Way("reprocess", "reprocess", Shows.SUMS, "store.reprocessing", Changes.COMMAND),
    Way("rerate", "rerate", Shows.SUMS, "store.rerating", Changes.COMMAND),
    Way("period list", "period", Shows.SUMS, "reports.periods"),
    Way("period close", "period", Shows.SUMS, "reports.periods", Changes.COMMAND),
    Way("period show", "period", Shows.SUMS, "reports.months"),
    Way("period run", "period", Shows.SUMS, "reports.months", Changes.COMMAND),
    Way("period reopen", "period", Shows.NOTHING, "cli.period"),
    Way("unknown list", "unknown", Shows.RECORDS, "store.models"),
    Way("tariff list", Needs.LOCAL, Shows.NOTHING, "billing.deck"),
    Way("tariff check", "tariff", Shows.SUMS, "reports.tariff_gaps"),
    Way("tariff load", Needs.LOCAL, Shows.NOTHING, "application.decks"),
    Way("tariff diff", Needs.LOCAL, Shows.NOTHING, "billing.deck_changes"),
    Way("tariff test", Needs.LOCAL, Shows.NOTHING, "billing.rating"),
    Way("explain", "explain", Shows.ROWS, "reports.explain"),
    Way("budget list", "budgets", Shows.SUMS, "reports.budgets"),
    Way("budget show", "budgets", Shows.SUMS, "reports.budgets"),
    Way("budget history", "budgets", Shows.SUMS, "reports.budgets"),
    Way("budget check", "budget", Shows.SUMS, "reports.budgets", Changes.COMMAND),
    Way("invoice check", "invoice", Shows.ROWS, "reports.invoice"),
    Way("charge-back", "charge-back", Shows.SUMS, "reports.charge_back"),
    Way("schedule list", Needs.REPORT, Shows.NOTHING, "application.schedules"),
    Way(
        "schedule add", Needs.REPORT, Shows.NOTHING, "application.schedule_making", Changes.COMMAND
    ),
    Way("schedule show", Needs.REPORT, Shows.NOTHING, "reports.recipients"),
    Way("schedule remove", Needs.REPORT, Shows.NOTHING, "store.schedules", Changes.COMMAND),
    Way("schedule pause", Needs.REPORT, Shows.NOTHING, "store.schedules", Changes.COMMAND),
    Way("schedule resume", Needs.REPORT, Shows.NOTHING, "store.schedules", Changes.COMMAND),
    Way("schedule run", Needs.REPORT, Shows.ROWS, "reports.scheduled", Changes.COMMAND),
    Way("schedule log", Needs.REPORT, Shows.NOTHING, "store.schedules"),
    Way("alarm list", "alarm", Shows.NOTHING, "store.alarms"),
    Way("alarm test", "alarm", Shows.ROWS, "reports.alarm_mail"),
    Way("alarm log", "alarm", Shows.NOTHING, "store.alarms"),
    Way("mail list", "mail", Shows.NOTHING, "store.outbox"),
    Way("mail send", "mail", Shows.NOTHING, "application.mail", Changes.COMMAND),
    Way("mail test", "mail", Shows.NOTHING, "application.mail", Changes.COMMAND),
    Way("retention show", "retention", Shows.COUNTS, "store.retention"),
    Way("retention run", "retention", Shows.COUNTS, "store.retention", Changes.COMMAND),
    Way("db status", Needs.LOCAL, Shows.COUNTS, "store.maintenance"),
    Way("db verify", Needs.LOCAL, Shows.COUNTS, "store.maintenance"),
    Way("db migrate", Needs.LOCAL, Shows.NOTHING, "store.database"),
    Way("db copy", Needs.LOCAL, Shows.COUNTS, "store.copying", Changes.OWN),
    Way("db partitions", Needs.LOCAL, Shows.COUNTS, "store.partitions", Changes.OWN),
    Way("db backup", Needs.LOCAL, Shows.NOTHING, "store.backup"),
    Way("db restore", Needs.LOCAL, Shows.NOTHING, "store.backup"),
    Way("completion", Needs.NOBODY, Shows.NOTHING, "cli.completion"),
)
"""Every verb with each of its actions."""

JOBS = (
    Way("sync", Needs.LOCAL, Shows.NOTHING, "directory.sync", Changes.OWN),
    Way("ingest", Needs.LOCAL, Shows.COUNTS, "calls.intake", Changes.OWN),
    Way("roll-up", Needs.LOCAL, Shows.COUNTS, "store.rollups", Changes.OWN),
    Way("retention", Needs.LOCAL, Shows.COUNTS, "store.retention", Changes.OWN),
    Way("budgets", Needs.VIEWER, Shows.SUMS, "reports.budget_mail", Changes.OWN),
    Way("alarms", Needs.VIEWER, Shows.ROWS, "reports.alarm_mail", Changes.OWN),
    Way("schedules", Needs.VIEWER, Shows.ROWS, "reports.scheduled", Changes.OWN),
    Way("mail", Needs.VIEWER, Shows.NOTHING, "store.outbox", Changes.OWN),
)
"""Every unit of work of the daemon. What is written to somebody is written as that somebody."""

OUTPUTS = tuple(
    Way(name, Needs.VIEWER, Shows.ROWS, "reports.run")
    for name in ("csv", "html", "json", "pdf", "table", "xlsx")
)
"""Every form of a report: given a result, it chooses nothing."""

PAGES = (
    Way("/metrics", Needs.LOCAL, Shows.COUNTS, "observe.metrics"),
    Way("/healthz", Needs.NOBODY, Shows.NOTHING, "daemon.health"),
    Way("/readyz", Needs.NOBODY, Shows.NOTHING, "daemon.health"),
)
"""Every URL rule. Those of the daemon are on the loopback interface."""


def verb_way(verb: str, action: str | None) -> Way | None:
    """Return what stands here of a verb and its action, None for one that is missing. Without an
    action a verb that has some is ``list``, or the first of them."""
    by_name = {way.name: way for way in VERBS}
    found = by_name.get(f"{verb} {action or 'list'}") or by_name.get(verb)
    if found is None and action is None:
        found = next((way for way in VERBS if way.name.startswith(f"{verb} ")), None)
    return found
