"""The tables. One column, one meaning; times are epoch seconds UTC, money is micros.

Rows with id 0 in the small dimension tables mean "none", so that grouping, joining and primary keys
of rollups never meet a NULL. ``record`` and ``call`` carry plain integers instead of foreign keys:
they are written by the tens of thousands a second, and ``syncd db verify`` checks them instead.
"""

from __future__ import annotations

from typing import Any

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    DatabaseProxy,
    ForeignKeyField,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)

database = DatabaseProxy()


class Table(Model):
    class Meta:
        database = database
        legacy_table_names = False


class Meta(Table):
    """One value a key: schema-wide facts such as the time zone of days and the directory version."""

    key = TextField(primary_key=True)
    value = TextField()


# --- directory ---------------------------------------------------------------------------------


class Party(Table):
    """A person, place or hunt pilot, with the fields of today (docs/rules.md 2.1)."""

    source = TextField()
    """Name of the directory section, or ``local``."""
    external_id = TextField()
    kind = TextField(default="person")
    arrived_at = BigIntegerField()
    departed_at = BigIntegerField(null=True)
    """First complete snapshot without the party; null while it is there."""
    closed_at = BigIntegerField(null=True)
    """When assignments and profile were closed after the grace period."""
    username = TextField(default="")
    username_key = TextField(default="", index=True)
    display_name = TextField(default="")
    given_name = TextField(default="")
    family_name = TextField(default="")
    mail = TextField(default="")
    language = TextField(default="")
    enabled = BooleanField(default=True)
    first_extension = TextField(default="")
    other_extensions = TextField(default="")
    """Lists are joined with ``;``."""
    extension_alias = TextField(default="")
    voicemail_number = TextField(default="")
    fax_number = TextField(default="")
    offnet_fax_number = TextField(default="")
    mobile_number = TextField(default="")
    devices = TextField(default="")
    partition = TextField(default="")
    site = TextField(default="")
    cdr_user_id = TextField(default="")
    bill_first_extension = BooleanField(default=False)
    bill_fax = BooleanField(default=False)
    bill_voicemail = BooleanField(default=False)
    department = TextField(default="")
    cost_center = TextField(default="")
    office_location = TextField(default="")
    custom1 = TextField(default="")
    custom2 = TextField(default="")
    custom3 = TextField(default="")
    custom4 = TextField(default="")
    custom5 = TextField(default="")
    custom6 = TextField(default="")
    custom7 = TextField(default="")
    custom8 = TextField(default="")
    custom9 = TextField(default="")
    custom10 = TextField(default="")
    permission_level = SmallIntegerField(default=0)
    level6_basis = TextField(default="")
    additional_departments = TextField(default="")
    masked_digits = SmallIntegerField(default=0)

    class Meta:
        indexes = ((("source", "external_id"), True),)


class Line(Table):
    """A number at a site in a partition. Id 0: none."""

    site = TextField()
    partition = TextField()
    number = TextField()
    line_id = TextField(index=True)

    class Meta:
        indexes = ((("site", "partition", "number"), True),)


class Assignment(Table):
    """A line, user id or device held by a party in a role, from … to (to exclusive)."""

    party = ForeignKeyField(Party, backref="assignments")
    role = SmallIntegerField()
    line = ForeignKeyField(Line)
    """Id 0 for the roles user-id and device."""
    site = TextField(default="")
    partition = TextField(default="")
    number = TextField()
    billed = BooleanField()
    shared = BooleanField(default=False)
    learned_at = BigIntegerField()
    """The moment syncd learned it: the order of claims on slots."""
    valid_from = BigIntegerField()
    valid_to = BigIntegerField()


class Name(Table):
    """The latest spelling of a department, cost center or office location, by its key."""

    kind = TextField()
    """``department``, ``cost_center`` or ``office_location``."""
    key = TextField()
    text = TextField()

    class Meta:
        indexes = ((("kind", "key"), True),)


class Org(Table):
    """A combination of department, cost center and office location (keys). Id 0: none of them."""

    department = TextField()
    cost_center = TextField()
    office_location = TextField()

    class Meta:
        indexes = ((("department", "cost_center", "office_location"), True),)


