"""The tables. One column, one meaning; times are epoch seconds UTC, money is micros.

Rows with id 0 in the small dimension tables mean "none", so that grouping, joining and primary keys
of rollups never meet a NULL. ``record`` and ``call`` carry plain integers instead of foreign keys:
they are written by the tens of thousands a second, and ``syncd db verify`` checks them instead.
"""

from __future__ import annotations

from typing import Any

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from syncd.store.audit_models import (
    AuditEntry as AuditEntry,
)
from syncd.store.call_models import (
    Call as Call,
)
from syncd.store.call_models import (
    CallColumns as CallColumns,
)
from syncd.store.call_models import (
    CallWithheld as CallWithheld,
)
from syncd.store.call_models import (
    Carrier as Carrier,
)
from syncd.store.call_models import (
    Destination as Destination,
)
from syncd.store.call_models import (
    RateUsed as RateUsed,
)
from syncd.store.call_models import (
    Trunk as Trunk,
)
from syncd.store.charge_models import (
    AccountCharge as AccountCharge,
)
from syncd.store.charge_models import (
    Matter as Matter,
)
from syncd.store.charge_models import (
    PrivateRecord as PrivateRecord,
)
from syncd.store.destination_models import (
    DestinationPrefix as DestinationPrefix,
)
from syncd.store.directory_models import (
    Assignment as Assignment,
)
from syncd.store.directory_models import (
    HuntGroup as HuntGroup,
)
from syncd.store.directory_models import (
    HuntMember as HuntMember,
)
from syncd.store.directory_models import (
    Line as Line,
)
from syncd.store.directory_models import (
    MaintenanceRun as MaintenanceRun,
)
from syncd.store.directory_models import (
    Name as Name,
)
from syncd.store.directory_models import (
    NameAlias as NameAlias,
)
from syncd.store.directory_models import (
    Org as Org,
)
from syncd.store.directory_models import (
    Party as Party,
)
from syncd.store.directory_models import (
    PartyGroup as PartyGroup,
)
from syncd.store.directory_models import (
    PartyLock as PartyLock,
)
from syncd.store.directory_models import (
    Profile as Profile,
)
from syncd.store.directory_models import (
    SourceCookie as SourceCookie,
)
from syncd.store.directory_models import (
    SourceDigest as SourceDigest,
)
from syncd.store.directory_models import (
    SourceState as SourceState,
)
from syncd.store.directory_models import (
    SourceUnsettled as SourceUnsettled,
)
from syncd.store.directory_models import (
    SyncChange as SyncChange,
)
from syncd.store.directory_models import (
    SyncRun as SyncRun,
)
from syncd.store.growing_models import (
    GrowingFile as GrowingFile,
)
from syncd.store.licence_models import (
    AcquirableLine as AcquirableLine,
)
from syncd.store.licence_models import (
    HuntListing as HuntListing,
)
from syncd.store.mail_models import (
    BudgetAlert as BudgetAlert,
)
from syncd.store.mail_models import (
    BudgetPeriod as BudgetPeriod,
)
from syncd.store.mail_models import (
    Outbox as Outbox,
)
from syncd.store.month_models import (
    AllowanceUse as AllowanceUse,
)
from syncd.store.month_models import (
    MonthLine as MonthLine,
)
from syncd.store.month_models import (
    MonthRun as MonthRun,
)
from syncd.store.node_models import (
    Node as Node,
)
from syncd.store.posting_models import (
    Adjustment as Adjustment,
)
from syncd.store.posting_models import (
    ClosedSum as ClosedSum,
)
from syncd.store.posting_models import (
    Period as Period,
)
from syncd.store.posting_models import (
    RerateChange as RerateChange,
)
from syncd.store.posting_models import (
    RerateRun as RerateRun,
)
from syncd.store.quality_models import (
    CallQuality as CallQuality,
)
from syncd.store.quality_models import (
    QualityExcluded as QualityExcluded,
)
from syncd.store.record_models import (
    Record as Record,
)
from syncd.store.reject_models import (
    FileHeader as FileHeader,
)
from syncd.store.reject_models import (
    RejectDrop as RejectDrop,
)
from syncd.store.retention_models import (
    FileRetained as FileRetained,
)
from syncd.store.retention_models import (
    SealedDay as SealedDay,
)
from syncd.store.retention_models import (
    SealedDestination as SealedDestination,
)
from syncd.store.retention_models import (
    SealedHour as SealedHour,
)
from syncd.store.rollup_models import (
    DirtyDay as DirtyDay,
)
from syncd.store.rollup_models import (
    RolledDay as RolledDay,
)
from syncd.store.rollup_models import (
    RolledMonth as RolledMonth,
)
from syncd.store.rollup_models import (
    RolledOpen as RolledOpen,
)
from syncd.store.rollup_models import (
    RolledPart as RolledPart,
)
from syncd.store.rollup_models import (
    RollupDay as RollupDay,
)
from syncd.store.rollup_models import (
    RollupDayOrg as RollupDayOrg,
)
from syncd.store.rollup_models import (
    RollupDayTotal as RollupDayTotal,
)
from syncd.store.rollup_models import (
    RollupDestination as RollupDestination,
)
from syncd.store.rollup_models import (
    RollupDestinationTotal as RollupDestinationTotal,
)
from syncd.store.rollup_models import (
    RollupField as RollupField,
)
from syncd.store.rollup_models import (
    RollupHour as RollupHour,
)
from syncd.store.rollup_models import (
    RollupHourOrg as RollupHourOrg,
)
from syncd.store.rollup_models import (
    RollupHourTotal as RollupHourTotal,
)
from syncd.store.rollup_models import (
    RollupLine as RollupLine,
)
from syncd.store.rollup_models import (
    RollupMonth as RollupMonth,
)
from syncd.store.rollup_models import (
    RollupMonthOrg as RollupMonthOrg,
)
from syncd.store.rollup_models import (
    RollupMonthTotal as RollupMonthTotal,
)
from syncd.store.rollup_models import (
    RollupParty as RollupParty,
)
from syncd.store.rollup_models import (
    RollupPerson as RollupPerson,
)
from syncd.store.saved_models import (
    SavedReport as SavedReport,
)
from syncd.store.schedule_models import (
    AlarmState as AlarmState,
)
from syncd.store.schedule_models import (
    AlarmTold as AlarmTold,
)
from syncd.store.schedule_models import (
    ReportSchedule as ReportSchedule,
)
from syncd.store.schedule_models import (
    ScheduleRetry as ScheduleRetry,
)
from syncd.store.schedule_models import (
    ScheduleRun as ScheduleRun,
)
from syncd.store.schedule_models import (
    ScheduleState as ScheduleState,
)
from syncd.store.tables import Table
from syncd.store.tables import database as database
from syncd.store.traffic_models import (
    DirtyQuarter as DirtyQuarter,
)
from syncd.store.traffic_models import (
    TrunkCounter as TrunkCounter,
)


