"""What the national numbering plans say otherwise than libphonenumber's metadata.

Each line is a fact of the country's own plan, as its regulator publishes it.
"""

from __future__ import annotations

from typing import NamedTuple


class Corrections(NamedTuple):
    """Of one country; patterns match whole numbers."""

    emergency: str = ""
    """Short numbers of the emergency services."""
    kinds: tuple[tuple[str, str], ...] = ()
    """(kind of ``country.KINDS``, pattern of national numbers)."""
    bare: str = ""
    """National numbers that are dialled without the trunk prefix, although others need it."""


NONE = Corrections()

CORRECTIONS = {
    # CNMC: 061 health, 062 Guardia Civil, 080 and 085 fire, 088 regional police, 091 police, 092
    # local police. 905 is for televoting and contests, at a premium.
    "ES": Corrections("06[12]|08[058]|09[12]", (("premium_rate", r"905\d{6}"),)),
    # Ofcom: the service numbers 0842 to 0845 and 0870 to 0873 cost an access and a service charge;
    # premium rate begins at 09.
    "GB": Corrections(kinds=(("shared_cost", r"8(?:4[2-5]|7[0-3])\d{7}"),)),
    # MIC: 118 is the coast guard.
    "JP": Corrections("11[089]"),
    # ARCEP: 114 for who cannot speak, 115 shelter, 119 children in danger, 191 air, 196 sea rescue.
    "FR": Corrections("11[459]|19[16]"),
    # RTR: 128 gas, 140 mountain rescue.
    "AT": Corrections("128|140"),
    # AGCOM: 114 children in danger.
    "IT": Corrections("114"),
    # TDRA: services are dialled as 800…, 600…, 900…, without the 0 of areas and mobile phones.
    "AE": Corrections(bare=r"(?:[6-9]00)\d{2,9}"),
}


def corrections(region: str) -> Corrections:
    """Return the corrections for a country, given its two letters."""
    return CORRECTIONS.get(region, NONE)
