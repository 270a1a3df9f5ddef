"""What retention leaves of calls that are gone: their sums, and how many rows of each file went."""

# mypy: ignore-errors

from peewee import BigIntegerField, CompositeKey, IntegerField, Model, SmallIntegerField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class KeptSums(Table):
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

    class SealedDay(KeptSums):
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

    class SealedDestination(KeptSums):
        month = IntegerField()
        org_id = IntegerField()
        destination_id = IntegerField()
        class_ = SmallIntegerField(column_name="class")

        class Meta:
            primary_key = CompositeKey("month", "org_id", "destination_id", "class_")

    class SealedHour(KeptSums):
        month = IntegerField()
        org_id = IntegerField()
        weekday = SmallIntegerField()
        hour = SmallIntegerField()
        direction = SmallIntegerField()

        class Meta:
            primary_key = CompositeKey("month", "org_id", "weekday", "hour", "direction")

    class FileRetained(Table):
        file_id = IntegerField(primary_key=True)
        stored = IntegerField()
        excluded = IntegerField()
        not_billed = IntegerField()
        rejected = IntegerField()
        calls = IntegerField()
        late = IntegerField()

    db.create_tables([SealedDay, SealedDestination, SealedHour, FileRetained])
