"""The operator's manual names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from syncd.daemon import jobs, results, service
from syncd.observe.metrics import Metrics

MANUAL = (Path(__file__).parents[2] / "docs" / "operation.md").read_text("utf-8")


def events() -> set[str]:
    """Return the events that the daemon logs, by the constants of its modules."""
    found = {*results.FILE_EVENTS.values(), *jobs.FAILED.values()}
    for module in (jobs, results, service):
        for name, value in vars(module).items():
            if (
                name.isupper()
                and isinstance(value, str)
                and re.fullmatch(r"[a-z]+(_[a-z]+)+", value)
            ):
                found.add(value)
    return found - {jobs.JOB_SKIPPED}  # at level debug alone


def test_every_event_is_explained() -> None:
    assert "daemon_started" in events()
    assert [event for event in sorted(events()) if f"`{event}`" not in MANUAL] == []


def test_the_alerts_name_metrics_that_exist() -> None:
    exposition = Metrics().exposition()[0].decode()
    named = set(re.findall(r"syncd_[a-z_]+(?=\{|\[| >)", MANUAL))
    assert len(named) >= 5
    families = {line.split()[2] for line in exposition.splitlines() if line.startswith("# TYPE")}
    assert named <= families


def test_options_that_need_a_restart_are_named() -> None:
    for option in service.NEED_RESTART:
        assert option.removeprefix("database_") in MANUAL
