"""Paper: texts of any script on the pages of a PDF, measured, wrapped and drawn.

The fonts that come with syncd know Latin, Greek, Cyrillic, Arabic, Armenian, Georgian and Hebrew or
most of it. For other scripts there are those of the settings, or of the system; a character that no
font has is drawn as U+FFFD, and counted.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.domain.errors import UserError

try:
    import uharfbuzz  # noqa: F401
    from fontTools.ttLib import TTFont
    from fpdf import FPDF
except ImportError as error:
    raise UserError(
        "PDF needs packages that are not installed", "pip install 'syncd[pdf]'"
    ) from error

if TYPE_CHECKING:
    from fpdf.fonts import TTFFont

FAMILY = "syncd"
REGULAR, BOLD = "", "B"
OWN = {REGULAR: "DejaVuSansCondensed.ttf", BOLD: "DejaVuSansCondensed-Bold.ttf"}
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
INTRICATE = "\u0590"
"""From here on scripts can run from right to left, and letters can take each other's shape."""
PAGES = "\ue000pages\ue001"
"""Stands for the number of pages until it is known; no name can have it."""
EM = 1000
"""Units in which fonts measure."""

_FOLDER = "/usr/share/fonts"
SYSTEM_FONTS = (
    f"{_FOLDER}/opentype/noto/NotoSansCJK-Regular.ttc",
    f"{_FOLDER}/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    f"{_FOLDER}/google-noto-cjk/NotoSansCJK-Regular.ttc",
    f"{_FOLDER}/noto-cjk/NotoSansCJK-Regular.ttc",
    f"{_FOLDER}/truetype/wqy/wqy-microhei.ttc",
    f"{_FOLDER}/truetype/droid/DroidSansFallbackFull.ttf",
    f"{_FOLDER}/truetype/noto/NotoSansDevanagari-Regular.ttf",
    f"{_FOLDER}/truetype/noto/NotoSansThai-Regular.ttf",
    f"{_FOLDER}/truetype/noto/NotoEmoji-Regular.ttf",
)
"""Fonts for other scripts where distributions put them."""

# What the subsetting of fonts has to say is not for who asked for a report.
for _name in ("fpdf", "fontTools"):
    logging.getLogger(_name).setLevel(logging.ERROR)


