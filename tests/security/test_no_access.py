"""Who has no access gets one sentence, whatever the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncd.domain.errors import UserError
from syncd.reports.scope import Policy, open_door
from syncd.store.database import open_database
from syncd.store.models import AccessLog, Party
from tests.security.companies import END

POLICY = Policy("cost_center")


@pytest.mark.parametrize("change", ["level", "unknown", "disabled", "departed", "place", "odd"])
def test_without_access_there_is_one_sentence(change: str, tmp_path: Path) -> None:
    database = open_database("sqlite:///x.db", tmp_path)
    fields = {
        "level": {"permission_level": 0},
        "unknown": {"username_key": "somebody else"},
        "disabled": {"enabled": False},
        "departed": {"departed_at": 5},
        "place": {"kind": "place"},
        "odd": {"permission_level": 7},
    }[change]
    Party.create(
        **{
            "source": "corp",
            "external_id": "1",
            "arrived_at": 0,
            "username": "eva",
            "username_key": "eva",
            "permission_level": 10,
            **fields,
        }
    )
    for report in ("calls", "by-person", "files"):
        with pytest.raises(UserError) as caught:
            open_door("Eva", report, "", POLICY, END)
        assert str(caught.value) == "No billing data is available to Eva."
        assert caught.value.exit_code == 1
    assert AccessLog.select().count() == 0
    database.close()
