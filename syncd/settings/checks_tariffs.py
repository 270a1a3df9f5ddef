"""What must fit together in the sections about tariffs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from pathlib import Path

from syncd.domain.errors import Problem
from syncd.settings.model import TariffFile
from syncd.settings.parsed import Parsed, ParsedSection
from syncd.settings.values import nearest

Readable = Callable[[ParsedSection, str, Path | None], Iterator[Problem]]


def tariff_problems(parsed: Parsed, readable: Readable) -> Iterator[Problem]:
    """Yield what does not fit together; ``readable`` says what is wrong with a file."""
    exchange = parsed.one("exchange")
    yield from readable(exchange, "file", exchange.get("file"))
    with_holidays = (parsed.one("reports"), *parsed.of("site").values())
    for section in (*with_holidays, *parsed.of("bands").values()):
        yield from readable(section, "holiday_list", section.get("holiday_list"))
    for section in parsed.of("bands").values():
        if not section.values["bands"] and not any(
            name.startswith("band.") for name in section.raw.options
        ):
            yield section.problem("", "has no time band", "band.peak = Mon-Fri 08:00-18:30")
    for section in parsed.of("carrier").values():
        yield from _versions(section, "tariff", section.values["tariffs"], parsed, readable)
        yield from _versions(section, "incoming", section.values["incoming"], parsed, readable)
        currency = section.get("currency")
        known = ("", None, parsed.one("syncd").get("currency"))
        if currency not in known and "file" not in exchange.raw.options:
            hint = "[exchange] file = exchange.csv"
            yield section.problem("currency", f"nothing says what {currency} is worth", hint)


def _versions(
    section: ParsedSection,
    family: str,
    tariffs: tuple[tuple[str, TariffFile], ...],
    parsed: Parsed,
    readable: Readable,
) -> Iterator[Problem]:
    def place(pair: tuple[str, TariffFile]) -> tuple[str, str]:
        return pair[1].site, pair[1].trunk

    for version, tariff in tariffs:
        option = f"{family}.{version}"
        yield from readable(section, option, tariff.file)
        for kind, name in (("site", tariff.site), ("trunk", tariff.trunk)):
            known = list(parsed.of(kind))
            if name and name not in known:
                yield section.problem(
                    option, f"{name!r} is not a [{kind}:NAME]", nearest(name, known)
                )
    for _, alike in groupby(sorted(tariffs, key=place), key=place):
        ordered = sorted(alike, key=lambda pair: pair[1].valid_from)
        for (before, first), (after, second) in pairwise(ordered):
            if (
                first.valid_from == second.valid_from
                or (first.valid_to or second.valid_from) > second.valid_from
            ):
                what = f"overlaps {family}.{before}, both hold on {second.valid_from}"
                yield section.problem(f"{family}.{after}", what, "change a date")