class Profile(Table):
    """One version of what a call snapshots about a party, from … to. Id 0: none."""

    party = ForeignKeyField(Party, backref="profiles", null=True)
    org = ForeignKeyField(Org)
    display_name = TextField(default="")
    department = TextField(default="")
    cost_center = TextField(default="")
    office_location = TextField(default="")
    custom1 = TextField(default="")
    custom2 = TextField(default="")
    custom3 = TextField(default="")
    custom4 = TextField(default="")
    custom5 = TextField(default="")
    custom6 = TextField(default="")
    custom7 = TextField(default="")
    custom8 = TextField(default="")
    custom9 = TextField(default="")
    custom10 = TextField(default="")
    valid_from = BigIntegerField()
    valid_to = BigIntegerField()


class NameAlias(Table):
    """Two names that are one: what is said of ``key`` is meant of ``merged_into``, also a key."""

    kind = TextField()
    """``department``, ``cost_center`` or ``office_location``."""
    key = TextField()
    merged_into = TextField()
    """Never itself an alias: chains are shortened when they are made."""

    class Meta:
        indexes = ((("kind", "key"), True),)


class PartyLock(Table):
    """A field of one person that no sync touches."""

    party = ForeignKeyField(Party, backref="locks")
    field = TextField()
    reason = TextField()
    since = BigIntegerField()

    class Meta:
        indexes = ((("party", "field"), True),)


class MaintenanceRun(Table):
    """Work on stored rows that goes in chunks; who finds one unfinished goes on at its position."""

    kind = TextField()
    """The operation, such as ``reassign``."""
    started_at = BigIntegerField()
    ended_at = BigIntegerField(null=True)
    state = TextField(index=True)
    """``running`` or ``done``."""
    position = TextField(default="")
    """Up to where it is done, in words of the operation."""
    arguments = TextField(default="")
    """What it was asked to do, as JSON."""


class HuntGroup(Table):
    """A hunt group as a list of places names it, with its pilot's line (no number: not listed)."""

    source = TextField()
    name = TextField()
    name_key = TextField()
    site = TextField(default="")
    """Empty: every site that names the number."""
    partition = TextField(default="")
    number = TextField(default="")

    class Meta:
        indexes = ((("source", "name_key"), True),)


class HuntMember(Table):
    """A line that a hunt group rings."""

    group = ForeignKeyField(HuntGroup, backref="members", on_delete="CASCADE")
    site = TextField(default="")
    partition = TextField(default="")
    number = TextField()

    class Meta:
        indexes = ((("group", "site", "partition", "number"), True),)


class SourceDigest(Table):
    """What a source said when nothing was left to do, so that the same answer needs no planning."""

    source = TextField(primary_key=True)
    directory_version = IntegerField()
    digest = TextField()


class SourceState(Table):
    """What syncd remembers of a directory source between runs."""

    source = TextField(primary_key=True)
    first_complete_at = BigIntegerField()
    last_complete_at = BigIntegerField()


class SourceCookie(Table):
    """How far the changes of a directory source are known; without a row everything is read."""

    source = TextField(primary_key=True)
    cookie = TextField()
    fingerprint = TextField()
    """Hash of the question to which the cookie belongs: who asked, and for what."""
    server = TextField()
    """Who gave it."""
    directory_version = IntegerField()
    """That of the directory when the last run of the source had nothing left to do."""


class SyncRun(Table):
    """One run of a directory sync, whatever became of it."""

    source = TextField(index=True)
    started_at = BigIntegerField()
    ended_at = BigIntegerField()
    server = TextField(default="")
    outcome = TextField()
    """``applied``, ``unchanged``, ``refused``, ``failed``."""
    entries = IntegerField(default=0)
    arrived = IntegerField(default=0)
    departed = IntegerField(default=0)
    changed = IntegerField(default=0)
    conflicts = IntegerField(default=0)
    warnings = IntegerField(default=0)
    message = TextField(default="")