class Meta(Table):
    """One value a key: schema-wide facts such as the time zone of days and the directory version."""

    key = TextField(primary_key=True)
    value = TextField()


class Pbx(Table):
    """The identity of a phone system; folders of one PBX share it."""

    name = TextField(unique=True)


class File(Table):
    """The ledger: a file by (source, name, content). Counters obey
    read = stored + duplicate + excluded + not_billed + rejected."""

    source = TextField()
    name = TextField()
    sha256 = TextField()
    size = BigIntegerField(default=0)
    state = SmallIntegerField()
    """FileState."""
    reason = TextField(default="")
    taken_at = BigIntegerField()
    archive = TextField(default="")
    """Path of the archived content, relative to the state directory."""
    read = IntegerField(default=0)
    stored = IntegerField(default=0)
    duplicate = IntegerField(default=0)
    excluded = IntegerField(default=0)
    not_billed = IntegerField(default=0)
    rejected = IntegerField(default=0)
    calls = IntegerField(default=0)
    """Call rows made of its records."""

    class Meta:
        indexes = ((("source", "name", "sha256"), True),)


class Reject(Table):
    """A row that could not be read, or whose key is already known with another content."""

    file = ForeignKeyField(File, backref="rejects")
    line = IntegerField()
    reason = TextField()
    raw = BlobField()
    retryable = BooleanField(default=False)


