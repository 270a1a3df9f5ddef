"""Work that makes many tuples and no cycles goes on without the cyclic garbage collector."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def without_collections() -> Iterator[None]:
    """Switch the cyclic garbage collector off: a batch, a sync or a report makes up to millions of
    small objects and no cycles, and looking through them for some took a fifth to two fifths of the
    time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
