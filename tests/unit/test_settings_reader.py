from __future__ import annotations

from configparser import ConfigParser

from hypothesis import given
from hypothesis import strategies as st

from syncd.settings.reader import read


def options(text: str) -> dict[str, dict[str, str]]:
    sections, problems = read(text, "syncd.ini")
    assert problems == []
    return {
        header: {name: option.text for name, option in section.options.items()}
        for header, section in sections.items()
    }


def oracle(text: str) -> dict[str, dict[str, str]]:
    """What configparser makes of it, with the one addition that ``\\;`` is a semicolon."""
    parser = ConfigParser(
        interpolation=None,
        delimiters=("=",),
        inline_comment_prefixes=(";",),
        default_section="\0",
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return {
        header: {name: value.replace("\\;", ";") for name, value in parser[header].items()}
        for header in parser.sections()
    }


VALUES = st.text(st.sampled_from("ab =;\\%#[]:$é\t"), max_size=12)
BLANKS = st.text(st.sampled_from(" \t"), max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """INI texts without structural mistakes: what is wrong has tests of its own."""
    lines: list[str] = []
    noise = st.sampled_from(["", "   ", "; note", "# note", "  ; indented note", "\t"])
    for section in range(draw(st.integers(1, 3))):
        lines.append(f"[section:{section}]{draw(st.sampled_from(['', ' ; note', '  ']))}")
        for option in range(draw(st.integers(0, 4))):
            lines += draw(st.lists(noise, max_size=2))
            indent = draw(st.sampled_from(["", "", " "]))
            lines.append(
                f"{indent}option{option}{draw(BLANKS)}={draw(BLANKS)}{draw(VALUES)}".rstrip("\n")
            )
            for _ in range(draw(st.integers(0, 2))):
                lines += draw(st.lists(noise, max_size=1))
                lines.append(f"    {draw(VALUES)}")
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


@given(documents())
def test_agrees_with_configparser(text: str) -> None:
    # An option that is indented more than the one before continues it, for both.
    assert options(text) == oracle(text)


def test_comment_semicolon_and_percent() -> None:
    text = "[s]\na = one ; note\nb = one;two\nc = one \\; two\nd = 10% %(a)s ${a}\ne = # two\n"
    assert options(text)["s"] == {
        "a": "one",
        "b": "one;two",
        "c": "one ; two",
        "d": "10% %(a)s ${a}",
        "e": "# two",
    }


def test_continuation_keeps_lines_and_ends_with_the_indent() -> None:
    text = "[s]\na = one\n  two ; note\n\n  three\nb = four\n"
    assert options(text)["s"] == {"a": "one\ntwo\n\nthree", "b": "four"}


def test_line_ends_of_other_systems() -> None:
    assert options("[s]\r\na = 1\r\nb = 2\r") == {"s": {"a": "1", "b": "2"}}


def test_default_is_a_section_like_any_other() -> None:
    assert options("[DEFAULT]\na = 1\n[s]\nb = 2\n") == {"DEFAULT": {"a": "1"}, "s": {"b": "2"}}


def test_lines_of_options() -> None:
    sections, _ = read("; note\n\n[s]\na = 1\n\nb = 2\n  3\nc = 4\n", "x.ini")
    assert sections["s"].line == 3
    assert {o.name: o.line for o in sections["s"].options.values()} == {"a": 4, "b": 6, "c": 8}


def test_all_structural_mistakes_in_one_pass() -> None:
    text = "before = 1\n[a]\nx = 1\nnothing\nx = 2\n= 3\n[b\nlost = 1\n[a]\ny = 1\n[c]\nz = 1\n"
    sections, problems = read(text, "syncd.ini")
    found = [(problem.line, problem.option, problem.what) for problem in problems]
    assert found == [
        (1, "", "'before = 1' stands before the first [section]"),
        (4, "[a]", "'nothing' is not an option"),
        (5, "[a] x", "stands twice, in lines 3 and 5"),
        (6, "[a]", "'= 3' is not an option"),
        (7, "", "'[b' is not a section's header"),
        (9, "[a]", "stands twice, in lines 2 and 9"),
    ]
    assert sections["a"].options["x"].text == "1"
    assert list(sections) == ["a", "c"]
