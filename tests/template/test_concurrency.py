"""docs/limits.md says what a stack's own work takes of an account's concurrency, and what an account of ten is left with."""

import re
import unittest

from bounds import bounds
from pages import pages, table, words
from template import Template

PAGE, HEADING = "docs/limits.md", "Functions at once"
ACCOUNT = 10
# Parameters that set how many functions see to attempts, which take as long as receivers do.
ATTEMPTS = ("DeliverConcurrency", "RetryConcurrency", "SlowConcurrency")
STREAM = "FanoutParallelization"
# A new table on demand takes 4,000 writes a second, and a partition 1,000.
SHARDS = 4
SWEEP = 1


def in_all(of_a_parameter: str) -> tuple[int, int]:
    """Functions at once beside the stream, and for each of its shards, with each parameter's `Default` or `MinValue`."""
    found, template = bounds(), Template()
    attempts = [int(found[f"{parameter}.{of_a_parameter}"]) for parameter in ATTEMPTS]
    left = [
        int(found[f"{mapping}.MaximumConcurrency"])
        for mapping, it in template.mappings("fanout").items()
        if "ScalingConfig" in it
    ]
    return sum(attempts) + sum(left) + SWEEP, int(found[f"{STREAM}.{of_a_parameter}"])


def section() -> str:
    _, _, below = pages()[PAGE].partition(f"\n## {HEADING}\n")
    return " ".join(below.partition("\n## ")[0].replace("**", "").split())


class Concurrency(unittest.TestCase):
    def test_the_table_has_what_each_work_takes(self):
        rows, found = table(PAGE, HEADING), bounds()
        named = {words(name)[0]: [int(cell) for cell in row.values()] for name, row in rows.items() if words(name)}
        taken = {name: [found[f"{name}.Default"], found[f"{name}.MinValue"]] for name in (*ATTEMPTS, STREAM)}
        self.assertEqual(named, taken)
        beside = [row for name, row in rows.items() if not name.startswith("**") and STREAM not in name]
        for column, of_a_parameter in (("functions at once", "Default"), ("with the least values", "MinValue")):
            with self.subTest(column=column):
                total, _ = in_all(of_a_parameter)
                self.assertEqual(sum(int(row[column]) for row in beside), total)
                self.assertEqual(rows["**in all, beside the stream**"][column], f"**{total}**")

    def test_every_source_of_deliver_is_set_by_a_parameter(self):
        concurrency = [str(mapping["ScalingConfig"]) for mapping in Template().mappings("deliver").values()]
        for parameter in ATTEMPTS:
            self.assertEqual(len([it for it in concurrency if f"'{parameter}'" in it]), 1, parameter)
        self.assertEqual(len(concurrency), len(ATTEMPTS), "or it takes what nobody counts")

    def test_it_says_with_how_many_the_api_is_never_starved(self):
        (total, of_a_shard), text = in_all("Default"), section()
        self.assertIn(f"can take {total} and {of_a_shard} for each shard, {total + SHARDS * of_a_shard} with four", text)

    def test_attempts_leave_an_account_of_ten_four(self):
        taken = sum(int(bounds()[f"{parameter}.MinValue"]) for parameter in ATTEMPTS)
        self.assertEqual(ACCOUNT - taken, 4)
        self.assertIn("take six of the ten at the most, whatever receivers do, and four are left", section())

    def test_it_does_not_promise_an_account_of_ten_more_than_holds(self):
        (total, of_a_shard), text = in_all("MinValue"), section()
        self.assertGreater(total, ACCOUNT, "the sum has come below ten: then the page may promise it")
        self.assertIn(f"All of it at once is {total} and one for each shard, {total + SHARDS * of_a_shard} with four", text)

    def test_both_pages_name_the_least_values(self):
        said = " ".join(f"{parameter}={int(bounds()[f'{parameter}.MinValue'])}" for parameter in (*ATTEMPTS, STREAM))
        self.assertIn(said, section())
        self.assertIn(f"`{said}`", re.sub(r"\s+", " ", pages()["README.md"]))


if __name__ == "__main__":
    unittest.main()