class Paper:
    """The pages, in points from the upper left corner."""

    def __init__(self, fonts: Sequence[Path]) -> None:
        """Take the fonts for what the own ones have not: those of the settings, else the system's."""
        self.pdf = FPDF(unit="pt", format="A4")
        self.pdf.set_auto_page_break(False)
        self.pdf.set_margin(0)
        self.pdf.c_margin = 0
        self.pdf.alias_nb_pages(PAGES)
        self.missing: set[str] = set()
        """Characters that no font has."""
        self._waiting = [*(fonts or [path for path in map(Path, SYSTEM_FONTS) if path.exists()])]
        self._fallbacks: list[TTFFont] = []
        self._own: dict[str, TTFFont] = {}
        self._known: dict[str, set[str]] = {}
        self._widths: dict[str, dict[str, int]] = {REGULAR: {}, BOLD: {}}
        for style, name in OWN.items():
            with as_file(files("syncd.reports.render") / "fonts" / name) as path:
                self.pdf.add_font(FAMILY, style, path)
            self._own[style] = self._font(f"{FAMILY}{style}")
            self._known[style] = {chr(code) for code in self._own[style].cmap}

    def close(self) -> None:
        """Close the files of the fonts."""
        for font in self.pdf.fonts.values():
            font.ttfont.close()  # type: ignore[union-attr]

    def _font(self, key: str) -> TTFFont:
        font: TTFFont = self.pdf.fonts[key]  # type: ignore[assignment]
        return font

    def width(self, text: str, size: int, style: str = REGULAR) -> int:
        """Return how wide a text is, in thousandths of a point."""
        widths = self._widths[style]
        try:
            units = sum([widths[character] for character in text])
        except KeyError:
            units = sum(self._width_of(character, style) for character in text)
        return units * size

    def _width_of(self, character: str, style: str) -> int:
        widths = self._widths[style]
        if character not in widths:
            widths[character] = int(self._font_of(character, style).cw[ord(character)])
        return widths[character]

    def _font_of(self, character: str, style: str) -> TTFFont:
        """Return the font that has a character, after loading what may have it."""
        if character in self._known[style]:
            return self._own[style]
        while True:
            for font in self._fallbacks:
                if ord(character) in font.cmap:
                    return font
            if not self._waiting:
                return self._own[style]
            self._load(self._waiting.pop(0))

    def _load(self, path: Path) -> None:
        name = f"other{len(self._fallbacks)}"
        try:
            with path.open("rb") as stream:
                TTFont(
                    stream, lazy=True, fontNumber=0
                )  # of one that is none it leaves the file open
            self.pdf.add_font(name, REGULAR, path)
            self._fallbacks.append(self._font(name))
            self.pdf.set_fallback_fonts(
                [f"other{place}" for place in range(len(self._fallbacks))], exact_match=False
            )
        except Exception as error:
            # Whatever is wrong with a file: fontTools tells it in a dozen ways.
            raise UserError(
                f"[reports] fonts {path}: it cannot be read as a font", "a TTF, OTF or TTC"
            ) from error

    def _drawable(self, text: str, style: str) -> str:
        """Return a text with U+FFFD for what no font has."""
        found = []
        for character in text:
            font = self._font_of(character, style)
            if ord(character) in font.cmap or character in "\u200c\u200d\ufe0e\ufe0f":
                found.append(character)
            else:
                self.missing.add(character)
                found.append(UNKNOWN)
        return "".join(found)

    def draw(
        self, x: int, y: int, text: str, size: int, style: str = REGULAR, *, end: bool = False
    ) -> None:
        """Draw a text on the base line ``y`` from ``x``, or up to it with ``end``."""
        if not text:
            return
        if not self._known[style].issuperset(text):
            text = self._drawable(text, style)
        self.pdf.set_font(FAMILY, style, size)
        if max(text) < INTRICATE and self._known[style].issuperset(text):
            if end:
                x -= -(-self.width(text, size, style) // EM)
            self.pdf.text(x, y, text)
            return
        self.pdf.set_text_shaping(use_shaping_engine=True)
        try:
            if end:
                x -= int(self.pdf.get_string_width(text)) + 1
            # A cell stands its text three tenths of it below its middle.
            self.pdf.set_xy(x, y - 3 * size / 10)
            self.pdf.cell(None, 0, text)
        finally:
            self.pdf.set_text_shaping(use_shaping_engine=False)
            self.after_cell()

    def after_cell(self) -> None:
        """Say the font again before the next text: what a cell says of it ends with the cell."""
        self.pdf.current_font_is_set_on_page = False

    def wrap(self, text: str, points: int, size: int, style: str = REGULAR) -> list[str]:
        """Return a text as lines that are no wider, broken between words, and within those that are
        wider by themselves."""
        most = points * EM
        if self.width(text, size, style) <= most:
            return [text]
        lines, line = [], ""
        for word in text.split(" "):
            wider = f"{line} {word}" if line else word
            if self.width(wider, size, style) <= most:
                line = wider
                continue
            if line:
                lines.append(line)
            line = word
            while self.width(line, size, style) > most and len(line) > 1:
                kept = self._that_fit(line, most, size, style)
                lines.append(line[:kept])
                line = line[kept:]
        return [*lines, line]

    def _that_fit(self, text: str, most: int, size: int, style: str) -> int:
        """Return how many characters fit, one at least."""
        used = 0
        for place, character in enumerate(text):
            used += self._width_of(character, style) * size
            if used > most:
                return max(1, place)
        return len(text)
