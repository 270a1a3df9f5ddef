"""Sites as directories see them: with the numbering plan by which two spellings are one number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from syncd.settings.model import Settings, SiteSettings

if TYPE_CHECKING:
    from syncd.billing.numbering import Numbering


@dataclass(frozen=True)
class DirectorySite:
    """A ``[site:NAME]`` that compares numbers as attribution does.

    Two of the same settings have the same ``repr``: by it a source knows that nothing has changed.
    """

    settings: SiteSettings

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def internal_numbers(self) -> tuple[str, ...]:
        return self.settings.internal_numbers

    @property
    def country(self) -> str:
        return self.settings.country

    @property
    def area_code(self) -> str:
        return self.settings.area_code

    @property
    def international_code(self) -> str:
        return self.settings.international_code

    @property
    def codes(self) -> tuple[str, ...]:
        """See ``syncd.directory.claims.ComparesNumbers``."""
        return tuple(code for code, _ in self.settings.short_codes)

    def same(self, number: str) -> str:
        """See ``syncd.directory.claims.ComparesNumbers``."""
        return self._numbering.same(number) if self._numbering else ""

    @cached_property
    def _numbering(self) -> Numbering | None:
        # The numbering plans of the world take a while to load, and not every run compares.
        from syncd.application.preparation import numbering_plan
        from syncd.billing.numbering import Numbering

        try:
            return Numbering(numbering_plan(self.settings))
        except ValueError:  # there is no such country, which the check of the settings says
            return None


def directory_sites(settings: Settings) -> tuple[DirectorySite, ...]:
    """Return the sites of a configuration."""
    return tuple(map(DirectorySite, settings.sites.values()))


def names_of_sites(settings: Settings) -> Callable[[str, str], bool]:
    """Return whether the internal patterns of a site name a number: (site, number)."""
    from syncd.billing.plan import digit_patterns

    names = {
        name: digit_patterns(site.internal_numbers).fullmatch
        for name, site in settings.sites.items()
    }

    def named(site: str, number: str) -> bool:
        fits = names.get(site)
        return fits is not None and fits(number) is not None

    return named