class SyncChange(Table):
    """The audit row of one change."""

    run = ForeignKeyField(SyncRun, backref="changes")
    party = ForeignKeyField(Party, null=True)
    what = TextField()
    """``arrived``, ``departed``, ``returned``, ``changed``, ``conflict``, ``closed``; by hand also
    ``locked``, ``unlocked``, ``moved``, ``assigned``, ``taken``, ``renamed``, ``merged``."""
    field = TextField(default="")
    old = TextField(default="")
    new = TextField(default="")


# --- intake --------------------------------------------------------------------------------------


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


class Record(Table):
    """The driver's neutral leg (``syncd.domain.leg.Leg`` has the meaning of its columns), with its
    file, row, outcome and conversation."""

    id = BigIntegerField(primary_key=True)
    pbx_id = IntegerField()
    file_id = IntegerField(index=True)
    row = IntegerField()
    outcome = SmallIntegerField()
    """RecordOutcome."""
    reason = TextField()
    """The rule that excluded it, or why it is not billed."""
    conversation = BigIntegerField()
    """Id of the conversation's first record."""
    provisional = SmallIntegerField()
    """1 while the set-up of an outside leg that it carries has not been seen."""
    key_hash = BigIntegerField()
    """Signed 64-bit hash of (PBX identity, key)."""
    started_at = BigIntegerField()
    connected_at = BigIntegerField()
    ended_at = BigIntegerField()
    duration = IntegerField()
    key = TextField()
    content_hash = BigIntegerField()
    tied = SmallIntegerField()
    call_ref = BigIntegerField()
    orig_leg = BigIntegerField()
    dest_leg = BigIntegerField()
    conference = BigIntegerField()
    calling_number = TextField()
    calling_partition = TextField()
    calling_user = TextField()
    orig_device = TextField()
    original_number = TextField()
    original_partition = TextField()
    final_number = TextField()
    final_partition = TextField()
    final_user = TextField()
    dest_device = TextField()
    redirecting_number = TextField()
    redirecting_partition = TextField()
    orig_cause = BigIntegerField()
    dest_cause = BigIntegerField()
    orig_ended_by = SmallIntegerField()
    dest_ended_by = SmallIntegerField()
    first_redirect_by = SmallIntegerField()
    first_redirect_reason = SmallIntegerField()
    last_redirect_by = SmallIntegerField()
    last_redirect_reason = SmallIntegerField()
    joined_by = SmallIntegerField()
    incoming_protocol = SmallIntegerField()
    outgoing_protocol = SmallIntegerField()
    pattern_usage = SmallIntegerField()
    final_pattern = TextField()
    hunt_pilot = TextField()
    hunt_partition = TextField()
    controller = TextField()
    authorization_code = TextField()
    matter_code = TextField()


# Measured: a unique key that begins with the start time is 2.2 times faster than the key alone, and
# a 64-bit hash in it is smaller than the text of the key and finds a call by its public id.
Record.add_index(
    Record.index(Record.started_at, Record.pbx_id, Record.key_hash, unique=True, name="record_key")
)
for _name, _column in (
    ("record_call_ref", Record.call_ref),
    ("record_orig_leg", Record.orig_leg),
    ("record_dest_leg", Record.dest_leg),
):
    Record.add_index(Record.index(_column, Record.pbx_id, name=_name).where(SQL("tied = 1")))


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


# --- calls ---------------------------------------------------------------------------------------


class Trunk(Table):
    """Id 0: none. ``name`` is the section's, or the device's where no section lists it."""

    name = TextField(unique=True)


class Carrier(Table):
    """Id 0: none."""

    name = TextField(unique=True)


class Destination(Table):
    """A destination's name as the rate deck has it. Id 0: none."""

    name = TextField(unique=True)


class RateUsed(Table):
    """Which rate priced a call. Id 0: none."""

    carrier = TextField()
    version = TextField()
    prefix = TextField()

    class Meta:
        indexes = ((("carrier", "version", "prefix"), True),)


