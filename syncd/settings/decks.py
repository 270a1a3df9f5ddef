"""The settings of carriers' rate decks after loading: typed, checked, frozen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeckSettings:
    """``[deck:NAME]``: the layout in which a carrier sends its prices."""

    name: str
    columns: tuple[tuple[str, str], ...]
    """Our column and the heading in the file, several joined by `` + ``."""
    constants: tuple[tuple[str, str], ...]
    """Our column and what all rows say in it."""
    sheet: str
    """Empty: the first with such a header."""
    delimiter: str
    """``auto | comma | semicolon | tab | pipe``."""
    encoding: str
    """``auto``, or its name."""
    decimal: str
    """``point | comma``."""
    amounts: str
    """``currency | cents``."""
    ranges: bool
    """Whether a hyphen in a prefix makes a range."""
    currency: str
    """What amounts must be in that name a currency; empty: whatever."""
