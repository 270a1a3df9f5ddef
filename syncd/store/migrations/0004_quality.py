"""Call quality, and which calls are of excluded numbers."""

# mypy: ignore-errors

from peewee import BigIntegerField, CompositeKey, IntegerField, Model, SmallIntegerField, TextField


def up(migrator, db):
    class Table(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class CallQuality(Table):
        pbx_id = IntegerField()
        file_id = IntegerField(index=True)
        row = IntegerField()
        excluded = SmallIntegerField()
        key_hash = BigIntegerField()
        ended_at = BigIntegerField()
        key = TextField()
        content_hash = BigIntegerField()
        call_ref = BigIntegerField()
        leg = BigIntegerField()
        device = TextField()
        codec = TextField()
        duration = BigIntegerField()
        packets_sent = BigIntegerField()
        octets_sent = BigIntegerField()
        packets_received = BigIntegerField()
        octets_received = BigIntegerField()
        packets_lost = BigIntegerField()
        jitter = BigIntegerField()
        latency = BigIntegerField()
        score = IntegerField(null=True)
        score_average = IntegerField(null=True)
        score_minimum = IntegerField(null=True)
        score_maximum = IntegerField(null=True)
        concealment = IntegerField(null=True)
        concealed_seconds = IntegerField(null=True)
        severely_concealed_seconds = IntegerField(null=True)
        metrics = TextField()

        class Meta:
            indexes = (
                (("ended_at", "pbx_id", "key_hash"), True),
                (("call_ref", "pbx_id"), False),
            )

    class QualityExcluded(Table):
        pbx_id = IntegerField()
        call_ref = BigIntegerField()
        started_at = BigIntegerField()
        ended_at = BigIntegerField()

        class Meta:
            primary_key = CompositeKey("pbx_id", "call_ref", "started_at", "ended_at")

    db.create_tables([CallQuality, QualityExcluded])
    db.execute_sql(
        "INSERT INTO quality_excluded (pbx_id, call_ref, started_at, ended_at)"
        " SELECT DISTINCT pbx_id, call_ref, started_at, ended_at FROM record"
        " WHERE outcome = 1 AND reason = 'excluded number' AND call_ref <> 0"
    )
