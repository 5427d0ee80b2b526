"""What AWS alone can tell, by answers that nobody here can bring about otherwise."""

import contextlib
import datetime
import io
import sys
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from amazon import Amazon, Target, refused
from smoke import account
from smoke.account import Account
from smoke.patience import Patience
from smoke.rows import Row, Rows, Verdict
from smoke.stack import Stack

NOW = datetime.datetime.now(datetime.UTC)
DAY, MINUTE = datetime.timedelta(days=1), datetime.timedelta(minutes=1)
QUEUE = "https://sqs.us-east-1.amazonaws.com/1/p-"
SOME = {"Datapoints": [{"Sum": 2.0}, {"Sum": 1.0}]}
NONE: dict = {"Datapoints": []}


def empty(QueueUrl: str, **_: Any) -> dict:  # noqa: N803
    return {"Attributes": {"ApproximateNumberOfMessages": "0"}}


def one(queue: str) -> Any:
    """A message in this queue, and none in the others."""

    def told(QueueUrl: str, **_: Any) -> dict:  # noqa: N803
        return {"Attributes": {"ApproximateNumberOfMessages": "1" if QueueUrl.endswith(queue) else "0"}}

    return told


WELL: dict[str, Any] = {
    "get_metric_statistics": SOME,
    "list_metrics": {"Metrics": [{"MetricName": "ApproximateNumberOfNoisyGroups"}]},
    "get_queue_attributes": empty,
}


def stack(since: datetime.datetime) -> Stack:
    made = Stack.__new__(Stack)
    made.name, made.since, made.parameters = "p", since, {"SweepMinutes": "3"}
    queues = {name: QUEUE + name for name in ("DeliverQueue", "DeadQueue", "QuarantineQueue", "TriggersQueue")}
    made.outputs = {"SweepFunction": "p-sweep", "EventsFunction": "p-events", **queues}
    return made


class Accounts(unittest.TestCase):
    def look(self, since: datetime.datetime = NOW - DAY, is_aws: bool = True, **answers: Any) -> dict[str, Row]:
        target: Any = Target(Amazon(**(WELL | answers)), is_aws)
        rows = Rows()
        with contextlib.redirect_stdout(io.StringIO()), mock.patch.object(account, "FOR_METRICS", 0.0):
            Account(target, stack(since), Patience(), NOW).look(rows)
        return {row.what: row for row in rows.all}

    def test_what_is_there_holds(self):
        rows = self.look()
        self.assertEqual([rows[what].verdict for what in ("sweeps come", "metrics arrive")], [Verdict.OK] * 2)
        self.assertIs(rows["groups on messages"].verdict, Verdict.OK)
        self.assertIs(rows["dead letters"].verdict, Verdict.UNKNOWN, "none lies there, so nobody has seen one")

    def test_without_a_sweep_an_old_stack_is_broken_and_a_new_one_is_new(self):
        rows = self.look(get_metric_statistics=NONE)
        self.assertRegex(rows["sweeps come"].said, "where one comes each 3 minutes: docs/runbook/sweep-not-run.md")
        self.assertIs(rows["sweeps come"].verdict, Verdict.FAILED)
        self.assertIs(self.look(NOW - MINUTE, get_metric_statistics=NONE)["sweeps come"].verdict, Verdict.UNKNOWN)

    def test_metrics_that_are_late_are_no_failure(self):
        row = self.look(get_metric_statistics=NONE)["metrics arrive"]
        self.assertIs(row.verdict, Verdict.UNKNOWN)
        self.assertIn("a quarter of an hour", row.said)

    def test_what_lies_in_a_queue_of_failures_is_told(self):
        for queue, page in [("QuarantineQueue", "quarantine"), ("TriggersQueue", "triggers")]:
            row = self.look(get_queue_attributes=one(queue))["dead letters"]
            self.assertIs(row.verdict, Verdict.FAILED)
            self.assertIn(f"docs/runbook/{page}.md", row.said)

    def test_a_dead_letter_is_the_next_sweeps_and_one_that_stays_is_a_failure(self):
        def least(*points: float) -> Any:
            def told(MetricName: str, **asked: Any) -> dict:  # noqa: N803
                if MetricName != "ApproximateNumberOfMessagesVisible":
                    return SOME
                self.assertEqual(asked["Dimensions"], [{"Name": "QueueName", "Value": "p-DeadQueue"}])
                return {"Datapoints": [{"Minimum": point} for point in points]}

            return told

        for points, verdict in (
            ([1.0] * 9, Verdict.FAILED),
            ([1.0] * 8, Verdict.UNKNOWN),
            ([1.0] * 8 + [0.0], Verdict.UNKNOWN),
            ([], Verdict.UNKNOWN),
        ):
            row = self.look(get_queue_attributes=one("DeadQueue"), get_metric_statistics=least(*points))["dead letters"]
            self.assertIs(row.verdict, verdict, points)
            self.assertIn("docs/runbook/dead-letters-left.md", row.said)

    def test_elsewhere_nobody_asks(self):
        nobody: dict[str, Any] = dict.fromkeys(WELL, refused("InternalFailure"))
        rows = self.look(is_aws=False, **nobody)
        self.assertEqual({row.verdict for row in rows.values()}, {Verdict.UNKNOWN})


if __name__ == "__main__":
    unittest.main()
