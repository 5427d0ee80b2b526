"""Time-outs, visibility and retention against the programs' own constants: each must outlast what it has to wait for."""

import unittest

from source import calendars, horizon, number, seconds
from template import Template

DAY = 86_400
DIALECT = "shared/domain/src/dialect.rs"
DELIVER = "functions/deliver/src/batch.rs"
LONGEST_RETRY_AFTER = DAY


class Horizons(unittest.TestCase):
    def setUp(self):
        self.template = Template()

    def test_the_slowest_receiver_fits_into_a_run_of_deliver(self):
        needed = seconds(DIALECT, "SLOWEST_TIMEOUT") + seconds(DELIVER, "MARGIN")
        # More than needed: a message that deliver refuses at its very start would be handed back for ever.
        self.assertGreater(self.template.function("deliver")["Timeout"], needed)

    def test_what_works_until_its_reserve_has_time_to_work(self):
        third = self.template.function("sweep")["Timeout"] / 3
        for time, path, name in (
            (third, "functions/sweep/src/overdue.rs", "FOR_A_PAGE"),
            (third, "functions/sweep/src/dead_letters.rs", "RESERVE"),
            (third, "shared/aws/src/recoverer.rs", "FOR_A_PAGE"),
            (self.template.function("fanout")["Timeout"], "functions/fanout/src/redrive.rs", "RESERVE"),
        ):
            self.assertGreater(time, 2 * seconds(path, name), f"{path} would do nothing")

    def test_a_sweep_ends_before_the_next_one_begins(self):
        shortest = self.template.all["Parameters"]["SweepMinutes"]["MinValue"] * 60
        self.assertLess(self.template.function("sweep")["Timeout"], shortest, "two would rescue the same rows")

    def test_grace_covers_what_scheduler_and_the_queue_need(self):
        grace = seconds("functions/sweep/src/pace.rs", "GRACE")
        self.assertGreaterEqual(grace, 60, "Scheduler is precise to a minute: every retry would be rescued")

    def test_events_outlive_the_longest_calendar(self):
        found = calendars()
        self.assertGreaterEqual(len(found), 2, "the calendars were not found in the source")
        longest = max(horizon(delays, jitter) for delays, jitter in found)
        shortest_retention = self.template.all["Parameters"]["RetentionDays"]["MinValue"] * DAY
        self.assertGreater(shortest_retention, longest, "an event would be gone before its last attempt")

    def test_events_outlive_receivers_that_keep_asking_for_a_day(self):
        """By default, and with every internal failure on top."""
        for delays, jitter in calendars():
            worst = sum(max(delay * (100 + jitter) // 100, LONGEST_RETRY_AFTER) for delay in delays)
            internal = number("shared/domain/src/retry.rs", "MAX_INTERNAL") * max(delays, default=0) * (100 + jitter) // 100
            default = self.template.all["Parameters"]["RetentionDays"]["Default"] * DAY
            self.assertGreater(default, worst + internal)


if __name__ == "__main__":
    unittest.main()
