"""Who is charged for calls that several people have to do with: the words of a site's policy."""

from __future__ import annotations

from dataclasses import dataclass

FORWARDED, TRANSFERRED, CONFERENCE = "forwarded", "transferred", "conference"
MOBILE, ACCOUNT_CODE, PLAIN = "mobile", "account_code", ""
"""What a record is to the question who pays; ``PLAIN``: who called does."""

LAST, FIRST, TRANSFEROR, HOLDER = "last", "first", "transferor", "holder"
CONTROLLER, MEMBERS, CALLING = "controller", "members", "calling"
CALLED, CALLER, PAYER = "called", "caller", "payer"

CHOICES = {
    FORWARDED: (LAST, FIRST, CALLING, CALLED),
    TRANSFERRED: (TRANSFEROR, HOLDER, CALLER),
    CONFERENCE: (CONTROLLER, MEMBERS, CALLER),
    MOBILE: (CALLED, CALLING),
    ACCOUNT_CODE: (PAYER, CALLING, CALLER),
}
"""Who may be named for each kind of record; the first is what holds without a policy."""

Parts = tuple[tuple[str, int], ...]
"""Who pays, and the percentage of each; they add up to 100."""


@dataclass(frozen=True, slots=True)
class Charging:
    """A site's policy: who pays for which kind of record. Empty: as without a policy."""

    forwarded: Parts = ()
    transferred: Parts = ()
    conference: Parts = ()
    mobile: Parts = ()
    account_code: Parts = ()
    private_codes: tuple[str, ...] = ()
    """Authorization codes that make a call private."""

    def parts(self, kind: str) -> Parts:
        """Return who pays for a kind of record, nothing where no policy says so."""
        return {
            FORWARDED: self.forwarded,
            TRANSFERRED: self.transferred,
            CONFERENCE: self.conference,
            MOBILE: self.mobile,
            ACCOUNT_CODE: self.account_code,
        }.get(kind, ())


NO_POLICY = Charging()


def policy_text(kind: str, parts: Parts) -> str:
    """Return a policy as it stands in the INI: ``charge_transferred = transferor 50, holder 50``."""
    shares = ", ".join(f"{who} {percent}" if len(parts) > 1 else who for who, percent in parts)
    return f"charge_{kind} = {shares}"
