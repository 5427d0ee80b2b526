"""What only a real account can tell: whether what is written as a log line becomes a metric, whether sweeps come, what AWS makes
of groups and dead letters."""

import datetime
from typing import Any, Literal

from smoke.patience import Patience
from smoke.rows import Finding, Rows, Unknown, aws
from smoke.stack import Stack
from smoke.target import Target

# CloudWatch shows a metric a minute or two after its line was written.
FOR_METRICS = 120.0
PERIOD = 60
# Sweeps that should have come before it is said that none does.
SWEEPS = 3
NOT_HERE = "the emulator does not do this; on AWS it is looked at"


class Account:
    """Looks at what the run has left behind at AWS."""

    def __init__(self, target: Target, stack: Stack, patience: Patience, begun: datetime.datetime) -> None:
        self._target = target
        self._stack = stack
        self._patience = patience
        self._begun = begun

    def look(self, rows: Rows) -> None:
        looks = {
            "sweeps come": self.sweeps,
            "metrics arrive": self.metrics,
            "groups on messages": self.groups,
            "dead letters": self.dead_letters,
        }
        for what, look in looks.items():
            rows.look(what, look if self._target.is_aws else not_here)

    def sweeps(self) -> str:
        minutes = self._sweep_minutes()
        function = self._stack.outputs["SweepFunction"]
        since = self._begun - datetime.timedelta(minutes=SWEEPS * minutes + 5)
        ran = self._sum("AWS/Lambda", "Invocations", "FunctionName", function, since)
        if ran:
            return f"{ran:.0f} since {since:%H:%M} UTC"
        if self._stack.since > since:
            raise Unknown("none yet, and the stack is only some minutes old: ask again in a quarter of an hour")
        raise Finding(f"none since {since:%H:%M} UTC, where one comes each {minutes} minutes: docs/runbook/sweep-not-run.md")

    def metrics(self) -> str:
        function = self._stack.outputs["EventsFunction"]

        def look() -> float | None:
            return self._sum("Postrider", "AcceptedEvents", "FunctionName", function, self._begun) or None

        try:
            self._patience.until(look, lambda: "", within=FOR_METRICS)
        except Finding:
            raise Unknown(
                "none of this run's yet. CloudWatch may take some minutes; if there is none in a quarter of an "
                "hour, the functions' log format is "
                "not what it is taken for (docs/aws.md, 'What was never run on AWS')"
            ) from None
        return f"Postrider/AcceptedEvents of {function} is there"

    def groups(self) -> str:
        queue = self._stack.outputs["DeliverQueue"].rsplit("/", 1)[-1]
        name = "ApproximateNumberOfNoisyGroups"
        with aws("call cloudwatch:ListMetrics"):
            told = self._client().list_metrics(
                Namespace="AWS/SQS", MetricName=name, Dimensions=[{"Name": "QueueName", "Value": queue}]
            )
        if told["Metrics"]:
            return f"SQS counts the noisy groups of {queue}"
        raise Unknown(f"SQS has no {name} of {queue} yet; look again once there was traffic")

    def dead_letters(self) -> str:
        lying = {output: count for output in ("QuarantineQueue", "TriggersQueue") if (count := self._lying(output))}
        dead = self._lying("DeadQueue")
        if lying:
            raise Finding(f"{lying} were set aside and wait for somebody: docs/runbook/quarantine.md, docs/runbook/triggers.md")
        if dead:
            raise self._dead(dead)
        raise Unknown("none, which is well; what AWS's look like nobody knows before there is one")

    def _dead(self, count: int) -> Finding | Unknown:
        """What has come between two sweeps is the next one's to see to: only where there was always some, sweeps see to none."""
        minutes = SWEEPS * self._sweep_minutes()
        since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=minutes + 5)
        queue = self._stack.outputs["DeadQueue"].rsplit("/", 1)[-1]
        least = self._points("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, since, "Minimum")
        if len(least) >= minutes and min(least) > 0:
            return Finding(
                f"{count} lie there, some for {minutes} minutes, and sweeps have not seen to them: "
                "docs/runbook/dead-letters-left.md"
            )
        return Unknown(
            f"{count} lie there now, which the next sweep should see to: where some do still in {minutes} minutes, "
            "docs/runbook/dead-letters-left.md"
        )

    def _sweep_minutes(self) -> int:
        return int(self._stack.parameters.get("SweepMinutes", "3"))

    def _lying(self, output: str) -> int:
        with aws("call sqs:GetQueueAttributes"):
            told = self._target.client("sqs").get_queue_attributes(
                QueueUrl=self._stack.outputs[output], AttributeNames=["ApproximateNumberOfMessages"]
            )
        return int(told["Attributes"]["ApproximateNumberOfMessages"])

    def _sum(self, namespace: str, metric: str, dimension: str, value: str, since: datetime.datetime) -> float:
        return sum(self._points(namespace, metric, dimension, value, since, "Sum"))

    def _points(
        self,
        namespace: str,
        metric: str,
        dimension: str,
        value: str,
        since: datetime.datetime,
        statistic: Literal["Sum", "Minimum"],
    ) -> list[float]:
        with aws("call cloudwatch:GetMetricStatistics"):
            told = self._client().get_metric_statistics(
                Namespace=namespace,
                MetricName=metric,
                Dimensions=[{"Name": dimension, "Value": value}],
                StartTime=since - datetime.timedelta(seconds=PERIOD),
                EndTime=datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=PERIOD),
                Period=PERIOD,
                Statistics=[statistic],
            )
        return [point[statistic] for point in told["Datapoints"]]

    def _client(self) -> Any:
        return self._target.client("cloudwatch")


def not_here() -> str:
    raise Unknown(NOT_HERE)
