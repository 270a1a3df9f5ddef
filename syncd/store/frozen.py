"""Records of which something was taken out, numbers of old calls or what named a person, or whose
relatives are gone, are *frozen*: they are never decided or rated again, which would give something
else than it did then. Their content is compared with nothing any more (hash 0)."""

from __future__ import annotations

FROZEN = 2
"""Value of ``record.provisional``."""

NOT_FROZEN = f"record.provisional <> {FROZEN}"
"""The condition on records that may be decided again."""
