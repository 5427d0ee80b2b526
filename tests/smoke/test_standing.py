"""What stands, and what is said where it does not: by AWS's answers as they are."""

import contextlib
import io
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from botocore.exceptions import EndpointConnectionError

from amazon import Amazon, Target, refused
from smoke.rows import Row, Rows, Verdict
from smoke.stack import Resource, Stack
from smoke.standing import Standing

MAPPING = {
    "UUID": "a-mapping",
    "FunctionArn": "arn:aws:lambda:us-east-1:1:function:p-deliver",
    "EventSourceArn": "arn:aws:sqs:us-east-1:1:p-DeliverQueue-X",
    "State": "Enabled",
    "ScalingConfig": {"MaximumConcurrency": 50},
}
STREAM = {
    "UUID": "a-stream",
    "FunctionArn": "arn:aws:lambda:us-east-1:1:function:p-fanout",
    "EventSourceArn": "arn:aws:dynamodb:us-east-1:1:table/p-EventsTable-X/stream/2026",
    "State": "Enabled",
    "ParallelizationFactor": 4,
}
FUNCTION = {"State": "Active", "LastUpdateStatus": "Successful", "Architectures": ["arm64"], "CodeSize": 5_300_000}
TIMER = {"State": "ENABLED", "ScheduleExpression": "rate(3 minutes)"}
TARGETS = {"Targets": [{"Arn": "arn:aws:lambda:us-east-1:1:function:p-sweep"}]}
RESOURCES = [
    ("DeliverFunction", "AWS::Lambda::Function", "p-deliver"),
    ("DeliverFromDeliverQueue", "AWS::Lambda::EventSourceMapping", "a-mapping"),
    ("FanoutFromEvents", "AWS::Lambda::EventSourceMapping", "a-stream"),
    ("SweepTimer", "AWS::Events::Rule", "p-SweepTimer-X"),
    ("EventsFromBus", "AWS::Events::Rule", "p|p-EventsFromBus-X"),
]
TOPIC = "arn:aws:sns:us-east-1:1:p-alarms"


WELL: dict[str, Any] = {
    "get_function_configuration": FUNCTION,
    "get_function_concurrency": {},
    "get_event_source_mapping": lambda UUID: MAPPING if UUID == "a-mapping" else STREAM,  # noqa: N803
    "describe_rule": TIMER,
    "list_targets_by_rule": TARGETS,
    "list_subscriptions_by_topic": {"Subscriptions": [{"SubscriptionArn": f"{TOPIC}:1"}]},
    "get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 1_000}},
}


def stack(**other: Any) -> Stack:
    made = Stack.__new__(Stack)
    made.name, made.status = "p", "UPDATE_COMPLETE"
    made.outputs = {"ApiUrl": "https://x", "AdminKeySecret": "arn", "AlarmTopic": TOPIC}
    made.parameters = {"DeliverConcurrency": "50", "RetryConcurrency": "20"}
    made.resources = [Resource(*one) for one in RESOURCES]
    for name, value in other.items():
        setattr(made, name, value)
    return made


def subscribed(*arns: str) -> dict:
    return {"Subscriptions": [{"SubscriptionArn": arn} for arn in arns]}


