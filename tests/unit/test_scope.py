"""From a username to a viewer, as of now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.domain.errors import UsageError, UserError
from syncd.reports.scope import AccessDenied, Policy, open_door, resolve_viewer
from syncd.store.database import open_database
from syncd.store.models import AccessLog, Party


@pytest.fixture(autouse=True)
def database(tmp_path: Path) -> Iterator[None]:
    opened = open_database("sqlite:///x.db", tmp_path)
    yield
    opened.close()


def person(source: str = "corp", username: str = "eva", **fields: Any) -> int:
    values = {
        "external_id": f"{source}-{username}-{len(fields)}",
        "arrived_at": 0,
        "username_key": username.casefold(),
        "permission_level": 6,
        **fields,
    }
    return int(Party.create(source=source, username=username, **values).id)


def test_a_viewer_has_keys_not_names() -> None:
    party = person(
        department=" Sales  Team",
        cost_center="CC1",
        office_location="",
        additional_departments="Legal; ;ＬＡＷ",
        masked_digits=2,
    )
    viewer = resolve_viewer(" EVA ", "office_location")
    assert (viewer.name, viewer.party_id, viewer.level) == ("eva", party, 6)
    assert (viewer.department, viewer.cost_center, viewer.office_location) == (
        "sales team",
        "cc1",
        "",
    )
    assert viewer.additional_departments == ("legal", "law")
    assert (viewer.level6_basis, viewer.masked_digits) == ("office_location", 2)


def test_the_basis_is_the_persons_own_when_it_is_one() -> None:
    person(level6_basis="cost_center")
    person(username="max", level6_basis="team")
    assert resolve_viewer("eva", "department").level6_basis == "cost_center"
    assert resolve_viewer("max", "department").level6_basis == "department"


def test_two_sources_with_one_name_are_told_apart() -> None:
    corp, other = person("corp"), person("other")
    with pytest.raises(UsageError, match="corp:eva or other:eva"):
        resolve_viewer("eva", "department")
    assert resolve_viewer("corp:eva", "department").party_id == corp
    assert resolve_viewer("other:Eva", "department").party_id == other
    with pytest.raises(AccessDenied, match=r"^No billing data is available to third:eva\.$"):
        resolve_viewer("third:eva", "department")


def test_one_name_twice_in_a_source_is_told() -> None:
    person()
    person(external_id="another")
    for name in ("eva", "corp:eva"):
        with pytest.raises(UsageError, match="make the usernames of corp differ"):
            resolve_viewer(name, "department")


def test_a_username_may_hold_a_colon() -> None:
    party = person(username="corp:max")
    assert resolve_viewer("corp:max", "department").party_id == party


def test_who_departed_does_not_stand_in_the_way_of_the_name() -> None:
    person(departed_at=5)
    present = person(external_id="2")
    assert resolve_viewer("eva", "department").party_id == present


@pytest.mark.parametrize("name", ["", " ", ":", "corp:", "eva\nmax", "unknown"])
def test_nobody_is_denied(name: str) -> None:
    person(username="")
    with pytest.raises(AccessDenied) as caught:
        resolve_viewer(name, "department")
    assert "\n" not in str(caught.value)


def test_a_report_beyond_the_level_is_refused_and_not_logged() -> None:
    person()
    with pytest.raises(UserError, match="The report files is not available to eva") as caught:
        open_door("eva", "files", "", Policy(), 9)
    assert caught.value.exit_code == 1
    assert AccessLog.select().count() == 0


def test_a_door_is_logged_with_what_was_asked() -> None:
    person(permission_level=10)
    door = open_door("eva", "files", "failed", Policy(), 9)
    door.note_rows(4)
    entry = AccessLog.get()
    assert (entry.viewer, entry.level, entry.report) == ("eva", 10, "files")
    assert (entry.specification, entry.rows, entry.at) == ("failed", 4, 9)
