"""What people read about the options, written from the schema."""

from __future__ import annotations

from textwrap import fill

from syncd.settings.option import Option
from syncd.settings.schema import SECTIONS

WIDTH = 96


def sample_ini() -> str:
    """Return an INI that explains every option; what may stay as it is, is commented out with ;"""
    parts = [
        _prose(
            "The settings of syncd. A line that begins with ; shows a default, or an example where"
            " there is no default. After a value a blank and ; begin a comment; \\; is a semicolon,"
            " % means nothing special, an indented line continues the value above it. Files in"
            " conf.d beside this one (*.ini) are read after it, in order; the later value counts."
        )
    ]
    for section in SECTIONS:
        header = f"{section.kind}:{section.example}" if section.example else section.kind
        parts += ["", "", _prose(f"[{section.title}] {section.text}")]
        parts.append(f"[{header}]")
        for option in section.options:
            parts.append("")
            parts.append(_prose(f"{option.text} {_manner(option)}"))
            value = option.example if option.default is None or option.active else ""
            parts.append(
                f"{option.written} = {value}"
                if value
                else f"; {option.written} = {option.default or option.example}"
            )
    return "\n".join(parts) + "\n"


def _prose(text: str) -> str:
    return fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _manner(option: Option) -> str:
    """Return kind and default of an option in brackets."""
    if option.default is None:
        return f"({option.kind.name}; needed)"
    if not option.default:
        return f"({option.kind.name})"
    return f"({option.kind.name}; default: {option.default})"


def documentation() -> str:
    """Return docs/configuration.md."""
    parts = [
        "# Configuration",
        "",
        "This page is written by `make render` from the schema of options; "
        "[`config/syncd.ini`](../config/syncd.ini) shows the same as a file.",
        "",
        "syncd reads the file that `--config` names, else `$SYNCD_CONFIG`, `./syncd.ini` or"
        " `/etc/syncd/syncd.ini`, and then `conf.d/*.ini` beside it, in order: the later value"
        " counts. `syncd check-config` says everything that is wrong at once, and"
        " `syncd check-config --show --origin` which value is in force and where it comes from.",
        "",
        "`;` or `#` begins a comment at the start of a line, `;` also after a blank; `\\;` is a"
        " semicolon, `%` means nothing special. An indented line continues the value above it."
        " Paths are relative to the folder of the main file.",
        "",
        *_kinds(),
    ]
    for section in SECTIONS:
        parts += ["", f"## [{section.title}]", "", section.text, ""]
        parts += ["| option | value | default | meaning |", "|---|---|---|---|"]
        for option in section.options:
            default = "**needed**" if option.default is None else f"`{option.default}`"
            example = f" Example: `{_cell(option.example)}`." if option.example else ""
            parts.append(
                f"| `{option.written}` | {_cell(option.kind.name)}"
                f" | {default if option.default != '' else '–'} | {_cell(option.text)}{example} |"
            )
    return "\n".join(parts) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


KINDS = (
    ("time span", "a number and seconds, minutes, hours or days: `24 hours`"),
    (
        "schedule",
        "`every N seconds`, `minutes` or `hours`, or a cron line of five fields with cron's own"
        " meaning (weekday 0 and 7 are Sunday; when both day fields are set, either counts), in the"
        " zone of `[syncd]`",
    ),
    ("percent", "a whole number from `0%` to `100%`"),
    ("number patterns", "digits, `X` for any digit, `*`, `#` and a leading `+`: `2XXX`"),
    ("words", "separated by blanks"),
    ("time zone", "a name such as `Europe/Rome`"),
)


def _kinds() -> list[str]:
    return ["| value | is written |", "|---|---|", *(f"| {name} | {how} |" for name, how in KINDS)]


def manual_options() -> str:
    """Return the part of the man page about the options, in roff."""
    parts = [".SH CONFIGURATION"]
    for section in SECTIONS:
        parts += [f".SS [{roff(section.title)}]", roff(section.text)]
        for option in section.options:
            parts += [".TP", f"\\fB{roff(option.written)}\\fR"]
            parts.append(roff(f"{option.text} {_manner(option)}"))
    return "\n".join(parts) + "\n"


def roff(text: str) -> str:
    """Return text in which nothing means anything to roff."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
