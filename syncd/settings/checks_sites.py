"""What must fit together in the plans of sites: prefixes that would be taken for one another."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.domain.errors import Problem
from syncd.settings.parsed import Parsed, ParsedSection


def site_problems(parsed: Parsed) -> Iterator[Problem]:
    """Yield prefixes that mean two things at once."""
    networks: dict[str, str] = {}
    for name, section in parsed.of("site").items():
        yield from _private_prefix(section)
        prefix = section.get("network_prefix")
        if not prefix:
            continue
        if prefix in networks:
            what = f"{prefix!r} is the prefix of [site:{networks[prefix]}] too"
            yield section.problem("network_prefix", what, "each site has its own")
        networks.setdefault(prefix, name)
        if not section.get("internal_numbers"):
            what = "leads nowhere: the site has no internal_numbers"
            yield section.problem("network_prefix", what, "say which", warning=True)


def _private_prefix(section: ParsedSection) -> Iterator[Problem]:
    prefix, access_code = section.get("private_prefix"), section.get("access_code") or ""
    if not prefix:
        return
    if access_code and (prefix.startswith(access_code) or access_code.startswith(prefix)):
        what = f"{prefix!r} cannot be told from the access code {access_code!r}"
        yield section.problem("private_prefix", what, "such as 8 where the access code is 0")
    if not access_code:
        what = "stands before every number that begins with it: the site has no access code"
        yield section.problem(
            "private_prefix", what, "choose one with which no number begins, such as *8",
            warning=True,
        )  # fmt: skip
