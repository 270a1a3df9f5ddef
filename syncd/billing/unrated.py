"""The texts that say why a leg has no price: a cause and, where there is one, how its number begins.

Both stand in one column of a call row, so that what is unrated can be listed by either.
"""

from __future__ import annotations

import re
from typing import NamedTuple

REASON_DIGITS = 5
"""Leading digits of a number that a reason shows: enough to find the missing row, while the last
digits, which some readers must not see, stay out."""
SHORTEST_E164 = 7
"""Digits that a number has at least: how many of a reason's digits a reader may see is reckoned as
if the number had no more."""

_FOR = re.compile(r"(.+?),? (?:for )?(prefix|short number) \+?(\d+)")


class Missing(NamedTuple):
    """Why there is no price, and for what: a prefix with ``+``, or a short number behind its calling
    code; both empty where the reason names none."""

    cause: str
    prefix: str = ""
    short_number: str = ""

    def shown_prefix(self, masked_digits: int) -> str:
        """Return prefix or short number as a reader gets it whose last digits of numbers are
        hidden: a prefix as if it were that of the shortest number that there is."""
        if self.short_number:
            shown = max(0, len(self.short_number) - masked_digits)
            return self.short_number[:shown].ljust(len(self.short_number), "*")
        digits = self.prefix[1:]
        shown = len(digits) if masked_digits <= 0 else max(0, SHORTEST_E164 - masked_digits)
        return self.prefix[: 1 + shown].ljust(len(self.prefix), "*")


def for_number(cause: str, e164: str, short_number: str = "", link: str = " for") -> str:
    """Return the reason for a cause, given the number in E.164 with the +, or the short number;
    ``link`` stands between them."""
    if e164:
        return f"{cause}{link} prefix {e164[: REASON_DIGITS + 1]}"
    return f"{cause}{link} short number {short_number}" if short_number else cause


def taken_apart(reason: str) -> Missing:
    """Return cause and prefix of a reason."""
    match = _FOR.fullmatch(reason)
    if match is None:
        return Missing(reason)
    if match[2] == "prefix":
        return Missing(match[1], f"+{match[3]}")
    return Missing(match[1], "", match[3])
