"""What each way in costs until an event's row is there, or a report is applied: counts times list prices.

Run by itself it writes the table of docs/triggers.md anew; `test_ways_in.py` holds the page to it."""

import dataclasses
import re
from pathlib import Path

from worst_day import ASSUMED, COUNTS, MB, PRICE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "triggers.md"
MARKS = "<!-- ways in -->\n", "<!-- end of ways in -->"


@dataclasses.dataclass(frozen=True)
class Way:
    """What one event, or report, takes beside what is counted of it."""

    name: str
    counted: str
    requests: float = 0.0
    entries: float = 0.0
    invocations: float = 0.0
    # Calls that are made side by side are waited for once.
    together: int = 1

    @property
    def write_units(self) -> float:
        return COUNTS[self.counted]["write units"]

    @property
    def read_units(self) -> float:
        return COUNTS[self.counted]["read units"]

    @property
    def calls(self) -> float:
        """Of the function's, to AWS."""
        return sum(count for name, count in COUNTS[self.counted].items() if ":" in name) if self.invocations else 0.0

    @property
    def dollars(self) -> float:
        """Per million."""
        waits = self.calls / self.together * ASSUMED["aws_call_ms"] / 1000 * MB / 1024 * PRICE["lambda_gb_s"]
        asked = self.requests * PRICE["api_request"] + self.entries * PRICE["bus_event"]
        units = self.write_units * PRICE["write_unit"] + self.read_units * PRICE["read_unit"]
        return asked + self.invocations * PRICE["lambda_request"] + waits + units


WAYS = (
    Way("an event over HTTP", "in by HTTP", requests=1, invocations=1),
    Way("the same, ten in a batch", "in by HTTP, ten at a time", requests=0.1, invocations=0.1, together=10),
    Way("over the bus", "in by the bus", entries=1, invocations=1),
    Way("by invocation", "in by an invocation", invocations=1),
    Way("a row in a transaction of your own, without your own part", "in by a row"),
    Way("a job's last report over HTTP", "in by a report over HTTP", requests=1, invocations=1),
    Way("the same on the bus", "in by a report on the bus", entries=1, invocations=1),
)


def table() -> str:
    head = ("one of them takes", "API requests", "bus entries", "invocations", "write units", "read units", "$ per million")
    lines = [head, tuple("---" for _ in head)]
    for way in WAYS:
        counts = (way.requests, way.entries, way.invocations, way.write_units, way.read_units)
        lines.append((way.name, *(f"{count:g}" for count in counts), f"{way.dollars:.2f}"))
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def written(text: str) -> str:
    """A page with the table in its place."""
    begin, end = map(re.escape, MARKS)
    assert re.search(f"{begin}.*?{end}", text, re.DOTALL), f"{PAGE} has no {MARKS[0]!r}"
    return re.sub(f"({begin}).*?({end})", lambda found: found[1] + table() + found[2], text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
