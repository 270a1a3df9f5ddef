"""Who takes what of several processes on one database, and what must be the same for all."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.application.composition import Application
from syncd.application.sharing import fingerprint, systems_here
from syncd.cli.main import main
from syncd.daemon.state import DaemonState, UnitState, WorkSignal
from syncd.demo.company import CompanyFiles, write_company
from syncd.demo.people import build_company
from syncd.domain.errors import ConfigurationError
from syncd.settings.load import load
from syncd.settings.schedule import Every
from syncd.store.nodes import shares

SYSTEMS = st.sets(st.sampled_from("abcdefgh"))
NODES = st.dictionaries(st.sampled_from(["m1", "m2", "m3", "m4"]), SYSTEMS, min_size=1)


@given(sees=NODES, holds=NODES)
def test_each_phone_system_is_one_process_that_sees_it(
    sees: dict[str, set[str]], holds: dict[str, set[str]]
) -> None:
    given_out = shares(sees, holds)
    assert given_out.keys() == sees.keys()
    times = Counter(pbx for share in given_out.values() for pbx in share)
    assert set(times) == set().union(*sees.values())
    assert set(times.values()) <= {1}
    assert all(share <= sees[node] for node, share in given_out.items())
    # Nobody could hand one on so that the two had more evenly many.
    for giver, share in given_out.items():
        for pbx in share:
            for taker in (node for node in sees if pbx in sees[node]):
                assert len(given_out[taker]) >= len(share) - 1 or taker == giver
    # What was worked out once stays so.
    assert shares(sees, given_out) == given_out


@given(machines=st.integers(1, 5), systems=st.integers(0, 12), gone=st.integers(0, 4))
def test_who_stays_keeps_what_it_has(machines: int, systems: int, gone: int) -> None:
    everything = {f"pbx{number}" for number in range(systems)}
    sees = {f"m{number}": everything for number in range(machines)}
    before = shares(sees, {})
    sizes = [len(share) for share in before.values()]
    assert max(sizes) - min(sizes) <= 1
    left = {node: seen for node, seen in sees.items() if node != f"m{gone}"}
    if left:
        after = shares(left, before)
        assert all(before[node] <= after[node] for node in left)


@pytest.fixture
def company(tmp_path: Path) -> CompanyFiles:
    return write_company(tmp_path / "company", build_company(size=24, seed=1))


def add(files: CompanyFiles, text: str) -> None:
    with files.ini.open("a", encoding="utf-8") as ini:
        ini.write(text)


def test_the_fingerprint_is_of_what_decides_about_calls(company: CompanyFiles) -> None:
    first = fingerprint(load(company.ini))
    add(company, "\n[daemon]\nroles = intake\n[logging]\nlevel = debug\n")
    text = company.ini.read_text()
    company.ini.write_text(text.replace("state_directory = state", "state_directory = other"))
    assert fingerprint(load(company.ini)) == first
    company.tariff.write_text(company.tariff.read_text() + "\n")
    second = fingerprint(load(company.ini))
    assert second != first
    company.ini.write_text(company.ini.read_text().replace("access_code = 0", "access_code = 9"))
    assert fingerprint(load(company.ini)) not in (first, second)


def test_a_folder_of_another_machine_is_read_there(
    company: CompanyFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    text = company.ini.read_text()
    here = socket.gethostname()

    def bound(host: str) -> None:
        company.ini.write_text(text.replace("[cdr:hq]\n", f"[cdr:hq]\nhost = {host}\n"))

    for host, seen in ((here, {"hq"}), (here.partition(".")[0], {"hq"}), ("elsewhere", set())):
        bound(host)
        assert systems_here(load(company.ini)) == seen
    application = Application.open(load(company.ini))
    try:
        assert list(application.ingest()) == []
        [unit] = application.ingest("hq")
        assert isinstance(unit.error, ConfigurationError)
        said = str(unit.error)
        assert "[cdr:hq] host: the folder is one of elsewhere, where its daemon reads it" in said
        assert f"this is {here}" in said
    finally:
        application.close()
    (company.drop / "cdr_StandAloneCluster_01_202605282027_1").write_text("one")
    assert main(["--config", str(company.ini), "files", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    (company.drop / "cdr_StandAloneCluster_01_202605282027_1").unlink()
    company.drop.rmdir()
    bound(here)
    assert systems_here(load(company.ini)) == set()


def test_a_unit_that_another_process_has_taken_over_stops() -> None:
    state = DaemonState(ZoneInfo("UTC"))
    unit = UnitState("ingest", "hq", Every(30))
    state.replace([unit], ZoneInfo("UTC"))
    taken = threading.Event()
    signal = WorkSignal(state, "ingest", "hq", threading.Event(), taken.is_set)
    assert not signal.is_set()
    taken.set()
    assert signal.is_set()
    assert "0/1 folders read" in state.status()
    state.fail("ingest", "hq", 1, "held by another process")
    state.move(lambda kind, name: True)
    assert state.elsewhere() == {("ingest", "hq")}
    assert "0/0 folders read" in state.status()
    assert state.readiness(10**9) == (True, {})