class Looks(unittest.TestCase):
    def look(self, made: Stack | None = None, is_aws: bool = True, **answers: Any) -> tuple[dict[str, Row], list[str], Rows]:
        target: Any = Target(Amazon(**(WELL | answers)), is_aws)
        rows = Rows()
        with contextlib.redirect_stdout(io.StringIO()):
            in_the_way = Standing(target, made or stack()).look(rows)
        return {row.what: row for row in rows.all}, in_the_way, rows

    def fails(self, what: str, words: str, made: Stack | None = None, stops: bool = True, **answers: Any) -> None:
        rows, in_the_way, _ = self.look(made, **answers)
        self.assertEqual([name for name, row in rows.items() if row.verdict is Verdict.FAILED], [what], rows)
        self.assertRegex(rows[what].said, words)
        self.assertEqual(in_the_way, [what] if stops else [])

    def test_a_stack_that_is_well(self):
        rows, in_the_way, _ = self.look()
        self.assertEqual({row.verdict for row in rows.values()}, {Verdict.OK}, rows)
        self.assertEqual(in_the_way, [])
        self.assertLessEqual({name for name, _, _ in RESOURCES}, rows.keys(), "each of its own resources has a row")
        self.assertIn("67", rows["the account's concurrency"].said, "50 for a queue, 16 for the stream, a sweep")

    def test_a_deployment_that_goes_on_or_was_rolled_back(self):
        self.fails("the stack", "wait", stack(status="UPDATE_IN_PROGRESS"))
        self.fails("the stack", "did not come to its end", stack(status="UPDATE_ROLLBACK_COMPLETE"))

    def test_an_output_that_is_missing(self):
        self.fails("its outputs", "ApiUrl", stack(outputs={"AdminKeySecret": "arn", "AlarmTopic": TOPIC}))

    def test_a_name_that_is_too_long(self):
        self.fails("the stack's name", "54 characters", stack(name="p" * 54), stops=False)
        self.assertIn("ExtraDialects", self.look(stack(name="p" * 41))[0]["the stack's name"].said)

    def test_behind_an_alias_it_is_the_function_that_is_named(self):
        """With a gradual deployment mappings lead to `live`."""

        def aliased(UUID: str) -> dict:  # noqa: N803
            told = MAPPING if UUID == "a-mapping" else STREAM
            return told | {"FunctionArn": f"{told['FunctionArn']}:live"}

        rows, _, _ = self.look(get_event_source_mapping=aliased)
        self.assertEqual(rows["DeliverFromDeliverQueue"].said, "p-DeliverQueue-X sets p-deliver going")
        self.assertEqual(rows["FanoutFromEvents"].said, "p-EventsTable-X sets p-fanout going")

    def test_a_mapping_that_is_disabled_or_gone_or_cannot_read(self):
        def disabled(UUID: str) -> dict:  # noqa: N803
            return (MAPPING if UUID == "a-mapping" else STREAM) | {"State": "Disabled" if UUID == "a-mapping" else "Enabled"}

        words = "p-DeliverQueue-X waits, and p-deliver gets none.*--uuid a-mapping --enabled"
        self.fails("DeliverFromDeliverQueue", words, get_event_source_mapping=disabled)

        def stuck(UUID: str) -> dict:  # noqa: N803
            return STREAM | {"LastProcessingResult": "PROBLEM: Function call failed"} if UUID == "a-stream" else MAPPING

        self.fails("FanoutFromEvents", "p-EventsTable-X: PROBLEM", get_event_source_mapping=stuck)
        rows, in_the_way, _ = self.look(get_event_source_mapping=refused("ResourceNotFoundException"))
        self.assertRegex(rows["FanoutFromEvents"].said, "somebody took it away")
        self.assertEqual(in_the_way, ["DeliverFromDeliverQueue", "FanoutFromEvents"])

    def test_a_timer_that_is_disabled_or_gone_or_leads_nowhere(self):
        def of_timer(answer: Any, otherwise: Any) -> Callable[..., Any]:
            def rule(EventBusName: str, **_: str) -> Any:  # noqa: N803
                if EventBusName != "default":
                    return otherwise
                if isinstance(answer, Exception):
                    raise answer
                return answer

            return rule

        disabled = TIMER | {"State": "DISABLED"}
        self.fails("SweepTimer", "p-sweep is not started.*enable-rule --name p-SweepT", describe_rule=of_timer(disabled, TIMER))
        gone = refused("ResourceNotFoundException")
        self.fails("SweepTimer", "somebody took it away", describe_rule=of_timer(gone, TIMER))
        nowhere = of_timer({"Targets": []}, TARGETS)
        self.fails("SweepTimer", "no target: it starts nothing any more", list_targets_by_rule=nowhere)

    def test_a_rule_of_the_stacks_own_bus_is_found_by_its_name_alone(self):
        def rule(EventBusName: str, **_: str) -> dict:  # noqa: N803
            if EventBusName != "p-bus":
                raise refused("ResourceNotFoundException")
            return {"State": "ENABLED"}

        own = [("EventsFromBus", "AWS::Events::Rule", "p-EventsFromBus-X"), ("EventBus", "AWS::Events::EventBus", "p-bus")]
        rows, _, _ = self.look(stack(resources=[Resource(*one) for one in own]), describe_rule=rule)
        self.assertIs(rows["EventsFromBus"].verdict, Verdict.OK, rows)

    def test_a_function_that_was_stopped_or_fails_to_start(self):
        stopped = {"ReservedConcurrentExecutions": 0}
        self.fails("DeliverFunction", "delete-function-concurrency --function-name p-deliver", get_function_concurrency=stopped)
        failed = FUNCTION | {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no such role"}
        self.fails("DeliverFunction", "no such role", get_function_configuration=failed)

    def test_alarms_that_nobody_hears(self):
        nobody, pending = subscribed(), subscribed("PendingConfirmation")
        self.fails("who hears of alarms", "AlarmEmail", list_subscriptions_by_topic=nobody, stops=False)
        self.fails("who hears of alarms", "confirmed", list_subscriptions_by_topic=pending, stops=False)
        rows, _, _ = self.look(is_aws=False, list_subscriptions_by_topic=nobody)
        self.assertIs(rows["who hears of alarms"].verdict, Verdict.UNKNOWN)

    def test_an_account_that_is_too_small(self):
        ten = {"AccountLimit": {"ConcurrentExecutions": 10}}
        self.fails("the account's concurrency", "L-B99A9384", get_account_settings=ten, stops=False)
        least = stack(parameters={"DeliverConcurrency": "2", "RetryConcurrency": "2", "SlowConcurrency": "2"})
        rows, _, _ = self.look(least, get_account_settings=ten)
        self.assertIs(rows["the account's concurrency"].verdict, Verdict.OK, "no values go lower")

    def test_what_one_may_not_see_is_told_apart(self):
        rows, in_the_way, all_rows = self.look(get_account_settings=refused("AccessDeniedException"))
        row = rows["the account's concurrency"]
        self.assertIs(row.verdict, Verdict.UNKNOWN)
        self.assertRegex(row.said, "lambda:GetAccountSettings.*docs/aws.md")
        self.assertEqual((in_the_way, all_rows.exit_status()), ([], 2))

    def test_an_aws_that_does_not_answer_is_told(self):
        unreachable = EndpointConnectionError(endpoint_url="https://sns")
        self.fails(
            "who hears of alarms", "ListSubscriptionsByTopic got no answer", stops=False, list_subscriptions_by_topic=unreachable
        )


if __name__ == "__main__":
    unittest.main()
