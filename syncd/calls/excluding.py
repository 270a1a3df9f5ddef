"""Numbers whose calls are never stored (docs/rules.md 4.2; pure)."""

from __future__ import annotations

from syncd.domain.leg import Leg

EXCLUDED_NUMBER = "excluded number"

NOT_KEPT = "(the row is not kept: it may name an excluded number)"


def numbers_of(leg: Leg) -> tuple[str, ...]:
    """Return the numbers that take part in a record."""
    return (
        leg.calling_number,
        leg.original_number,
        leg.final_number,
        leg.redirecting_number,
        leg.hunt_pilot,
    )


def without_numbers(leg: Leg) -> Leg:
    """Return the leg without anything that says who called whom: such numbers are never stored."""
    return leg._replace(
        tied=0,
        calling_number="",
        calling_user="",
        orig_device="",
        original_number="",
        final_number="",
        final_user="",
        dest_device="",
        redirecting_number="",
        final_pattern="",
        hunt_pilot="",
        controller="",
        authorization_code="",
        matter_code="",
    )