class CallColumns(Table):
    """A call: one line's side of one record. ``id`` is record id * 8 + side."""

    id = BigIntegerField(primary_key=True)
    started_at = BigIntegerField()
    conversation = BigIntegerField()
    side = SmallIntegerField()
    line_id = IntegerField()
    """Row of ``line`` (the join to its line id)."""
    party_id = IntegerField()
    """0: anonymous."""
    profile_id = IntegerField()
    org_id = IntegerField()
    role = SmallIntegerField()
    counted = SmallIntegerField()
    outcome = SmallIntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    destination_id = IntegerField()
    trunk_id = IntegerField()
    carrier_id = IntegerField()
    rate_id = IntegerField()
    ring_seconds = IntegerField()
    duration = IntegerField()
    """Seconds that this line talked; 0 on redirecting and pilot sides."""
    billed_seconds = IntegerField()
    cost = BigIntegerField(null=True)
    """Micros; null when unrated."""
    state = SmallIntegerField()
    reason = TextField()
    """Why it is unrated."""
    disposition = SmallIntegerField()
    posting_period = IntegerField()
    """Year * 100 + month."""
    leg = BigIntegerField()
    """The outside leg that this row pays for or talks over; 0 when none."""
    other_number = TextField()
    other_outside = SmallIntegerField()
    """1 when the other party is outside the company: such numbers are masked."""
    hunt_pilot = TextField()

    class Meta:
        abstract = True


class Call(CallColumns):
    class Meta:
        indexes = ((("org_id", "started_at"), False), (("party_id", "started_at"), False))


class CallWithheld(CallColumns):
    """Calls of lines that held no slot; written and read by ``store/withheld.py`` alone."""

    class Meta:
        indexes = ((("line_id", "started_at"), False),)


class DirtyDay(Table):
    """A local day (yyyymmdd) whose rollups do not equal its rows."""

    day = IntegerField(primary_key=True)


class RolledDay(Table):
    """A local day whose rollups were built; a whole month stands in ``rolled_month``."""

    day = IntegerField(primary_key=True)


class RolledMonth(Table):
    month = IntegerField(primary_key=True)


class Measures(Table):
    """Plain sums over call rows."""

    calls = IntegerField()
    answered = IntegerField()
    missed = IntegerField()
    unanswered = IntegerField()
    ring_seconds = BigIntegerField()
    duration = BigIntegerField()
    billed_seconds = BigIntegerField()
    cost = BigIntegerField()
    unrated = IntegerField()
    rows = IntegerField()

    class Meta:
        abstract = True


class RollupDay(Measures):
    day = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    carrier_id = IntegerField()
    trunk_id = IntegerField()

    class Meta:
        primary_key = CompositeKey("day", "org_id", "direction", "class_", "carrier_id", "trunk_id")


class RollupMonth(Measures):
    """The sums by day of a month added up: a year by department is a few thousand rows."""

    month = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")
    carrier_id = IntegerField()
    trunk_id = IntegerField()

    class Meta:
        primary_key = CompositeKey(
            "month", "org_id", "direction", "class_", "carrier_id", "trunk_id"
        )


class RollupDestination(Measures):
    month = IntegerField()
    org_id = IntegerField()
    destination_id = IntegerField()
    class_ = SmallIntegerField(column_name="class")

    class Meta:
        primary_key = CompositeKey("month", "org_id", "destination_id", "class_")


class RollupLine(Measures):
    """Party and org stand beside the profile so that the sums equal the rows by construction."""

    month = IntegerField()
    line_id = IntegerField()
    party_id = IntegerField()
    profile_id = IntegerField()
    org_id = IntegerField()
    direction = SmallIntegerField()
    class_ = SmallIntegerField(column_name="class")

    class Meta:
        primary_key = CompositeKey(
            "month", "line_id", "party_id", "profile_id", "org_id", "direction", "class_"
        )


# --- licensing -----------------------------------------------------------------------------------


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


# --- access --------------------------------------------------------------------------------------


class AccessLog(Table):
    """Who ran which report on whom."""

    at = BigIntegerField()
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
    PartyLock,
    MaintenanceRun,
    HuntGroup,
    HuntMember,
    SourceDigest,
    SourceState,
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
    RateUsed,
    Call,
    CallWithheld,
    DirtyDay,
    RolledDay,
    RolledMonth,
    RollupDay,
    RollupMonth,
    RollupDestination,
    RollupLine,
    AcquiredLine,
    Slot,
    AccessLog,
)
