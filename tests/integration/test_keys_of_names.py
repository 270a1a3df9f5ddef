"""Names that a database compares by their keys, beside the rules' own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.domain.party import name_key
from syncd.store.database import open_database
from syncd.store.dialect import blankless_key, rows_of

TEXTS = st.text(st.sampled_from("aB -~^][\t\n'ßKİéﬁ\x7f\u00a0") | st.characters(codec="utf-8"))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[None]:
    database = open_database("sqlite:///x.db", tmp_path)
    yield
    database.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(TEXTS.filter(lambda text: "\0" not in text))
def test_a_key_told_by_the_database_is_that_of_the_rules(opened: None, text: str) -> None:
    # As text: PostgreSQL has to be told what a parameter is.
    ((key,),) = rows_of(
        f"SELECT {blankless_key('said')} FROM (SELECT CAST(? AS text) AS said) AS t", text
    )
    usual = text.isascii() and (text.isprintable() or not text)
    assert key == (name_key(text).replace(" ", "") if usual else None)
