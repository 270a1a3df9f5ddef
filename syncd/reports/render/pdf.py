"""A report as pages to print: headings on each, wide tables across, long cells over several lines."""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, BinaryIO

from syncd.domain.errors import UserError
from syncd.reports.render.drawing import Box, Drawing, Words, drawn
from syncd.reports.render.logo import read_logo
from syncd.reports.render.options import OutputOptions, head_lines, moment, title_of
from syncd.reports.render.paper import BOLD, EM, PAGES, REGULAR, Paper
from syncd.reports.render.picture import Collector
from syncd.reports.render.screen import remarks, table_columns, total_texts
from syncd.reports.render.texts import clean, heading_of, shown
from syncd.reports.result import Column, Result

A4 = (595, 842)
"""Points, as all that follow."""
MARGIN = 36
LAYOUTS = ((False, 8), (True, 8), (True, 7), (True, 6))
"""Whether the paper lies across, and how large letters in tables are: the first that has room."""
SMALLEST = 6
GAP = 8
TITLE, TEXT, FOOT = 16, 9, 7
LOGO = (140, 48)
"""Points that a logo fills at most."""
MEASURED_ROWS = 300
"""Rows from which the widths of columns are taken."""
INK, SOFT, COLOUR = (27, 31, 36), (200, 205, 211), (47, 111, 171)
WHITE = 255


def write_pdf(result: Result, stream: BinaryIO, options: OutputOptions) -> None:
    """Write the pages. Raises UserError when packages, the logo or a font are missing."""
    with closing(Paper(options.fonts)) as paper:
        _Document(result, options, paper).write()
        stream.write(paper.pdf.output())


@dataclass(slots=True)
class _Layout:
    """Where columns stand: size of letters, left edges and widths in points."""

    size: int
    lefts: list[int]
    widths: list[int]

    @property
    def leading(self) -> int:
        return self.size + self.size // 3 + 1


