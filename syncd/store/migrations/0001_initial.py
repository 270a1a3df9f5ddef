"""The first schema: a frozen copy of the models, independent of what they become."""

# mypy: ignore-errors

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
)


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class AccessLog(Table):
        at = BigIntegerField()
        viewer = TextField()
        level = SmallIntegerField()
        report = TextField()
        specification = TextField()
        rows = IntegerField()

    class Line(Table):
        site = TextField()
        partition = TextField()
        number = TextField()
        line_id = TextField(index=True)

        class Meta:
            indexes = ((("site", "partition", "number"), True),)

    class AcquiredLine(Table):
        line = ForeignKeyField(Line, primary_key=True)
        learned_at = BigIntegerField()
        hunt = BooleanField(default=False)

    class Party(Table):
        source = TextField()
        external_id = TextField()
        kind = TextField(default="person")
        arrived_at = BigIntegerField()
        departed_at = BigIntegerField(null=True)
        closed_at = BigIntegerField(null=True)
        username = TextField(default="")
        username_key = TextField(index=True, default="")
        display_name = TextField(default="")
        given_name = TextField(default="")
        family_name = TextField(default="")
        mail = TextField(default="")
        language = TextField(default="")
        enabled = BooleanField(default=True)
        first_extension = TextField(default="")
        other_extensions = TextField(default="")
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

    class Assignment(Table):
        party = ForeignKeyField(Party)
        role = SmallIntegerField()
        line = ForeignKeyField(Line)
        site = TextField(default="")
        partition = TextField(default="")
        number = TextField()
        billed = BooleanField()
        shared = BooleanField(default=False)
        learned_at = BigIntegerField()
        valid_from = BigIntegerField()
        valid_to = BigIntegerField()

    class Call(Table):
        id = BigIntegerField(primary_key=True)
        started_at = BigIntegerField()
        conversation = BigIntegerField()
        side = SmallIntegerField()
        line_id = IntegerField()
        party_id = IntegerField()
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
        billed_seconds = IntegerField()
        cost = BigIntegerField(null=True)
        state = SmallIntegerField()
        reason = TextField()
        disposition = SmallIntegerField()
        posting_period = IntegerField()
        leg = BigIntegerField()
        other_number = TextField()
        other_outside = SmallIntegerField()
        hunt_pilot = TextField()

        class Meta:
            indexes = ((("org_id", "started_at"), False), (("party_id", "started_at"), False))

    class CallWithheld(Table):
        id = BigIntegerField(primary_key=True)
        started_at = BigIntegerField()
        conversation = BigIntegerField()
        side = SmallIntegerField()
        line_id = IntegerField()
        party_id = IntegerField()
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
        billed_seconds = IntegerField()
        cost = BigIntegerField(null=True)
        state = SmallIntegerField()
        reason = TextField()
        disposition = SmallIntegerField()
        posting_period = IntegerField()
        leg = BigIntegerField()
        other_number = TextField()
        other_outside = SmallIntegerField()
        hunt_pilot = TextField()

        class Meta:
            indexes = ((("line_id", "started_at"), False),)

    class Carrier(Table):
        name = TextField(unique=True)

    class Destination(Table):
        name = TextField(unique=True)

    class DirtyDay(Table):
        day = IntegerField(primary_key=True)

    class File(Table):
        source = TextField()
        name = TextField()
        sha256 = TextField()
        size = BigIntegerField(default=0)
        state = SmallIntegerField()
        reason = TextField(default="")
        taken_at = BigIntegerField()
        archive = TextField(default="")
        read = IntegerField(default=0)
        stored = IntegerField(default=0)
        duplicate = IntegerField(default=0)
        excluded = IntegerField(default=0)
        not_billed = IntegerField(default=0)
        rejected = IntegerField(default=0)
        calls = IntegerField(default=0)

        class Meta:
            indexes = ((("source", "name", "sha256"), True),)

    class Meta(Table):
        key = TextField(primary_key=True)
        value = TextField()

    class Name(Table):
        kind = TextField()
        key = TextField()
        text = TextField()

        class Meta:
            indexes = ((("kind", "key"), True),)

    class Org(Table):
        department = TextField()
        cost_center = TextField()
        office_location = TextField()

        class Meta:
            indexes = ((("department", "cost_center", "office_location"), True),)

    class Pbx(Table):
        name = TextField(unique=True)

    class Profile(Table):
        party = ForeignKeyField(Party, null=True)
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

    class RateUsed(Table):
        carrier = TextField()
        version = TextField()
        prefix = TextField()

        class Meta:
            indexes = ((("carrier", "version", "prefix"), True),)

    class Record(Table):
        id = BigIntegerField(primary_key=True)
        pbx_id = IntegerField()
        file_id = IntegerField(index=True)
        row = IntegerField()
        outcome = SmallIntegerField()
        reason = TextField()
        conversation = BigIntegerField()
        provisional = SmallIntegerField()
        key_hash = BigIntegerField()
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

    class Reject(Table):
        file = ForeignKeyField(File)
        line = IntegerField()
        reason = TextField()
        raw = BlobField()
        retryable = BooleanField(default=False)

    class RolledDay(Table):
        day = IntegerField(primary_key=True)

    class RolledMonth(Table):
        month = IntegerField(primary_key=True)

    class RollupDay(Table):
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
        day = IntegerField()
        org_id = IntegerField()
        direction = SmallIntegerField()
        class_ = SmallIntegerField(column_name="class")
        carrier_id = IntegerField()
        trunk_id = IntegerField()

        class Meta:
            primary_key = CompositeKey(
                "day", "org_id", "direction", "class_", "carrier_id", "trunk_id"
            )

    class RollupDestination(Table):
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
        month = IntegerField()
        org_id = IntegerField()
        destination_id = IntegerField()
        class_ = SmallIntegerField(column_name="class")

        class Meta:
            primary_key = CompositeKey("month", "org_id", "destination_id", "class_")

    class RollupLine(Table):
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

    class RollupMonth(Table):
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

    class Slot(Table):
        kind = TextField()
        party = ForeignKeyField(Party, null=True)
        role = SmallIntegerField()
        line = ForeignKeyField(Line)
        since = BigIntegerField()
        until = BigIntegerField()
        reason = TextField()

    class SourceState(Table):
        source = TextField(primary_key=True)
        first_complete_at = BigIntegerField()
        last_complete_at = BigIntegerField()

    class SyncRun(Table):
        source = TextField(index=True)
        started_at = BigIntegerField()
        ended_at = BigIntegerField()
        server = TextField(default="")
        outcome = TextField()
        entries = IntegerField(default=0)
        arrived = IntegerField(default=0)
        departed = IntegerField(default=0)
        changed = IntegerField(default=0)
        conflicts = IntegerField(default=0)
        warnings = IntegerField(default=0)
        message = TextField(default="")

    class SyncChange(Table):
        run = ForeignKeyField(SyncRun)
        party = ForeignKeyField(Party, null=True)
        what = TextField()
        field = TextField(default="")
        old = TextField(default="")
        new = TextField(default="")

    class Trunk(Table):
        name = TextField(unique=True)

    class UnknownNumber(Table):
        site = TextField()
        partition = TextField()
        number = TextField()
        first_seen = BigIntegerField()
        last_seen = BigIntegerField()
        records = IntegerField()

        class Meta:
            primary_key = CompositeKey("site", "partition", "number")

    class UnknownTrunk(Table):
        pbx_id = IntegerField()
        device = TextField()
        first_seen = BigIntegerField()
        last_seen = BigIntegerField()
        records = IntegerField()

        class Meta:
            primary_key = CompositeKey("pbx_id", "device")

    Record.add_index(
        Record.index(
            Record.started_at, Record.pbx_id, Record.key_hash, unique=True, name="record_key"
        )
    )
    for name, column in (
        ("record_call_ref", Record.call_ref),
        ("record_orig_leg", Record.orig_leg),
        ("record_dest_leg", Record.dest_leg),
    ):
        Record.add_index(Record.index(column, Record.pbx_id, name=name).where(SQL("tied = 1")))

    db.create_tables(Table.__subclasses__())
