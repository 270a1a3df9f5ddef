"""The tables of call quality. Imported by ``models``, where everybody finds them."""

from __future__ import annotations

from peewee import BigIntegerField, CompositeKey, IntegerField, SmallIntegerField, TextField

from syncd.store.tables import Table


class CallQuality(Table):
    """What was measured at one end of a leg (``syncd.domain.quality.Quality`` has the meaning of its
    columns), with its file and row. It is tied to its record by call id and leg id when it is
    looked at, so that it does not matter which of the two comes first."""

    pbx_id = IntegerField()
    file_id = IntegerField(index=True)
    row = IntegerField()
    excluded = SmallIntegerField()
    """1: an excluded number takes part, and nothing says whose it was."""
    key_hash = BigIntegerField()
    """Signed 64-bit hash of (PBX identity, key)."""
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
    """A call of an excluded number, so that measurements which come later are left nameless too."""

    pbx_id = IntegerField()
    call_ref = BigIntegerField()
    started_at = BigIntegerField()
    ended_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("pbx_id", "call_ref", "started_at", "ended_at")