class UnknownNumber(Table):
    """A line-side number that nobody holds, for triage."""

    site = TextField()
    partition = TextField()
    number = TextField()
    first_seen = BigIntegerField()
    last_seen = BigIntegerField()
    records = IntegerField()

    class Meta:
        primary_key = CompositeKey("site", "partition", "number")


class UnknownTrunk(Table):
    """A trunk-side device that no ``[trunk:]`` lists; its calls are unrated."""

    pbx_id = IntegerField()
    device = TextField()
    first_seen = BigIntegerField()
    last_seen = BigIntegerField()
    records = IntegerField()

    class Meta:
        primary_key = CompositeKey("pbx_id", "device")


class AcquiredLine(Table):
    """A number that automatic acquisition documented anonymously."""

    line = ForeignKeyField(Line, primary_key=True)
    learned_at = BigIntegerField()
    hunt = BooleanField(default=False)
    """A hunt pilot or member: takes no slot."""


class Slot(Table):
    """The history of who held a slot: a (party, role, line) or an acquired line, since … until."""

    kind = TextField()
    """``named`` or ``acquired``."""
    party = ForeignKeyField(Party, null=True)
    role = SmallIntegerField()
    line = ForeignKeyField(Line)
    since = BigIntegerField()
    until = BigIntegerField()
    reason = TextField()


class AccessLog(Table):
    """Who ran which report on whom."""

    at = BigIntegerField(index=True)
    viewer = TextField()
    level = SmallIntegerField()
    report = TextField()
    specification = TextField()
    rows = IntegerField()


MODELS: tuple[type[Any], ...] = (
    Meta,
    Party,
    Line,
    Assignment,
    Name,
    Org,
    Profile,
    NameAlias,
    PartyGroup,
    PartyLock,
    MaintenanceRun,
    HuntGroup,
    HuntMember,
    SourceDigest,
    SourceState,
    SourceUnsettled,
    SourceCookie,
    SyncRun,
    SyncChange,
    Pbx,
    File,
    Reject,
    Record,
    UnknownNumber,
    UnknownTrunk,
    Trunk,
    Carrier,
    Destination,
    DestinationPrefix,
    RateUsed,
    Call,
    CallWithheld,
    DirtyDay,
    RolledDay,
    RolledMonth,
    RolledPart,
    RolledOpen,
    RollupDay,
    RollupDayOrg,
    RollupDayTotal,
    RollupMonth,
    RollupMonthOrg,
    RollupMonthTotal,
    RollupDestination,
    RollupDestinationTotal,
    RollupLine,
    RollupParty,
    RollupPerson,
    RollupField,
    RollupHour,
    RollupHourOrg,
    RollupHourTotal,
    AcquiredLine,
    Slot,
    AcquirableLine,
    HuntListing,
    AccessLog,
    AuditEntry,
    Matter,
    AccountCharge,
    PrivateRecord,
    TrunkCounter,
    DirtyQuarter,
    FileHeader,
    RejectDrop,
    GrowingFile,
    CallQuality,
    QualityExcluded,
    Period,
    ClosedSum,
    Adjustment,
    RerateRun,
    RerateChange,
    Outbox,
    SavedReport,
    ReportSchedule,
    ScheduleState,
    ScheduleRun,
    ScheduleRetry,
    AlarmState,
    AlarmTold,
    BudgetPeriod,
    BudgetAlert,
    MonthRun,
    MonthLine,
    AllowanceUse,
    SealedDay,
    SealedDestination,
    SealedHour,
    FileRetained,
    Node,
)
