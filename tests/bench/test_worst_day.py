"""What docs/limits.md says of the worst day follows from quotas, counts and prices."""

import dataclasses
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "template"))

from facts import facts
from worst_day import (
    AT_ONCE_READS,
    AT_ONCE_UNITS,
    LARGEST,
    MOST_WEBHOOKS,
    PAGE,
    PRICE,
    RETRIES,
    SMALL,
    Plan,
    Stack,
    day,
    event,
    first_attempt,
    flood,
    flood_of_pages,
    plans,
    retry,
    row,
    stack,
    told_of,
    written,
)

UNBOUNDED = Stack(first_attempts=10**9, retries=10**9, slow=0, table_units=10**12)
SUMMARY = PAGE.parent / "performance.md"


class Notices(unittest.TestCase):
    def test_whatever_fails_a_minute_tells_of_so_many_webhooks_to_each_and_no_further(self):
        told = told_of(Plan(webhooks=20, events_per_second=10))
        self.assertEqual((told.notices, told.deliveries), (40, 800), "each at once and then together")
        self.assertGreater(told.refused, 9 * told.taken)
        larger = told_of(Plan(webhooks=2_000, events_per_second=10))
        self.assertEqual((larger.notices, larger.deliveries), (41, 82_000), "one more for all others")
        self.assertEqual(told_of(Plan(20, 10)), told_of(Plan(20, 1_000)), "it does not follow from the events")

    def test_the_page_says_what_a_failures_notice_costs(self):
        at_once = AT_ONCE_UNITS * PRICE["write_unit"] + AT_ONCE_READS * PRICE["read_unit"] + PRICE["bus_event"]
        told = " ".join(PAGE.read_text().split())
        self.assertIn(f"{AT_ONCE_UNITS} write units, a read unit and an entry on the bus, ${at_once:.1f} a million", told)
        self.assertIn(f"counted with others a unit: ${PRICE['write_unit'] + 0.001:.2f} a million", told)

    def test_the_smallest_plans_webhooks_are_told_of_one_by_one(self):
        self.assertEqual(MOST_WEBHOOKS, min(plan.webhooks for plan in plans().values()))


class Page(unittest.TestCase):
    def test_it_shows_what_is_computed(self):
        told = PAGE.read_text()
        self.assertEqual(told, written(told), "run tests/bench/worst_day.py, which writes the table anew")
        self.assertIn(f"a flood of {stack().calls_per_second} calls a second", " ".join(told.split()))

    def test_a_page_without_its_marks_is_not_taken_for_written(self):
        with self.assertRaises(AssertionError):
            written("# Limits")

    def test_it_says_what_the_bounds_are(self):
        told, bounds = " ".join(PAGE.read_text().split()), stack()
        retries = f"{bounds.retries} for retries and {bounds.slow} for slow webhooks"
        self.assertIn(f"{bounds.first_attempts} functions for first attempts, {retries}", told)
        self.assertIn(f"{bounds.table_units:,} write units a second", told)

    def test_it_says_what_processes_pass_unknown_to_each_other(self):
        told, rates = " ".join(PAGE.read_text().split()), facts()["event_rates"]
        free = plans()["free"].events_per_second + 100 * rates["free"]["quiet"]
        self.assertIn("with 100 processes, all of them kept just below what makes them write", told)
        self.assertIn(f"a free tenant publishes {free:,.0f} events a second", told)
        (others,) = {rate["quiet"] for plan, rate in rates.items() if plan != "free"}
        self.assertIn(f"a tenant of any other plan {100 * others:,.0f} more than its quota", told)

    def test_a_first_try_success_costs_what_the_bench_says(self):
        """Published singly, but for CPU time, which the bench measures."""
        text = SUMMARY.read_text()
        said = float(text.split("| **all** | **")[1].split("**")[0])
        self.assertAlmostEqual(event(SMALL) + row() + first_attempt(SMALL), said, delta=0.15)


class Bounds(unittest.TestCase):
    def test_the_stack_is_what_the_templates_parameters_have_by_default(self):
        self.assertEqual(stack(), Stack(50, 20, 20, calls_per_second=500), "then mend what docs/limits.md says of them")

    def test_the_schedule_is_the_standard_dialects(self):
        (standard,) = (dialect for dialect in facts()["dialects"] if dialect["name"] == "standard")
        self.assertEqual(len(standard["retry_seconds"]), RETRIES)

    def test_the_largest_event_is_the_largest(self):
        self.assertEqual(LARGEST, 256 * 1024)

    def test_plans_have_the_quotas_that_the_programs_enforce(self):
        self.assertEqual([*plans()], ["free", "pro", "enterprise"])
        self.assertEqual(plans()["pro"], Plan(200, 100))

    def test_whatever_the_quotas_the_stack_lets_through_what_it_can(self):
        endless = day(Plan(10**6, 10**6), stack()).let_through
        larger = day(Plan(10**7, 10**7), stack()).let_through
        self.assertEqual(endless, larger)

    def test_functions_for_slow_webhooks_count_towards_what_is_let_through(self):
        plan, bounds = Plan(10**6, 10**6), stack()
        without = dataclasses.replace(bounds, slow=0)
        more = bounds.attempts(bounds.slow) * retry(LARGEST) / 1e6
        self.assertAlmostEqual(day(plan, bounds).let_through - day(plan, without).let_through, more)

    def test_what_has_no_retries_left_to_make_makes_first_attempts(self):
        slow = day(Plan(10**6, 10**6), Stack(1, 9, 10)).let_through
        first = day(Plan(10**6, 10**6), Stack(11, 9, 0)).let_through
        self.assertGreater(slow, day(Plan(10**6, 10**6), Stack(1, 9, 0)).let_through)
        self.assertLessEqual(slow, first)

    def test_a_flood_costs_by_its_calls(self):
        self.assertAlmostEqual(flood(500), 5 * flood(100))

    def test_what_is_answered_with_nothing_costs_what_is_refused(self):
        self.assertAlmostEqual(flood_of_pages(1, 0), flood(1))
        a_gigabyte_a_second = flood_of_pages(1, 10**9) - flood_of_pages(1, 0)
        self.assertAlmostEqual(a_gigabyte_a_second, 86_400 * (0.09 + 10**9 / 8192 * 0.125 / 1e6), delta=0.01)

    def test_without_bounds_all_that_is_asked_for_is_let_through(self):
        told = day(plans()["pro"], UNBOUNDED)
        self.assertAlmostEqual(told.let_through, told.asked_for)

    def test_twice_the_quota_is_twice_the_worst(self):
        plan = plans()["free"]
        twice = dataclasses.replace(plan, events_per_second=2 * plan.events_per_second)
        self.assertAlmostEqual(day(twice, UNBOUNDED).asked_for, 2 * day(plan, UNBOUNDED).asked_for)


if __name__ == "__main__":
    unittest.main()
