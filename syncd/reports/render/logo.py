"""The picture that an installation puts on its documents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from syncd.domain.errors import UserError

LARGEST = 2_000_000
"""Bytes: it is in every document."""
KINDS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""Media type by the bytes with which a file begins."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A PNG or JPEG."""

    content: bytes
    media_type: str


def read_logo(path: Path) -> Logo:
    """Return the logo of a file. Raises UserError when it cannot be read or is no such picture."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise UserError(f"[reports] logo {path}: {error.strerror}", "a PNG or JPEG") from error
    if len(content) > LARGEST:
        raise UserError(f"[reports] logo {path} is larger than 2 MB", "a smaller PNG or JPEG")
    for beginning, media_type in KINDS.items():
        if content.startswith(beginning):
            return Logo(content, media_type)
    raise UserError(f"[reports] logo {path} is neither a PNG nor a JPEG", "convert it")
