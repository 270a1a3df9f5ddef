"""What the schema of options is made of."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.settings.values import Kind


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its kind, its default as it would be written (None: it must be given; empty: not
    set), what it means, an example, and whether the sample INI sets it.

    With a ``key`` it is a family: ``tariff`` stands for ``tariff.2026`` and so on (the key is the
    example's), and its values are the tuple ``attribute``. With ``key_first`` the key stands in
    front: ``permission_level`` for ``admins.permission_level``, and no name at all for ``admins``.
    """

    name: str
    kind: Kind
    default: str | None
    text: str
    example: str = ""
    active: bool = False
    key: str = ""
    attribute: str = ""
    key_first: bool = False

    @property
    def written(self) -> str:
        """The name as an INI has it."""
        return self.spelled(self.key) if self.key else self.name

    def spelled(self, key: str) -> str:
        """Return the name of a family's member as an INI has it."""
        if self.key_first:
            return f"{key}.{self.name}" if self.name else key
        return f"{self.name}.{key}"

    def key_of(self, written: str) -> str | None:
        """Return which member of the family a name is, None when it is none."""
        if not self.key_first:
            found = written.removeprefix(f"{self.name}.")
            return None if found == written else found
        key, _, name = written.partition(".")
        return key if key and name == self.name else None


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
            if name == option.name if not option.key else option.key_of(name) is not None:
                return option
        return None
