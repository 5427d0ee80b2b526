"""The README says what each plan gives and what an operator may set as the programs have it."""

import unittest

from facts import facts, limit
from pages import pages, table, words

PAGE = "README.md"


class Quotas(unittest.TestCase):
    def test_every_quota_is_told_for_every_plan(self):
        told = {words(name)[0]: row for name, row in table(PAGE, "Quotas").items()}
        self.assertEqual([*told], [*facts()["quota_bounds"]], "a row for each quota that an operator may set")
        for quota, row in told.items():
            with self.subTest(quota=quota):
                plans = {plan: f"{given[quota]:,}" for plan, given in facts()["quotas"].items()}
                least, most = facts()["quota_bounds"][quota]
                self.assertEqual(row, plans | {"may be set to": f"{least:,} to {most:,}"})

    def test_what_nobody_sets_is_told_too(self):
        _, _, below = pages()[PAGE].partition("\n## Quotas\n")
        text = " ".join(below.partition("\n## ")[0].split())
        self.assertIn(f"{limit('quota.retries_at_once')} at once for each webhook, and one a second", text)
        self.assertIn(f"A webhook asks for {limit('endpoint.most_patterns')} event types at the most", text)


if __name__ == "__main__":
    unittest.main()
