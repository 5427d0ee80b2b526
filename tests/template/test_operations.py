"""The bill of docs/operations.md follows from the counts and the prices."""

import json
import re
import unittest

from pages import pages, table
from template import ROOT

PAGE = "docs/operations.md"
MILLIONS = {"0 events": 0, "1 million": 1, "100 million": 100}
# What the page assumes: GB that a million events leave in the tables, and metrics of one's own while there is traffic.
GIGABYTES, METRICS = 2, 8


def million(row: str) -> dict[str, float]:
    """Dollars of a million by how it came, as docs/performance.md has them."""
    cells = table("docs/performance.md", "What a million costs")[row]
    return {way: float(cell.strip("*")) for way, cell in cells.items()}


class Bill(unittest.TestCase):
    def setUp(self):
        self.rows = table(PAGE, "What it costs")
        self.prices = {
            name: price["dollars"] for name, price in json.loads((ROOT / "tests/bench/prices.json").read_text())["prices"].items()
        }

    def test_each_line_follows_from_counts_and_prices(self):
        (idle,) = re.findall(r"\*\*in all\*\* \|  ?\| \*\*([\d.]+)\*\*", pages()["docs/aws.md"])
        for column, millions in MILLIONS.items():
            expected = {
                "the idle stack": float(idle),
                "metrics": METRICS * self.prices["metric"] * (millions > 0),
                "publishing": million("**all**")["published singly"] * millions,
                "logs": million("logs, beside")["published singly"] * millions,
                "storage": GIGABYTES * self.prices["stored_gb"] * millions,
                "point-in-time": GIGABYTES * self.prices["recovery_gb"] * millions,
            }
            for line, dollars in (expected | {"**in all**": sum(expected.values())}).items():
                (row,) = [cells for name, cells in self.rows.items() if name.startswith(line)]
                self.assertEqual(row[column].strip("*"), f"{dollars:.2f}", f"{line}, {column}")

    def test_a_retry_and_batches_cost_what_the_bench_says(self):
        dollars = million("**all**")
        said = " ".join(pages()[PAGE].split())
        self.assertIn(f"one retry adds ${(dollars['one retry'] - dollars['published singly']) / 100:.2f} a million", said)
        self.assertIn(f"in a batch cost ${dollars['in batches of 10']:.2f} a million", said)
        self.assertIn(f"for ten webhooks ${dollars['fan-out to 10']:.2f} a million", said)


if __name__ == "__main__":
    unittest.main()
