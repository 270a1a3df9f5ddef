"""The pipeline's result equals the simulator's truth, scenario by scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.store.models import File
from tests.support.simulated import differences, simulation


@pytest.mark.parametrize("driver", ["cucm", "cucm-partition"])
@pytest.mark.parametrize("acquisition", [False, True])
def test_calls_equal_the_truth(tmp_path: Path, driver: str, acquisition: bool) -> None:
    simulated = simulation(tmp_path, driver=driver, calls=3000, seed=7, acquisition=acquisition)
    application = simulated.application
    assert [unit.error for unit in application.sync()] == [None]
    assert [unit.error for unit in application.ingest()] == [None]
    found = differences(simulated, acquisition=acquisition)
    application.close()
    assert found == [], "\n".join(found[:20])


def test_ledger_adds_up(tmp_path: Path) -> None:
    simulated = simulation(tmp_path, driver="cucm", calls=500, seed=3)
    list(simulated.application.sync())
    list(simulated.application.ingest())
    with simulated.application.connected():
        files = list(File.select())
        for file in files:
            parts = file.stored + file.duplicate + file.excluded + file.not_billed + file.rejected
            assert file.read == parts
        assert sum(file.read for file in files) == len(simulated.truth_by_record)
    simulated.application.close()
