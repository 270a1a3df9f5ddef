"""What must fit together in ``[retention]``: what is kept elsewhere makes a short span useless."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.domain.errors import Problem
from syncd.settings.parsed import Parsed

RATING = 92
"""Days after which a month's bill has come and was compared, and tariffs were mended."""


TWO_MONTHS = 62
"""Days."""


def retention_problems(parsed: Parsed) -> Iterator[Problem]:
    """Yield warnings about spans that do not do what they seem to."""
    section = parsed.one("retention")
    calls, cut = section.get("calls") or 0, section.get("truncate_numbers") or 0
    shortest = min((days for days in (calls, cut) if days), default=0)
    if not shortest:
        return
    named = "calls" if shortest == calls else "truncate_numbers"
    if cut and calls and cut >= calls:
        what = f"does nothing: after {calls} days the calls are gone"
        yield section.problem("truncate_numbers", what, "make it less than calls", warning=True)
    if parsed.of("cdr") and any(one.get("archive") for one in parsed.of("cdr").values()):
        archive = section.get("archive") or 0
        if not archive or archive > shortest:
            how_long = f"for {archive} days" if archive else "for ever"
            what = f"the archive keeps files with whole numbers {how_long}"
            yield section.problem("archive", what, f"archive = {shortest}", warning=True)
    rejects = section.get("rejects") or 0
    if not rejects or rejects > shortest:
        what = "rejected rows keep their text, with numbers in it, for longer"
        yield section.problem("rejects", what, f"rejects = {shortest}", warning=True)
    if shortest < RATING and parsed.of("carrier"):
        what = (
            f"calls cannot be rated again after {shortest} days, when the bill of their month may not"
            " have come"
        )
        yield section.problem(named, what, f"at least {RATING}", warning=True)
    if calls and calls < TWO_MONTHS and parsed.of("budget"):
        what = "budgets of a month look at calls of it and of the one before"
        yield section.problem("calls", what, f"at least {TWO_MONTHS}", warning=True)
    if calls and any(parsed.of(kind) for kind in ("allowance", "flat-charge")) and calls < RATING:
        what = "days of open months stay until they are closed, since their allowances need them"
        yield section.problem(
            "calls", what, "close each month with syncd period close", warning=True
        )
