"""A drawing as SVG that stands within a page: no colour and no style of its own."""

from __future__ import annotations

from html import escape

from syncd.reports.render.drawing import Box, Drawing, Path, Shape, Words


def svg(drawing: Drawing) -> str:
    """Return a drawing as an SVG element; its classes are ``bar``, ``line`` and ``faint``."""
    shapes = "\n".join(map(_shape, drawing.shapes))
    heading = escape(drawing.heading)
    return (
        f'<svg viewBox="0 0 {drawing.width} {drawing.height}" role="img" aria-label="{heading}">\n'
        f"{shapes}\n</svg>\n"
    )


def _shape(shape: Shape) -> str:
    if isinstance(shape, Words):
        return (
            f'<text x="{shape.x}" y="{shape.y}" text-anchor="{shape.anchor}">'
            f"{escape(shape.text)}</text>"
        )
    if isinstance(shape, Path):
        points = " ".join(f"{x},{y}" for x, y in shape.points)
        return f'<polyline class="{"faint" if shape.faint else "line"}" points="{points}"/>'
    return _box(shape)


def _box(box: Box) -> str:
    opacity = "" if box.strength == 100 else f' fill-opacity="{box.strength}%"'
    title = f"<title>{escape(box.title)}</title>" if box.title else ""
    return (
        f'<rect class="bar" x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}"'
        f"{opacity}>{title}</rect>"
    )
