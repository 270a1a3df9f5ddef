"""How a record ended, from its causes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.calls.disposition import disposition_of, q850
from syncd.domain.codes import Disposition
from syncd.domain.leg import SPLIT
from tests.support.legs import make_leg

SIP = [
    (16777257, 41),
    (83886081, 1),
    (150995046, 102),
    (1073741842, 18),
    (1157627905, 1),
    (1174405137, 17),
    (1459617833, 41),
    (1509949567, 127),
    (2701131793, 17),
    (2717909013, 21),
]
"""What SIP peers send, and the Q.850 cause in it."""


@pytest.mark.parametrize(("cause", "code"), [(0, 0), (16, 16), (127, 127), (155, 155), *SIP])
def test_q850(cause: int, code: int) -> None:
    assert q850(cause) == code
    assert q850(cause - 2**32) == code


@pytest.mark.parametrize(
    ("orig", "dest", "word"),
    [
        (16, 0, "cancelled"),
        (31, 0, "cancelled"),
        (0, 17, "busy"),
        (17, 0, "busy"),
        (0, 1174405137, "busy"),
        (0, 2701131793, "busy"),
        (0, 18, "no-answer"),
        (0, 19, "no-answer"),
        (0, 20, "no-answer"),
        (0, 102, "no-answer"),
        (0, 1073741842, "no-answer"),
        (0, 16, "no-answer"),
        (0, 0, "no-answer"),
        (16, 19, "no-answer"),
        (0, 1, "failed"),
        (1, 0, "failed"),
        (0, 3, "failed"),
        (28, 0, "failed"),
        (0, 21, "failed"),
        (0, 22, "failed"),
        (0, 34, "failed"),
        (0, 38, "failed"),
        (0, 47, "failed"),
        (0, 1459617833, "failed"),
        (0, 131, "failed"),
        (SPLIT, SPLIT, "no-answer"),
        (SPLIT, 17, "busy"),
        (16, SPLIT, "no-answer"),
    ],
)
def test_records_that_were_never_connected(orig: int, dest: int, word: str) -> None:
    assert disposition_of(make_leg(orig_cause=orig, dest_cause=dest)).word == word


CAUSES = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 16, SPLIT]))


@given(orig=CAUSES, dest=CAUSES, connected=st.integers(1, 2**31))
def test_whatever_the_causes_connected_is_answered(orig: int, dest: int, connected: int) -> None:
    leg = make_leg(orig_cause=orig, dest_cause=dest, connected_at=connected)
    assert disposition_of(leg) is Disposition.ANSWERED
    assert disposition_of(leg._replace(connected_at=0)) in (
        Disposition.NO_ANSWER,
        Disposition.BUSY,
        Disposition.CANCELLED,
        Disposition.FAILED,
    )
