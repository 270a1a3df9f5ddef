"""A directory that says what it said before is not planned again, and nothing is overlooked by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.directory import sync as module
from syncd.directory.apply import directory_version
from syncd.directory.digest import Digest, fingerprint
from syncd.directory.sources.ldif import LdifSource
from syncd.directory.sync import SyncOutcome, sync_source
from syncd.domain.clock import FOREVER
from syncd.domain.party import PartyState
from syncd.store.database import set_meta
from syncd.store.models import Assignment, Party, PartyLock, SourceState, SyncRun
from tests.directory_settings import Site, directory_settings

NOW = 1_790_000_000
DAY = 86_400
pytestmark = pytest.mark.usefixtures("store")
Sync = Callable[..., SyncOutcome]


def entry(uid: str, number: str, unit: str = "Sales") -> str:
    return (
        f"dn: uid={uid},ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: {uid}\n"
        f"cn: {uid}\nentryUUID: 00000000-0000-0000-0000-{number.zfill(12)}\n"
        f"telephoneNumber: {number}\ndepartmentNumber: {unit}\n\n"
    )


def _digest(states: Iterable[PartyState]) -> int:
    digest = Digest()
    for state in states:
        digest.add(state)
    return digest.value


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that were compared with what is stored."""
    seen: list[str] = []
    real = module.load_narrowed

    def load(source: str, *rest: Any) -> Any:
        seen.append(source)
        return real(source, *rest)

    monkeypatch.setattr(module, "load_narrowed", load)
    return seen


@pytest.fixture
def sync(tmp_path: Path) -> Sync:
    file = tmp_path / "people.ldif"
    clock = [NOW]

    def run(*entries: str, after: int = 60, **options: Any) -> SyncOutcome:
        dry_run = options.pop("dry_run", False)
        clock[0] += after
        if entries:
            file.write_text("".join(entries))
        settings = directory_settings(type="ldif", file=file, **options)
        sites = [Site("hq", ("2XXX",))]
        source = LdifSource(settings)
        return sync_source(settings, source, sites, now=clock[0], dry_run=dry_run)

    return run


ANNA, BERT = entry("anna", "2001"), entry("bert", "2002")


def test_the_same_answer_in_another_order(sync: Sync, planned: list[str]) -> None:
    assert sync(ANNA, BERT).arrived == 2
    assert planned == ["corp"]
    for _ in range(2):
        outcome = sync(BERT, ANNA)
        assert (outcome.outcome, outcome.entries) == ("unchanged", 2)
        assert sync(dry_run=True).outcome == "unchanged"
    assert planned == ["corp"]
    assert [run.outcome for run in SyncRun.select().order_by(SyncRun.id)] == [
        "applied",
        "unchanged",
        "unchanged",
    ]
    assert SourceState.get().last_complete_at > SourceState.get().first_complete_at


def test_another_answer_is_planned(sync: Sync, planned: list[str]) -> None:
    sync(ANNA, BERT)
    assert sync(ANNA, entry("bert", "2002", "IT")).changed == 1
    assert sync().outcome == "unchanged"
    assert len(planned) == 2


@pytest.mark.parametrize(
    "options",
    [{"site": "hq"}, {"grace": DAY}, {"mapping": {"username": "cn", "display_name": "uid"}}],
)
def test_other_settings_are_planned(
    sync: Sync, planned: list[str], options: dict[str, Any]
) -> None:
    sync(ANNA, BERT)
    sync(**options)
    assert len(planned) == 2


def test_what_somebody_else_changed_is_planned(sync: Sync, planned: list[str]) -> None:
    sync(ANNA, BERT)
    Party.update(department="Legal").where(Party.username == "anna").execute()
    set_meta("directory_version", str(directory_version() + 1))
    assert sync().changed == 1
    assert Party.get(Party.username == "anna").department == "Sales"
    assert len(planned) == 2


def test_a_lock_is_planned(sync: Sync, planned: list[str]) -> None:
    sync(ANNA, BERT)
    PartyLock.create(party=Party.get(), field="department", reason="why not", since=NOW)
    sync()
    assert len(planned) == 2


def test_a_conflict_is_told_on_every_run(sync: Sync, planned: list[str]) -> None:
    twin = entry("bert", "2002").replace("telephoneNumber: 2002", "telephoneNumber: 2001")
    for _ in range(3):
        assert len(sync(ANNA, twin).conflicts) == 1
    assert len(planned) == 3


def test_a_grace_ends_without_a_word_from_the_directory(sync: Sync, planned: list[str]) -> None:
    carl = entry("carl", "2003")
    sync(ANNA, BERT, carl)
    assert sync(ANNA, BERT, grace=DAY).departed == 1
    sync(grace=DAY)
    assert sync(grace=DAY, after=DAY).closed == 1
    assert Assignment.select().where(Assignment.valid_to == FOREVER).count() == 4
    assert sync(grace=DAY).outcome == "unchanged"
    seen = len(planned)
    assert sync(grace=DAY).outcome == "unchanged"
    assert len(planned) == seen


def test_a_warning_of_an_entry_is_told_on_every_run(sync: Sync) -> None:
    odd = entry("carl", "2003").replace("telephoneNumber: 2003", "telephoneNumber: 20x3")
    for _ in range(3):
        assert ["20x3" in str(warning) for warning in sync(ANNA, odd).warnings] == [True]


fields = st.dictionaries(
    st.sampled_from(["department", "devices", "bill_fax", "masked_digits"]),
    st.one_of(st.text(max_size=3), st.booleans(), st.integers(0, 3), st.tuples(st.text())),
)
states = st.dictionaries(st.text(max_size=3), fields, max_size=4).map(
    lambda people: [PartyState(key, said) for key, said in people.items()]
)


@given(states, states)
def test_equal_digests_mean_equal_states(one: list[PartyState], two: list[PartyState]) -> None:
    def exact(people: list[PartyState]) -> set[str]:
        return {repr((person.external_id, [*person.fields.items()])) for person in people}

    assert (_digest(one) == _digest(two)) is (exact(one) == exact(two))


@given(states, st.randoms())
def test_the_order_of_people_does_not_matter(one: list[PartyState], random: Any) -> None:
    other = random.sample(one, len(one))
    assert _digest(one) == _digest(other)


def test_a_site_that_names_other_numbers_counts() -> None:
    settings = directory_settings()
    prints = {
        fingerprint(1, settings, [Site("hq", numbers)], {}, None)
        for numbers in (("2XXX",), ("2XXX", "3XXX"), ())
    }
    assert len(prints) == 3
