"""What would mend it: for each reason why a record or a side is not billed, or a leg has no price."""

from __future__ import annotations

from syncd.billing import rating
from syncd.calls import analysis
from syncd.calls.attribution import AMBIGUOUS
from syncd.calls.excluding import EXCLUDED_NUMBER
from syncd.calls.pricing import UNKNOWN_TRUNK
from syncd.licensing import history

_MENDS = {
    analysis.BILLING_OFF: "turn billing on for the number of its holder in the directory",
    analysis.NOT_CONFIGURED: "give the number to somebody in the directory, or set"
    " automatic_acquisition = yes in [licensing]",
    analysis.NOT_INTERNAL: "give the number to somebody in the directory, or name it in"
    " internal_numbers of [site:{site}]",
    analysis.NO_DEVICE: "give the number to somebody in the directory",
    analysis.SHARED_PILOT: "nothing is wrong; a number of one's own would make its calls one's own",
    analysis.TO_VOICEMAIL_ONLY: "nothing is wrong; as an extension its outgoing calls would be billed",
    analysis.NO_LINE: "nothing, unless one of its devices is a phone that a [trunk:] section lists",
    analysis.INTERNAL_RULE: "import_internal = yes in [cdr:{source}]",
    analysis.RECORDER_RULE: "another role in the section of the trunk",
    EXCLUDED_NUMBER: "take the number out of excluded_numbers of [cdr:{source}]",
    AMBIGUOUS: "leave the number to one of them in the directory, or tell them apart by site or"
    " partition",
    history.FULL: "more slots in [licensing], or a slot that somebody gives up",
    rating.NO_CARRIER: "carrier in the section of the trunk",
    rating.NO_TARIFF: "a tariff version of the carrier that holds at that time",
    rating.NO_RATE: "a row of the rate deck with this prefix or a shorter one",
    rating.NO_SHORT_RATE: "a row of the rate deck with exactly this prefix",
    rating.NO_BAND_RATE: "a row of this prefix without a time band, or a band that has the time",
    rating.NO_EXCHANGE_RATE: "a line in the list of [exchange] of that day or an earlier one",
    rating.NOT_NORMALISED: "a rule.N of [site:{site}], or its codes and patterns",
    UNKNOWN_TRUNK: "a [trunk:] section that lists the device",
}


def mend(reason: str, source: str, site: str) -> str:
    """Return what would mend a reason, given the names of the CDR source and its site; an empty text
    when nothing is known to."""
    for known, text in _MENDS.items():
        if reason == known or reason.startswith(f"{known} "):
            return text.format(source=source, site=site)
    return ""
