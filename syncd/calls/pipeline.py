"""The one path from leg to row: batches of one CDR source."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.calls.basis import Basis
from syncd.calls.batch import Batch, BatchResult, ParsedFile
from syncd.cdr.parts import head_of


class Pipeline(Basis):
    """Takes batches. Every method must run inside a write transaction."""

    def take(self, files: Iterable[ParsedFile]) -> BatchResult:
        """Store a batch of files whose ledger rows exist."""
        batch = Batch(self)
        for file in files:
            batch.read(file)
            if batch.counters(file.file_id).rejected:
                batch.headers[file.file_id] = head_of(self.context.driver, file.data)
        batch.decide()
        return batch.finish()

    def decide_again(self, record_ids: Iterable[int]) -> BatchResult:
        """Decide the conversations of stored records of this PBX again, with the rules as they are:
        whose they are may have changed since."""
        batch = Batch(self)
        batch.reopen(record_ids)
        return batch.finish()
