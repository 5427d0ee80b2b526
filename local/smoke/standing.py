"""What has to stand before anything is sent, read from the stack's own resources: what is amiss here is a cause."""

import functools
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from smoke.rows import Finding, Row, Rows, Unknown, Verdict, aws
from smoke.stack import Resource, Stack, function_of, last
from smoke.target import Target

# What this program goes by itself.
OUTPUTS = ("ApiUrl", "AdminKeySecret", "AlarmTopic")
# A function's name has 64 characters, and takes up to ten beside the stack's (docs/aws.md, "Stack names").
LONGEST_NAME = 53
FITS_ALWAYS = 40
# What one needs so that the API is left room, beside what attempts take, and how many shards the stream is expected to have
# (docs/limits.md, "Functions at once").
SHARDS = 4
LEAST_CONCURRENCY = 2


class Standing:
    """A stack's parts, one look at each."""

    def __init__(self, target: Target, stack: Stack) -> None:
        self.target = target
        self.stack = stack
        self._mappings: list[dict] = []

    def look(self, rows: Rows) -> list[str]:
        """Looks at all of it; names what keeps anything from being tried at all."""
        in_the_way = [
            rows.look("the stack", self.deployed),
            rows.look("its outputs", self.outputs),
            *self._each(rows, "AWS::Lambda::Function", self.function),
            *self._each(rows, "AWS::Lambda::EventSourceMapping", self.mapping),
            *self._each(rows, "AWS::Events::Rule", self.rule),
        ]
        rows.look("the stack's name", self.name)
        rows.look("who hears of alarms", self.alarms)
        rows.look("the account's concurrency", self.concurrency)
        return [row.what for row in in_the_way if row.verdict is Verdict.FAILED]

    def _each(self, rows: Rows, kind: str, look: Callable[[Resource], str]) -> list[Row]:
        return [rows.look(one.logical, functools.partial(look, one)) for one in self.stack.of(kind)]

    def deployed(self) -> str:
        status = self.stack.status
        if status.endswith("_IN_PROGRESS"):
            raise Finding(f"it is {status}: wait until that is over, then ask again")
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
            raise Finding(
                f"it is {status}: the last deployment did not come to its end, so this is not what was meant to "
                f"run; its events say why "
                f"(aws cloudformation describe-stack-events --stack-name {self.stack.name})"
            )
        return f"{status}, {len(self.stack.resources)} resources"

    def outputs(self) -> str:
        missing = [name for name in OUTPUTS if not self.stack.outputs.get(name)]
        empty = [name for name, value in self.stack.outputs.items() if not value]
        if missing or empty:
            raise Finding(f"missing or empty: {', '.join({*missing, *empty})}; deploy the stack again from its template")
        return f"all {len(self.stack.outputs)} are there"

    def name(self) -> str:
        length = len(self.stack.name)
        if length > LONGEST_NAME:
            raise Finding(
                f"{length} characters: a function of a later version may not fit in a name (docs/aws.md, 'Stack names')"
            )
        told = "always fit" if length <= FITS_ALWAYS else "fit while ExtraDialects is not at its longest"
        return f"{length} characters, which {told}"

    def function(self, one: Resource) -> str:
        lambdas = self.target.client("lambda")
        with aws("call lambda:GetFunctionConfiguration"):
            told = lambdas.get_function_configuration(FunctionName=one.physical)
        state, update = told.get("State", "Active"), told.get("LastUpdateStatus", "Successful")
        if state not in ("Active", "Inactive") or update != "Successful":
            reason = told.get("StateReason") or told.get("LastUpdateStatusReason") or "Lambda gives no reason"
            raise Finding(f"it is {state}, its last update {update}: {reason}")
        with aws("call lambda:GetFunctionConcurrency"):
            reserved = lambdas.get_function_concurrency(FunctionName=one.physical).get("ReservedConcurrentExecutions")
        if reserved == 0:
            todo = f"aws lambda delete-function-concurrency --function-name {one.physical}"
            raise Finding(f"somebody has stopped it (reserved concurrency 0), and nothing that it does is done: {todo}")
        return f"{', '.join(told.get('Architectures', []))}, {told.get('CodeSize', 0) / 1e6:.1f} MB"

    def mapping(self, one: Resource) -> str:
        with aws("call lambda:GetEventSourceMapping"):
            told = self.target.client("lambda").get_event_source_mapping(UUID=one.physical)
        self._mappings.append(told)
        function, source = function_of(told["FunctionArn"]), last(told["EventSourceArn"].split("/stream/")[0])
        if told["State"] != "Enabled":
            todo = f"aws lambda update-event-source-mapping --uuid {one.physical} --enabled"
            raise Finding(f"it is {told['State']}: what is in {source} waits, and {function} gets none of it; {todo}")
        if (result := told.get("LastProcessingResult", "")).startswith("PROBLEM"):
            raise Finding(f"{function} cannot take from {source}: {result}")
        return f"{source} sets {function} going"

    def rule(self, one: Resource) -> str:
        events = self.target.client("events")
        bus, name, told = self._described(events, one)
        with aws("call events:ListTargetsByRule"):
            targets = events.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
        functions = ", ".join(function_of(target["Arn"]) for target in targets)
        schedule = told.get("ScheduleExpression")
        without = f"{functions} is not started any more" if functions else "it starts nothing any more"
        if schedule:
            without += ": what was lost is not found, and deletions, recoveries and dead letters wait"
        if told["State"] != "ENABLED":
            raise Finding(f"it is {told['State']}: {without}; aws events enable-rule --name {name} --event-bus-name {bus}")
        if not targets:
            raise Finding(f"it has no target: {without}; deploy the stack again")
        return f"{schedule or 'what is on the bus'} sets {functions} going"

    def _described(self, events: Any, one: Resource) -> tuple[str, str, dict]:
        """A rule with its bus: AWS names both in one where the bus is the stack's own, and the emulator does not."""
        bus, _, name = one.physical.rpartition("|")
        buses = [bus] if bus else ["default", *(own.physical for own in self.stack.of("AWS::Events::EventBus"))]
        with aws("call events:DescribeRule"):
            for bus in buses:
                try:
                    return bus, name, events.describe_rule(Name=name, EventBusName=bus)
                except ClientError as error:
                    if bus == buses[-1] or error.response["Error"]["Code"] != "ResourceNotFoundException":
                        raise
        raise AssertionError

    def alarms(self) -> str:
        topic = self.stack.outputs.get("AlarmTopic", "")
        with aws("call sns:ListSubscriptionsByTopic"):
            pages = self.target.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
            found = [one for page in pages for one in page["Subscriptions"]]
        # Of one that was not confirmed yet there is no ARN.
        confirmed = [one for one in found if one["SubscriptionArn"].startswith("arn:")]
        if confirmed:
            return f"{len(confirmed)} of {len(found)} subscriptions are confirmed"
        if found:
            raise Finding(
                "nobody has confirmed: alarms reach nobody; whoever subscribed has a letter of AWS's with a link to follow"
            )
        if not self.target.is_aws:
            raise Unknown("a local stack pages nobody")
        raise Finding(f"nobody: alarms reach nobody; deploy with AlarmEmail, or subscribe what pages you to {topic}")

    def concurrency(self) -> str:
        with aws("call lambda:GetAccountSettings"):
            limit = self.target.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
        needed = sum(self._most_at_once(told) for told in self._mappings) + 1
        if needed < limit:
            return f"{limit}, of which its own work takes {needed} at the most"
        if all(value <= LEAST_CONCURRENCY for value in self._chosen()):
            return (
                f"{limit}, and its own work can take {needed}: enough to try it out. Ask AWS for more before you send in earnest"
            )
        raise Finding(
            f"the account has {limit}, and the stack's own work can take {needed}: calls of the API will be "
            f"refused (503) under load; ask for "
            "more (aws service-quotas request-service-quota-increase --service-code lambda --quota-code "
            "L-B99A9384), or deploy with "
            "smaller DeliverConcurrency, RetryConcurrency and SlowConcurrency"
        )

    def _most_at_once(self, told: dict) -> int:
        most = told.get("ScalingConfig", {}).get("MaximumConcurrency")
        return int(most) if most else int(told.get("ParallelizationFactor", 1)) * SHARDS

    def _chosen(self) -> list[int]:
        return [int(value) for name, value in self.stack.parameters.items() if name.endswith("Concurrency")]
