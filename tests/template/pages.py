"""The pages as data: their tables, and the figures in them."""

import re
from itertools import dropwhile, takewhile
from pathlib import Path

from template import ROOT

UNITS = {"s": 1, "min": 60, "h": 3600}
WORDS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
# A row of cells by the columns' names.
Row = dict[str, str]


def pages() -> dict[str, str]:
    """Every page that tells how things are, by its path; the changelog tells how they were."""
    paths: list[Path] = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths if path.name != "CHANGELOG.md"}


def table(page: str, heading: str) -> dict[str, Row]:
    """The first table below a heading, its rows by their first cells."""
    _, found, below = f"\n{pages()[page]}".partition(f"\n## {heading}\n")
    assert found, f"{page} has no heading {heading!r}"
    lines = takewhile(is_row, dropwhile(lambda line: not is_row(line), below.splitlines()))
    (_, *columns), _, *rows = ([cell.strip() for cell in line[1:-1].split("|")] for line in lines)
    named = {name: dict(zip(columns, cells, strict=True)) for name, *cells in rows}
    assert len(named) == len(rows), f"{page}, {heading!r}: two rows have one name"
    return named


def is_row(line: str) -> bool:
    return line.startswith("|")


def words(text: str) -> list[str]:
    """What stands there between backquotes."""
    return re.findall(r"`([^`]+)`", text)


def delays(text: str) -> list[int]:
    """`5 s, 5 and 30 min, 2 and 24 h` in seconds: a number without a unit has that of the next one."""
    found: list[int] = []
    unit = ""
    for number, own in reversed(re.findall(r"(\d+)(?: (s|min|h)\b)?", text)):
        unit = own or unit
        found.insert(0, int(number) * UNITS[unit])
    return found