class _Document:
    def __init__(self, result: Result, options: OutputOptions, paper: Paper) -> None:
        self.result, self.options, self.paper = result, options, paper
        self.columns = table_columns(result)
        self.headings = [clean(heading_of(column, result.currency)) for column in self.columns]
        self.title = title_of(result, options)
        self.y = 0
        self._layout = _Layout(SMALLEST, [], [])
        self._landscape = False

    def write(self) -> None:
        """Draw everything."""
        result, style = self.result, self.options.style
        pdf = self.paper.pdf
        pdf.set_title(self.title)
        pdf.set_author(clean(result.viewer))
        pdf.set_creator("syncd")
        pdf.set_lang("en")
        pdf.set_creation_date(moment(self.options.generated_at, self.options))
        rows: Iterable[dict[str, Any]] = result.rows
        picture = None
        if result.chart is not None:
            collector = Collector(result, style)
            rows = list(rows)
            for row in rows:
                collector.add(row)
            picture = collector.picture()
        texts = ([shown(c, row[c.name], style) for c in self.columns] for row in rows)
        first = list(islice(texts, MEASURED_ROWS))
        total = total_texts(result, self.columns, self.options)
        self._lay_out([*first, *([total] if total else [])])
        self._add_page()
        self._head()
        if picture is not None:
            self._draw(drawn(picture))
        count = self._table(chain(first, texts), total)
        self._notes(empty=not count)

    # The frame

    @property
    def _width(self) -> int:
        return A4[self._landscape] - 2 * MARGIN

    @property
    def _bottom(self) -> int:
        return A4[not self._landscape] - MARGIN - 14

    def _add_page(self) -> None:
        pdf, paper = self.paper.pdf, self.paper
        pdf.add_page("landscape" if self._landscape else "portrait")
        pdf.set_text_color(*INK)
        pdf.set_draw_color(*SOFT)
        pdf.set_line_width(1)
        foot = self._bottom + 18
        text = f"{self.title} · {clean(self.result.viewer)}"
        line = paper.wrap(text, self._width - 120, FOOT)[0]
        paper.draw(MARGIN, foot, line, FOOT)
        pdf.set_font("syncd", REGULAR, FOOT)
        pdf.set_xy(MARGIN, foot - FOOT)
        pdf.cell(self._width, FOOT + 2, f"Page {pdf.page_no()} of {PAGES}", align="R")
        paper.after_cell()
        self.y = MARGIN

    def _head(self) -> None:
        """Draw logo, title and what the report says about itself."""
        paper, width = self.paper, self._width
        if self.options.logo is not None:
            logo = read_logo(self.options.logo)
            right = MARGIN + width - LOGO[0]
            self._image(logo.content, right)
            width -= LOGO[0] + GAP
        self.y += TITLE
        for line in paper.wrap(self.title, width, TITLE, BOLD):
            paper.draw(MARGIN, self.y, line, TITLE, BOLD)
            self.y += TITLE + 4
        labels = 70
        for label, text in head_lines(self.result, self.options):
            paper.draw(MARGIN, self.y, label, TEXT)
            for line in paper.wrap(text, width - labels, TEXT):
                paper.draw(MARGIN + labels, self.y, line, TEXT)
                self.y += TEXT + 4
        if self.options.logo is not None:
            self.y = max(self.y, MARGIN + LOGO[1] + TEXT)
        self.y += GAP

    def _image(self, content: bytes, left: int) -> None:
        """Draw the logo. Raises UserError when it is damaged."""
        try:
            self.paper.pdf.image(io.BytesIO(content), left, MARGIN, *LOGO, keep_aspect_ratio=True)
        except (OSError, SyntaxError, ValueError) as error:
            raise UserError(
                f"[reports] logo {self.options.logo} cannot be read", "a PNG or JPEG that is whole"
            ) from error

    def _draw(self, drawing: Drawing) -> None:
        """Draw a picture across the page."""
        paper, pdf = self.paper, self.paper.pdf
        across = min(self._width, 620)
        height = drawing.height * across // drawing.width
        paper.draw(MARGIN, self.y + TEXT, drawing.heading, TEXT, BOLD)
        self.y += TEXT + GAP
        if self.y + height > self._bottom:
            self._add_page()
        size = max(SMALLEST, 13 * across // drawing.width)

        def place(units: int) -> int:
            return units * across // drawing.width

        for shape in drawing.shapes:
            if isinstance(shape, Words):
                x, y = MARGIN + place(shape.x), self.y + place(shape.y)
                if shape.anchor == "middle":
                    x -= paper.width(shape.text, size) // EM // 2
                paper.draw(x, y, shape.text, size, end=shape.anchor == "end")
            elif isinstance(shape, Box):
                # Between paper and colour, as a share of it would look.
                tint = [WHITE + (part - WHITE) * shape.strength // 100 for part in COLOUR]
                pdf.set_fill_color(*tint)
                x, y = MARGIN + place(shape.x), self.y + place(shape.y)
                wide, high = max(1, place(shape.width)), max(1, place(shape.height))
                if shape.strength:
                    pdf.rect(x, y, wide, high, style="F")
            else:
                pdf.set_draw_color(*(SOFT if shape.faint else COLOUR))
                pdf.polyline([(MARGIN + place(x), self.y + place(y)) for x, y in shape.points])
        pdf.set_draw_color(*SOFT)
        self.y += height + 2 * GAP

    # The table

    def _lay_out(self, rows: list[list[str]]) -> None:
        """Choose the direction of the paper, the size of letters and the widths of columns."""
        wanted: list[int] = []
        for self._landscape, size in LAYOUTS:
            wanted = self._wanted(rows, size)
            if sum(wanted) + GAP * (len(wanted) - 1) <= self._width:
                self._place(size, wanted)
                return
        room = self._width - GAP * (len(wanted) - 1)
        self._place(SMALLEST, _shared(wanted, self.columns, room))

    def _wanted(self, rows: list[list[str]], size: int) -> list[int]:
        """Return how wide each column would be, in points, with every cell on one line."""
        paper = self.paper
        found = []
        for place, heading in enumerate(self.headings):
            words = max(paper.width(word, size, BOLD) for word in heading.split() or [""])
            cells = max((paper.width(row[place], size, BOLD) for row in rows), default=0)
            found.append(-(-max(words, cells) // EM) + 1)
        return found

    def _place(self, size: int, widths: list[int]) -> None:
        lefts, left = [], MARGIN
        for width in widths:
            lefts.append(left)
            left += width + GAP
        self._layout = _Layout(size, lefts, widths)

    def _table(self, rows: Iterable[list[str]], total: list[str] | None) -> int:
        """Draw the rows, the headings above them on every page, and the totals; return how many
        rows there were."""
        self._row(self.headings, BOLD, repeat=False)
        self._rule()
        count = 0
        for texts in rows:
            count += 1
            self._row(texts)
        if total is not None:
            self._rule()
            self._row(total, BOLD)
        return count

    def _rule(self) -> None:
        right = self._layout.lefts[-1] + self._layout.widths[-1]
        y = self.y + 2
        self.paper.pdf.line(MARGIN, y, right, y)
        self.y += 3

    def _row(self, texts: list[str], style: str = REGULAR, *, repeat: bool = True) -> None:
        """Draw a row. It goes to a new page as a whole unless it is longer than one."""
        layout, paper = self._layout, self.paper
        cells = [
            paper.wrap(text, width, layout.size, style)
            for text, width in zip(texts, layout.widths, strict=True)
        ]
        height = max(map(len, cells)) * layout.leading
        if self.y + height > self._bottom and (
            height < self._bottom - 2 * MARGIN or self.y + layout.leading > self._bottom
        ):
            self._continue(repeat=repeat)
        for number in range(max(map(len, cells))):
            if self.y + layout.leading > self._bottom:
                self._continue(repeat=repeat)
            self.y += layout.leading
            for column, left, width, lines in zip(
                self.columns, layout.lefts, layout.widths, cells, strict=True
            ):
                if number >= len(lines):
                    continue
                right = column.kind.numeric
                x = left + width if right else left
                paper.draw(x, self.y, lines[number], layout.size, style, end=right)

    def _continue(self, *, repeat: bool) -> None:
        self._add_page()
        if repeat:
            self._row(self.headings, BOLD, repeat=False)
            self._rule()

    def _notes(self, *, empty: bool) -> None:
        """Write what the reader has to know beside the figures."""
        said = remarks(self.result, empty=empty)
        if self.paper.missing:
            codes = " ".join(f"U+{ord(one):04X}" for one in sorted(self.paper.missing)[:20])
            said.append(
                f"Characters that no font here has are shown as a question mark in a diamond: {codes}."
                " [reports] fonts takes a font that has them."
            )
        self.y += GAP
        for note in said:
            for line in self.paper.wrap(note, self._width, TEXT):
                if self.y + TEXT + 4 > self._bottom:
                    self._add_page()
                self.y += TEXT + 4
                self.paper.draw(MARGIN, self.y, line, TEXT)


def _shared(wanted: list[int], columns: tuple[Column, ...], room: int) -> list[int]:
    """Return widths that fit into a room together: texts give way before numbers do, and wide ones
    before narrow ones."""
    least = sum(width for width, column in zip(wanted, columns, strict=True) if column.kind.numeric)
    texts = [not column.kind.numeric for column in columns]
    if least > room * 2 // 3:
        texts, least = [True] * len(columns), 0
    left, widths = room - least, list(wanted)
    waiting = sorted((width, place) for place, width in enumerate(wanted) if texts[place])
    while waiting:
        width, place = waiting.pop(0)
        fair = left // (len(waiting) + 1)
        widths[place] = max(1, min(width, fair))
        left -= widths[place]
    return widths
