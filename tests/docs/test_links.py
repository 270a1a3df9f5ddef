"""The documents hold together: links lead somewhere, nothing is left out, nothing lies outside."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [README, ROOT / "CHANGELOG.md", *PAGES]
RULES = (ROOT / "docs" / "rules.md").read_text("utf-8")

OUTSIDE = ("DESIGN" + ".md", "DESIGN " + "3", "../" + "shared")
"""What lies outside the project; put together here, so that this file does not name it."""


def without_code(text: str) -> str:
    """Return a text without its code blocks and code spans."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


def links(document: Path) -> list[str]:
    """Return the targets of the links of a document, those to other machines left out."""
    found = re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text("utf-8")))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(document: Path) -> set[str]:
    """Return the anchors that headings make: lower case, blanks to hyphens, punctuation gone."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def project_files() -> Iterator[Path]:
    """Yield the text files of the project: those that git knows, without git all but what is made."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode()
        paths = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(part.startswith(".") or part == "build" for part in path.parts)
        ]
    yield from (path for path in paths if path.is_file())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = []
    for target in links(document):
        name, _, anchor = target.partition("#")
        file = document.parent / name if name else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def test_links_are_found_at_all() -> None:
    assert sum(len(links(document)) for document in DOCUMENTS) > 20
    assert "no-price" in anchors(ROOT / "docs" / "billing.md")


def test_readme_leads_to_every_page() -> None:
    linked = {(README.parent / target.partition("#")[0]).resolve() for target in links(README)}
    assert [page.name for page in PAGES if page.resolve() not in linked] == []


def test_nothing_needs_a_text_from_outside() -> None:
    files = list(project_files())
    assert README in files and Path(__file__) in files
    named = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in files
        for word in OUTSIDE
        if word.encode() in path.read_bytes()
    ]
    assert named == []


def test_the_rules_that_code_names_exist() -> None:
    sections = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)[. ]", RULES, re.M))
    named: dict[str, str] = {}
    for folder in ("syncd", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            for text in re.findall(r"docs/rules\.md\s+([\d., and]*\d)", path.read_text("utf-8")):
                for number in re.findall(r"\d+(?:\.\d+)?", text):
                    named[number] = path.name
    assert len(named) > 5
    assert {number: file for number, file in named.items() if number not in sections} == {}


def test_references_within_the_rules_exist() -> None:
    sections = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)[. ]", RULES, re.M))
    referred = set(re.findall(r"\((\d+\.\d+)\)", RULES))
    assert len(referred) >= 4
    assert referred <= sections
