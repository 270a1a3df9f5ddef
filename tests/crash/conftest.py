"""What the sweeps share."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one: a company is put back there hundreds of times."""
    usable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    folder = Path(tempfile.mkdtemp(prefix="syncd-sweep-", dir=MEMORY if usable else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
