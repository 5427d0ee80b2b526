"""What docs/limits.md says of the worst day follows from quotas, counts and prices."""

import dataclasses
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "template"))

from facts import facts
from template import Template
from worst_day import LARGEST, PAGE, PLANS, RETRIES, SMALL, Plan, Stack, day, dollars, event, first_attempt, flood, row, written

UNBOUNDED = Stack(first_attempts=10**9, retries=10**9, table_units=10**12)
SUMMARY = PAGE.parent / "performance.md"


class Page(unittest.TestCase):
    def test_it_shows_what_is_computed(self):
        told = PAGE.read_text()
        self.assertEqual(told, written(told), "run tests/bench/worst_day.py, which writes the table anew")
        self.assertIn(dollars(flood(100)), told)

    def test_a_first_try_success_costs_what_the_bench_says(self):
        """Published singly, but for CPU time, which the bench measures."""
        text = SUMMARY.read_text()
        said = float(text.split("| **all** | **")[1].split("**")[0])
        self.assertAlmostEqual(event(SMALL) + row() + first_attempt(SMALL), said, delta=0.15)


class Bounds(unittest.TestCase):
    def test_the_stack_is_the_templates(self):
        scaling = {name: mapping.get("ScalingConfig", {}) for name, mapping in Template().mappings("deliver").items()}
        stack = Stack()
        self.assertEqual(scaling["DeliverFromDeliverQueue"]["MaximumConcurrency"], stack.first_attempts)
        self.assertEqual(scaling["DeliverFromRetryQueue"]["MaximumConcurrency"], stack.retries)

    def test_the_schedule_is_the_standard_dialects(self):
        (standard,) = (dialect for dialect in facts()["dialects"] if dialect["name"] == "standard")
        self.assertEqual(len(standard["retry_seconds"]), RETRIES)

    def test_the_largest_event_is_the_largest(self):
        self.assertEqual(LARGEST, 256 * 1024)

    def test_plans_have_the_quotas_that_the_programs_enforce(self):
        for name, quotas in facts().get("quotas", {}).items():
            for quota in ("webhooks", "events_per_second"):
                self.assertEqual(getattr(PLANS[name], quota), quotas[quota], f"{name}: {quota}")

    def test_whatever_the_quotas_the_stack_lets_through_what_it_can(self):
        endless = day(Plan(10**6, 10**6), Stack()).let_through
        larger = day(Plan(10**7, 10**7), Stack()).let_through
        self.assertEqual(endless, larger)

    def test_without_bounds_all_that_is_asked_for_is_let_through(self):
        told = day(PLANS["pro"], UNBOUNDED)
        self.assertAlmostEqual(told.let_through, told.asked_for)

    def test_twice_the_quota_is_twice_the_worst(self):
        plan = PLANS["free"]
        twice = dataclasses.replace(plan, events_per_second=2 * plan.events_per_second)
        self.assertAlmostEqual(day(twice, UNBOUNDED).asked_for, 2 * day(plan, UNBOUNDED).asked_for)


if __name__ == "__main__":
    unittest.main()
