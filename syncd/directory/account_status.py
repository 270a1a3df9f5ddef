"""Whether an account of a directory is in use: what the attributes of the servers mean (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

STATUS_ATTRIBUTES = (
    "useraccountcontrol",
    "accountexpires",
    "nsaccountlock",
    "pwdaccountlockedtime",
)
ACCOUNT_DISABLED = 2
"""Bit of userAccountControl."""
_SECONDS_FROM_1601 = 11_644_473_600
_TICKS = 10_000_000
"""accountExpires counts 100 ns since 1601."""
_NEVER = (0, (1 << 63) - 1)


def account_in_use(attributes: Mapping[str, Sequence[str]], now: int) -> tuple[bool, str]:
    """Return whether the account is in use at ``now`` (epoch seconds), and which lower-cased
    attribute said that it is not. What cannot be read says nothing."""
    if not any(name in attributes for name in STATUS_ATTRIBUTES):
        return True, ""
    control = _number(attributes, "useraccountcontrol")
    if control is not None and control & ACCOUNT_DISABLED:
        return False, "useraccountcontrol"
    expires = _number(attributes, "accountexpires")
    if (
        expires is not None
        and expires not in _NEVER
        and expires // _TICKS - _SECONDS_FROM_1601 <= now
    ):
        return False, "accountexpires"
    if any(text.strip().casefold() == "true" for text in attributes.get("nsaccountlock", ())):
        return False, "nsaccountlock"
    if any(text.strip() for text in attributes.get("pwdaccountlockedtime", ())):
        return False, "pwdaccountlockedtime"
    return True, ""


def _number(attributes: Mapping[str, Sequence[str]], name: str) -> int | None:
    for text in attributes.get(name, ()):
        digits = text.strip()
        if digits.removeprefix("-").isdecimal() and digits.isascii() and len(digits) < 21:
            return int(digits)
    return None
