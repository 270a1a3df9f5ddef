"""What the schema of options is made of."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.settings.values import Kind


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its kind, its default as it would be written (None: it must be given; empty: not
    set), what it means, an example, and whether the sample INI sets it.

    With a ``key`` it is a family: ``tariff`` stands for ``tariff.2026`` and so on (the key is the
    example's), and its values are the tuple ``attribute``.
    """

    name: str
    kind: Kind
    default: str | None
    text: str
    example: str = ""
    active: bool = False
    key: str = ""
    attribute: str = ""

    @property
    def written(self) -> str:
        """The name as an INI has it."""
        return f"{self.name}.{self.key}" if self.key else self.name


@dataclass(frozen=True, slots=True)
class Section:
    """A kind of section; a named one is written ``[kind:NAME]``, any number of times."""

    kind: str
    text: str
    options: tuple[Option, ...]
    example: str = ""
    """Name in the sample INI; empty for a section without a name."""

    @property
    def title(self) -> str:
        return f"{self.kind}:NAME" if self.example else self.kind

    def option(self, name: str) -> Option | None:
        """Return the option of this name, or the family to which the name belongs."""
        for option in self.options:
            if name == option.name if not option.key else name.startswith(f"{option.name}."):
                return option
        return None
