"""Who is looking."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewer:
    """A reader of call data, as of now.

    ``party_id`` is 0 for the local administrator. Keys are name keys (``name_key``); an empty key
    means the viewer has none, which matches nobody.
    """

    name: str
    party_id: int
    level: int
    level6_basis: str = "department"
    department: str = ""
    cost_center: str = ""
    office_location: str = ""
    additional_departments: tuple[str, ...] = ()
    masked_digits: int = 0


LOCAL_ADMINISTRATOR = Viewer(name="administrator", party_id=0, level=10)
