"""Pages: their numbers and headings, long cells, wide tables, names in other scripts, the logo."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from syncd.domain.errors import UserError
from syncd.reports.render import paper
from syncd.reports.render.outputs import OUTPUTS, rendered
from syncd.reports.result import Column
from tests.support.read_outputs import read_html, read_pdf, squeezed
from tests.support.results import OPTIONS, result_of, row


def pages(rows: list[dict[str, Any]], options: Any = OPTIONS, **more: Any) -> list[str]:
    return read_pdf(rendered(result_of(rows, **more), OUTPUTS["pdf"], options))


def font(path: Path, character: str) -> Path:
    """Write a font that has one character, a square."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(character): "square"})
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(point)
    pen.closePath()
    glyph = pen.glyph()
    builder.setupGlyf({".notdef": glyph, "square": glyph})
    builder.setupHorizontalMetrics({".notdef": (800, 0), "square": (800, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Square", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


def test_every_page_has_headings_and_its_number() -> None:
    found = pages([row(f"person {number}") for number in range(200)], totals={"calls": 600})
    assert len(found) > 2
    for number, text in enumerate(found, 1):
        assert f"Page {number} of {len(found)}" in text
        assert squeezed("Person Day Started Calls Duration Cost") in squeezed(text)
    everything = squeezed("".join(found))
    places = [everything.index(f"person{number}2026-01-31") for number in range(200)]
    assert places == sorted(places)
    assert squeezed("Total 600") in squeezed(found[-1])


def test_a_long_cell_goes_over_pages_and_nothing_of_it_is_lost() -> None:
    text = "".join(f"{number:05d}" for number in range(8_000))
    found = pages([row("before"), row(text), row("after")])
    assert len(found) > 3
    assert "after" in found[-1]
    digits = "".join(character for character in "".join(found) if character.isdigit())
    for number in (0, 1_000, 7_990):
        assert f"{number:05d}{number + 1:05d}" in digits


def test_wide_tables_lie_across_and_share_the_room() -> None:
    columns = tuple(Column(f"c{place}", f"Heading {place}") for place in range(14))
    wide = {f"c{place}": f"value{place} and some more words of it" for place in range(14)}
    content = rendered(result_of([wide], columns), OUTPUTS["pdf"], OPTIONS)
    box = pypdf.PdfReader(io.BytesIO(content)).pages[0].mediabox
    assert box.width > box.height
    text = squeezed(read_pdf(content)[0])
    assert all(f"value{place}" in text for place in range(14))
    narrow = rendered(result_of([row()]), OUTPUTS["pdf"], OPTIONS)
    box = pypdf.PdfReader(io.BytesIO(narrow)).pages[0].mediabox
    assert box.width < box.height


def test_what_no_font_has_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "SYSTEM_FONTS", ())
    [text] = pages([row("山"), row("Дмитрий Łukasz")])
    assert "\ufffd" in text
    assert "Дмитрий Łukasz" in text
    assert "U+5C71" in text


def test_a_font_of_the_settings_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "SYSTEM_FONTS", ())
    options = replace(OPTIONS, fonts=(font(tmp_path / "square.ttf", "山"),))
    [text] = pages([row("a山b"), row("plain after it")], options)
    assert "\ufffd" not in text
    assert "a山b" in squeezed(text)
    assert "plain after it" in text, "a text after another font is in its own again"
    assert "U+" not in text


def test_a_font_of_the_system_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = font(tmp_path / "square.ttf", "山")
    monkeypatch.setattr(paper, "SYSTEM_FONTS", (str(tmp_path / "none.ttf"), str(path)))
    [text] = pages([row("山")])
    assert "山" in text


def test_names_from_right_to_left() -> None:
    [text] = pages([row("مرحبا"), row("שלום")])
    assert "\ufffd" not in text
    # A reader may give them in the order in which they stand.
    assert "שלום" in text or "םולש" in text


def test_a_file_that_is_no_font(tmp_path: Path) -> None:
    path = tmp_path / "x.ttf"
    path.write_text("no font", encoding="utf-8")
    with pytest.raises(UserError, match=r"\[reports\] fonts .*x.ttf"):
        pages([row("山")], replace(OPTIONS, fonts=(path,)))


def test_without_the_packages_it_is_said_which(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("syncd.reports.render.pdf", "syncd.reports.render.paper"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "fpdf", None)
    with pytest.raises(UserError) as caught:
        pages([row()])
    assert "pip install 'syncd[pdf]'" in caught.value.hint


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_logo(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "logo"
    Image.new("RGB", (40, 20), "navy").save(path, kind)
    options = replace(OPTIONS, logo=path)
    content = rendered(result_of([row()]), OUTPUTS["pdf"], options)
    assert len(pypdf.PdfReader(io.BytesIO(content)).pages[0].images) == 1
    page = read_html(rendered(result_of([row()]), OUTPUTS["html"], options))
    [source] = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert source.startswith(f"data:image/{kind.lower()};base64,")


@pytest.mark.parametrize("name", ["pdf", "html"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"<svg/>", "neither a PNG nor a JPEG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(3_000_000), "larger than 2 MB"),
    ],
)
def test_mistakes_with_the_logo(
    name: str, content: bytes | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "logo"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        rendered(result_of([row()]), OUTPUTS[name], replace(OPTIONS, logo=path))


def test_a_damaged_logo(tmp_path: Path) -> None:
    path = tmp_path / "logo"
    path.write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    with pytest.raises(UserError, match="cannot be read"):
        rendered(result_of([row()]), OUTPUTS["pdf"], replace(OPTIONS, logo=path))


def test_a_page_is_the_same_each_time_and_says_what_it_is() -> None:
    one, other = (rendered(result_of([row()]), OUTPUTS["pdf"], OPTIONS) for _ in range(2))
    assert pypdf.PdfReader(io.BytesIO(one)).metadata == pypdf.PdfReader(io.BytesIO(other)).metadata
    found = pypdf.PdfReader(io.BytesIO(one)).metadata
    assert found is not None
    assert (found.title, found.author) == ("by-person", "anna")
    [text] = pages([row()], replace(OPTIONS, title="Costs of Łódź"), notes=["one thing"])
    for part in ("Costs of Łódź", "anna (level 6)", "2026-01-01 to 2026-01-31", "one thing"):
        assert squeezed(part) in squeezed(text)
