"""Time-outs, visibility and retention against the programs' own constants: each must outlast what it has to wait for."""

import math
import unittest

from constants import constants
from facts import dialects, limit
from template import ROOT, Template

DAY = 86_400


class Horizons(unittest.TestCase):
    def setUp(self):
        self.template = Template()

    def test_the_slowest_receiver_fits_into_a_run_of_deliver(self):
        needed = limit("attempt.slowest_timeout") + limit("deliver.margin")
        # More than needed: a message that deliver refuses at its very start would be handed back for ever.
        self.assertGreater(self.template.function("deliver")["Timeout"], needed)

    def test_what_the_slowest_receiver_said_can_be_recorded_at_a_second_try(self):
        bound = {name: constants()[f"domain::tries::{name}"] for name in ("FIRST_PAUSE", "TRY", "TO_FOLLOW")}
        second = bound["TRY"] + bound["FIRST_PAUSE"]
        self.assertGreater(
            limit("deliver.margin") - second, bound["TRY"] + bound["TO_FOLLOW"], "one throttle, and it is sent again"
        )

    def test_what_works_until_its_reserve_has_time_to_work(self):
        third = self.template.function("sweep")["Timeout"] / 3
        for time, reserve in (
            (third, "sweep.page"),
            (third, "sweep.dead_letters"),
            # A ninth of the whole, where the three before it have had all of theirs.
            (third / 3, "sweep.deletion_page"),
            (third, "sweep.recovery_page"),
            (self.template.function("fanout")["Timeout"], "fanout.redrive"),
        ):
            self.assertGreater(time, 2 * limit(reserve), f"{reserve}: what needs it would do nothing")

    def test_a_sweep_ends_before_the_next_one_begins(self):
        shortest = self.template.all["Parameters"]["SweepMinutes"]["MinValue"] * 60
        self.assertLess(self.template.function("sweep")["Timeout"], shortest, "two would rescue the same rows")

    def test_sweeps_that_are_throttled_do_not_pile_up(self):
        parameters = self.template.all["Parameters"]["SweepMinutes"]
        config = self.template.properties("SweepIsNotRepeated")
        self.assertEqual(config["MaximumRetryAttempts"], 0, "a failed sweep would come beside the next one")
        age = config["MaximumEventAgeInSeconds"]
        self.assertGreaterEqual(age, 60, "Lambda takes no less")
        over = age + self.template.function("sweep")["Timeout"]
        self.assertLessEqual(over, parameters["MinValue"] * 60, "Lambda would start it beside the next one, and all of six hours")
        (target,) = self.template.properties("SweepTimer")["Targets"]
        self.assertEqual(target["RetryPolicy"]["MaximumRetryAttempts"], 0, "EventBridge would hold sweeps for a day")

    def test_what_the_bus_delivers_at_last_is_known_as_what_it_was(self):
        # EventBridge tries for a day where a rule says nothing else, and only then has Lambda its own time.
        for name in ("EventsFromBus", "JobsFromBus", "StrangersFromBus"):
            (target,) = self.template.properties(name)["Targets"]
            self.assertNotIn("RetryPolicy", target, f"{name}: what has no caller is tried for as long as there is")
        kept = self.template.all["Parameters"]["RetentionDays"]["MinValue"] * DAY
        for name in ("EventsAreTriedAgain", "JobsAreTriedAgain"):
            latest = DAY + self.template.properties(name)["MaximumEventAgeInSeconds"]
            self.assertLess(
                2 * latest, kept, f"{name}: the row of its first time would be gone, and it would be taken for a new one"
            )

    def test_grace_covers_what_scheduler_and_the_queue_need(self):
        self.assertGreaterEqual(limit("sweep.grace"), 60, "Scheduler is precise to a minute: every retry would be rescued")

    def test_events_outlive_the_longest_retry_schedule(self):
        shortest_retention = self.template.all["Parameters"]["RetentionDays"]["MinValue"] * DAY
        self.assertGreater(shortest_retention, limit("retry.horizon"), "an event would be gone before its last attempt")

    def test_events_outlive_receivers_that_keep_asking_for_a_day(self):
        """By default, and with every internal failure on top."""
        for name, dialect in dialects().items():
            delays = [delay * (100 + dialect["jitter_percent"]) // 100 for delay in dialect["retry_seconds"]]
            worst = sum(max(delay, limit("retry.max_retry_after")) for delay in delays)
            internal = limit("retry.max_internal") * max(delays, default=0)
            default = self.template.all["Parameters"]["RetentionDays"]["Default"] * DAY
            self.assertGreater(default, worst + internal, name)

    def test_who_puts_rows_is_told_how_long_they_must_be_kept(self):
        days = f"{math.ceil(limit('retry.own_horizon') / DAY)} days"
        for page in ("docs/triggers.md", "ARCHITECTURE.md"):
            self.assertIn(days, (ROOT / page).read_text(), f"{page}: a webhook's own retry_schedule may last that long")


if __name__ == "__main__":
    unittest.main()
