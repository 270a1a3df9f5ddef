"""A picture as shapes with whole coordinates, which SVG and PDF draw alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from syncd.reports.render.picture import Bars, HeatMap, Picture
from syncd.reports.render.table import width
from syncd.reports.render.texts import duration_text

WIDTH = 960
"""Units across; a text is 13 of them high."""
TEXT = 13
LABELS = 250
"""Units for the labels of bars, at most."""
VALUES = 150
BAR, PITCH = 16, 24
PLOT_HEIGHT = 260
CELL_HEIGHT = 26
LEFT = 90
MOST_TICKS = 5
MOST_TIMES = 12


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle; ``strength`` is its opacity in percent."""

    x: int
    y: int
    width: int
    height: int
    strength: int = 100
    title: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A text on its base line; ``anchor`` is ``start``, ``middle`` or ``end``."""

    x: int
    y: int
    text: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points; ``faint`` ones are there to be read by."""

    points: tuple[tuple[int, int], ...]
    faint: bool = False


Shape = Box | Words | Path


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes within a frame, later ones above."""

    heading: str
    width: int
    height: int
    shapes: tuple[Shape, ...]


def drawn(picture: Picture) -> Drawing:
    """Return a picture as shapes."""
    if isinstance(picture, HeatMap):
        return _map(picture)
    return _line(picture) if picture.over_time and len(picture.points) > 1 else _bars(picture)


def shortened(text: str, units: int) -> str:
    """Return a text that is no wider than so many units, as far as can be told without its font."""
    most = units * 100 // (TEXT * 60)
    if width(text) <= most:
        return text
    while text and width(text) >= most:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _bars(picture: Bars) -> Drawing:
    labels = min(LABELS, 20 + max(width(point.label) for point in picture.points) * 8)
    lowest = min(Decimal(0), *(point.value for point in picture.points))
    highest = max(Decimal(0), *(point.value for point in picture.points))
    place = _scale(lowest, highest, labels, WIDTH - VALUES)
    zero = place(Decimal(0))
    shapes: list[Shape] = []
    for row, point in enumerate(picture.points):
        y, end = row * PITCH + 4, place(point.value)
        label = shortened(point.label, labels - 10)
        shapes.append(Words(labels - 10, y + BAR - 3, label, "end"))
        # What is more than nothing is seen.
        long = max(1, abs(end - zero)) if point.value else 0
        begin = min(zero, end)
        shapes.append(Box(begin, y, long, BAR, title=f"{point.label}: {point.text}"))
        shapes.append(Words(max(zero, end) + 6, y + BAR - 3, point.text))
    height = len(picture.points) * PITCH + 4
    shapes.append(Path(((zero, 0), (zero, height)), faint=True))
    return Drawing(picture.heading, WIDTH, height, tuple(shapes))


def _line(picture: Bars) -> Drawing:
    values = [point.value for point in picture.points]
    ticks = _ticks(min(Decimal(0), *values), max(Decimal(0), *values))
    down = _scale(ticks[0], ticks[-1], PLOT_HEIGHT, 10)
    right, last = WIDTH - 30, len(values) - 1
    across = [LEFT + (right - LEFT) * place // last for place in range(len(values))]
    shapes: list[Shape] = []
    for tick in ticks:
        y = down(tick)
        text = duration_text(int(tick)) if picture.seconds else f"{tick:f}"
        shapes.append(Path(((LEFT, y), (right, y)), faint=True))
        shapes.append(Words(LEFT - 8, y + 4, text, "end"))
    step = -(-len(values) // MOST_TIMES)
    for place in range(0, len(values), step):
        label = shortened(picture.points[place].label, (right - LEFT) * step // len(values) + 20)
        shapes.append(Words(across[place], PLOT_HEIGHT + 22, label, "middle"))
    shapes.append(Path(tuple(zip(across, map(down, values), strict=True))))
    for x, point in zip(across, picture.points, strict=True):
        y = down(point.value)
        shapes.append(Box(x - 2, y - 2, 5, 5, title=f"{point.label}: {point.text}"))
    return Drawing(picture.heading, WIDTH, PLOT_HEIGHT + 30, tuple(shapes))


def _map(picture: HeatMap) -> Drawing:
    labels = 20 + max(width(label) for label in picture.rows) * 8
    labels = min(LABELS, labels)
    size = (WIDTH - labels) // len(picture.columns)
    highest = max(
        (point.value for row in picture.cells for point in row if point), default=Decimal(0)
    )
    shapes: list[Shape] = [
        Words(labels + size * place + size // 2, TEXT, shortened(label, size + 10), "middle")
        for place, label in enumerate(picture.columns)
    ]
    for row, (label, cells) in enumerate(zip(picture.rows, picture.cells, strict=True)):
        y = row * CELL_HEIGHT + TEXT + 8
        shapes.append(Words(labels - 10, y + 17, shortened(label, labels - 10), "end"))
        for place, point in enumerate(cells):
            share = 0
            if point is not None and highest > 0 and point.value > 0:
                share = max(4, int(point.value * 100 / highest))
            title = f"{label}, {picture.columns[place]}: {point.text if point else 0}"
            x = labels + size * place
            shapes.append(Box(x + 1, y + 1, size - 2, CELL_HEIGHT - 2, share, title))
    height = len(picture.rows) * CELL_HEIGHT + TEXT + 12
    return Drawing(picture.heading, WIDTH, height, tuple(shapes))


def _scale(lowest: Decimal, highest: Decimal, start: int, stop: int) -> Callable[[Decimal], int]:
    """Return what places values from ``lowest`` to ``highest`` between two coordinates."""
    span = highest - lowest or Decimal(1)

    def place(value: Decimal) -> int:
        return start + int((value - lowest) * (stop - start) / span)

    return place


def _ticks(lowest: Decimal, highest: Decimal) -> list[Decimal]:
    """Return round values, evenly apart, that reach around these two."""
    span = highest - lowest or Decimal(1)
    step = Decimal(10) ** (span / MOST_TICKS).adjusted()
    for factor in (1, 2, 5, 10):
        if span <= step * factor * MOST_TICKS:
            step *= factor
            break
    tick = (lowest / step).to_integral_value("ROUND_FLOOR") * step
    ticks = [tick]
    while tick < highest:
        tick += step
        ticks.append(tick)
    return [value.normalize() if value else Decimal(0) for value in ticks]
