"""A report as a page that needs nothing beside itself: for a browser, a mail, a printer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import Any, TextIO

from syncd.reports.render.drawing import drawn
from syncd.reports.render.logo import read_logo
from syncd.reports.render.options import OutputOptions, counting_rule, head_lines, title_of
from syncd.reports.render.picture import Collector
from syncd.reports.render.screen import remarks, table_columns, total_texts
from syncd.reports.render.svg import svg
from syncd.reports.render.texts import clean, heading_of, shown
from syncd.reports.result import Column, Kind, Result

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #d5dae0; --soft: #f3f5f8;
  --bar: #2f6fab; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --paper: #14171b; --faint: #3a4149;
  --soft: #1e2329; --bar: #6aa7df; } }
body { margin: 0 auto; padding: 1.5rem; max-width: 90rem; color: var(--ink);
  background: var(--paper); font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
header img { float: right; max-height: 4rem; max-width: 16rem; }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 0 1.5rem; }
dt { opacity: .75; } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0 0 1.5rem; } figcaption { font-weight: 600; margin-bottom: .5rem; }
svg { width: 100%; max-width: 60rem; height: auto; font-size: 13px; fill: currentColor; }
svg .bar { fill: var(--bar); } svg polyline { fill: none; stroke: var(--bar); stroke-width: 2; }
svg polyline.faint { stroke: var(--faint); stroke-width: 1; }
.rows { overflow-x: auto; }
table { border-collapse: collapse; min-width: 50%; }
caption { text-align: left; padding-bottom: .5rem; opacity: .75; }
th, td { padding: .25rem .6rem; text-align: left; vertical-align: top; unicode-bidi: plaintext;
  overflow-wrap: break-word; max-width: 30rem; }
thead th { border-bottom: 2px solid var(--faint); position: sticky; top: 0;
  background: var(--paper); }
tbody tr:nth-child(even) { background: var(--soft); } tbody th { font-weight: 400; }
tfoot td, tfoot th { border-top: 2px solid var(--faint); font-weight: 600; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.t { white-space: nowrap; font-variant-numeric: tabular-nums; }
.notes { margin-top: 1.5rem; } .notes p { margin: .2rem 0; }
@media print { body { padding: 0; font-size: 10px; color: #000; background: #fff; }
  thead { display: table-header-group; } tr, figure { break-inside: avoid; }
  thead th { position: static; } .rows { overflow: visible; } @page { margin: 15mm; } }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none';"
    " form-action 'none'"
)
"""What the page may do in a browser: have this style and an image within itself, nothing else."""


def write_html(result: Result, stream: TextIO, options: OutputOptions) -> None:
    """Write a page. A list goes out row by row; rows that a picture shows are few and held."""
    title, columns = escape(title_of(result, options)), table_columns(result)
    stream.write(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n"
    )
    if options.logo is not None:
        logo = read_logo(options.logo)
        content = base64.b64encode(logo.content).decode()
        stream.write(f'<img src="data:{logo.media_type};base64,{content}" alt="">\n')
    stream.write(f"<h1>{title}</h1>\n<dl>\n")
    stream.writelines(
        f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>\n"
        for label, text in head_lines(result, options)
    )
    stream.write("</dl>\n</header>\n<main>\n")
    rows: Iterable[dict[str, Any]] = result.rows
    if result.chart is not None:
        rows = list(rows)
        _write_picture(stream, result, rows, options)
    written = _write_table(stream, result, columns, rows, options)
    said = remarks(result, empty=not written)
    if said:
        stream.write('<section class="notes" aria-label="Notes">\n')
        stream.writelines(f"<p>{escape(note)}</p>\n" for note in said)
        stream.write("</section>\n")
    stream.write("</main>\n</body>\n</html>\n")


def _write_picture(
    stream: TextIO, result: Result, rows: list[dict[str, Any]], options: OutputOptions
) -> None:
    collector = Collector(result, options.style)
    for row in rows:
        collector.add(row)
    picture = collector.picture()
    if picture is not None:
        caption = f"<figcaption>{escape(picture.heading)}</figcaption>"
        stream.write(f"<figure>\n{caption}\n{svg(drawn(picture))}</figure>\n")


def _write_table(
    stream: TextIO,
    result: Result,
    columns: tuple[Column, ...],
    rows: Iterable[dict[str, Any]],
    options: OutputOptions,
) -> int:
    """Write the table and return how many rows it has."""
    classes = [_class(column) for column in columns]
    label = escape(title_of(result, options))
    stream.write(f'<div class="rows" role="region" tabindex="0" aria-label="{label}">\n<table>\n')
    period = escape(dict(head_lines(result, options))["Period"])
    stream.write(f"<caption>{period}, {counting_rule(result)}</caption>\n<thead>\n<tr>")
    for column, look in zip(columns, classes, strict=True):
        heading = escape(clean(heading_of(column, result.currency)))
        stream.write(f'<th scope="col"{look}>{heading}</th>')
    stream.write("</tr>\n</thead>\n<tbody>\n")
    count = 0
    for row in rows:
        count += 1
        texts = [shown(column, row[column.name], options.style) for column in columns]
        stream.write(_line(texts, classes))
    stream.write("</tbody>\n")
    total = total_texts(result, columns, options)
    if total is not None:
        stream.write(f"<tfoot>\n{_line(total, classes)}</tfoot>\n")
    stream.write("</table>\n</div>\n")
    return count


def _class(column: Column) -> str:
    if column.kind.numeric:
        return ' class="n"'
    # A month would be broken at its hyphen.
    return "" if column.kind is Kind.TEXT and column.name != "month" else ' class="t"'


def _line(texts: list[str], classes: list[str]) -> str:
    first, *others = (escape(text) for text in texts)
    cells = "".join(
        f"<td{look}>{text}</td>" for look, text in zip(classes[1:], others, strict=True)
    )
    return f'<tr><th scope="row"{classes[0]}>{first}</th>{cells}</tr>\n'
