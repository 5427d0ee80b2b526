"""What docs/triggers.md says of the ways in follows from counts and prices."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "template"))

from ways_in import PAGE, WAYS, written
from worst_day import PRICE, SMALL, event


class Page(unittest.TestCase):
    def test_it_shows_what_is_computed(self):
        told = PAGE.read_text()
        self.assertEqual(told, written(told), "run tests/bench/ways_in.py, which writes the table anew")

    def test_a_page_without_its_marks_is_not_taken_for_written(self):
        with self.assertRaises(AssertionError):
            written("# Events")

    def test_it_says_what_a_million_notices_are_on_the_bus(self):
        self.assertIn(f"EventBridge's events, ${PRICE['bus_event']:.2f}, beside", " ".join(PAGE.read_text().split()))


class Ways(unittest.TestCase):
    def setUp(self):
        self.ways = {way.counted.removeprefix("in by "): way for way in WAYS}

    def test_http_costs_what_the_worst_day_reckons_with(self):
        self.assertAlmostEqual(self.ways["HTTP"].dollars, event(SMALL), delta=0.01)

    def test_the_bus_costs_its_entry_where_http_has_its_request(self):
        entry, request = PRICE["bus_event"], PRICE["api_request"]
        self.assertAlmostEqual(self.ways["the bus"].dollars - self.ways["HTTP"].dollars, entry - request, delta=0.3)
        self.assertAlmostEqual(self.ways["the bus"].dollars - self.ways["an invocation"].dollars, entry, delta=0.01)

    def test_a_row_costs_a_transactions_two_units_and_no_function(self):
        row = self.ways["a row"]
        self.assertEqual((row.write_units, row.requests, row.invocations, row.calls), (2, 0, 0, 0))

    def test_what_comes_ten_at_a_time_has_its_row_for_itself_and_shares_the_rest(self):
        batch, single = self.ways["HTTP, ten at a time"], self.ways["HTTP"]
        self.assertEqual(batch.write_units, single.write_units)
        shared = single.dollars - single.write_units * PRICE["write_unit"]
        self.assertAlmostEqual(batch.dollars, batch.write_units * PRICE["write_unit"] + shared / 10, delta=0.02)


if __name__ == "__main__":
    unittest.main()
