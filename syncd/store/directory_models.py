"""The tables of the directory: parties, lines, who held what and when, and what syncs did.

Imported by ``models``, where everybody finds them.
"""

from __future__ import annotations

from peewee import (
    SQL,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from syncd.store.tables import Table


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


# Each idle poll asks whose grace is over: without this it would look at everybody.
Party.add_index(
    Party.index(Party.source, Party.departed_at, name="party_waiting").where(
        SQL("departed_at IS NOT NULL AND closed_at IS NULL")
    )
)


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


class SourceUnsettled(Table):
    """About whom there was something to decide in the last run of a source: whoever is not among
    them held exactly what they claim and shared nothing of it, while nobody else changes the
    directory. Without a row it may be anybody."""

    source = TextField(primary_key=True)
    directory_version = IntegerField()
    parties = TextField()
    """Ids of parties, as a JSON list."""


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


class PartyGroup(Table):
    """Who is in which of the groups that ``[groups:SOURCE]`` names, groups in groups included, as the
    last whole reading of the source said."""

    source = TextField()
    name = TextField()
    """That of the settings."""
    external_id = TextField()
    """Of the party."""

    class Meta:
        primary_key = CompositeKey("source", "name", "external_id")
        without_rowid = True
