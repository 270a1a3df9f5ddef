"""The key of names: texts of ASCII alone are worked out faster, and are the same."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from syncd.domain.party import name_key


@given(st.text(st.characters(max_codepoint=127)) | st.text())
def test_a_key_is_folded_and_its_blanks_are_one(text: str) -> None:
    assert name_key(text) == " ".join(unicodedata.normalize("NFKC", text).casefold().split())
