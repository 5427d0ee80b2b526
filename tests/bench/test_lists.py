"""What docs/performance.md says that a page of a list reads is what was counted."""

import json
import unittest
from pathlib import Path

from counts import COUNTS, PAGE

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def row(name: str, counted: dict[str, float]) -> str:
    calls = ", ".join(f"{call.split(':')[1]} {count:g}" for call, count in counted.items() if ":" in call)
    return f"| {name.removeprefix(PAGE)} | {counted['read units']:g} | {calls} |"


class Lists(unittest.TestCase):
    def test_the_page_says_what_was_counted(self):
        counted = {name: counts for name, counts in json.loads(COUNTS.read_text()).items() if name.startswith(PAGE)}
        table = "\n".join(row(name, counts) for name, counts in counted.items())
        self.assertTrue(counted)
        self.assertIn(table, DOCUMENT.read_text(), "write these lines into the page")

    def test_a_page_writes_nothing(self):
        counted = json.loads(COUNTS.read_text())
        self.assertEqual({counts["write units"] for name, counts in counted.items() if name.startswith(PAGE)}, {0.0})
