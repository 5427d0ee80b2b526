"""What AWS does between our functions: brings new rows and messages to them, fires schedules, and calls them for the API."""

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from account import Account
from emulated import Emulated
from envelopes import api_request, of_bus, queue_batch, stream_batch, timer
from needs import queue_arn
from resolved import ACCOUNT, Resolved
from step import Failed

# As `re.escape` writes a route's parameter.
PARAMETER = re.compile(r"\\\{([A-Za-z_]+)(\\\+)?\\\}")
ANSWER = {"statusCode", "headers", "body", "isBase64Encoded", "cookies"}
# What else the runtime's types write, always empty: of payload format 1.0, and ignored in 2.0.
IGNORED = "multiValueHeaders"
WITHIN = 30.0


class World:
    """`routes` are the API's that were called, of all that `all_routes` holds."""

    def __init__(self, resolved: Resolved, account: Account, functions: dict[str, Emulated]) -> None:
        self.resolved, self.account, self.functions = resolved, account, functions
        self.routes: set[str] = set()
        # Two that act at one time must not invoke one function at once: it has one process.
        self._turns = {name: threading.Lock() for name in functions}
        self._seen: set[tuple[str, str]] = set()
        self._learn_routes()
        self._learn_sources()

    def _learn_routes(self) -> None:
        by_arn = {self.resolved.arn(name): name for name in self.functions}
        integrations = self.resolved.of_type("AWS::ApiGatewayV2::Integration")
        leads = {f"integrations/{self.resolved.ref(name)}": by_arn[told["IntegrationUri"]] for name, told in integrations.items()}
        routes = self.resolved.of_type("AWS::ApiGatewayV2::Route").values()
        self.all_routes: dict[str, str] = {told["RouteKey"]: leads[told["Target"]] for told in routes}

    def _learn_sources(self) -> None:
        names = {told["FunctionName"]: name for name, told in self.resolved.of_type("AWS::Lambda::Function").items()}
        self.queues: list[tuple[str, str, int]] = []
        for told in self.resolved.of_type("AWS::Lambda::EventSourceMapping").values():
            function, source = names[told["FunctionName"]], told["EventSourceArn"]
            if ":sqs:" in source:
                self.queues.append((source, function, told["BatchSize"]))
            else:
                self.stream = (source, function, told["BatchSize"])

    def invoke(self, function: str, event: Any) -> Any:
        with self._turns[function]:
            return self.functions[function].invoke(event)

    def answered(self, function: str, event: Any) -> Any:
        """The same of a function that always answers: one that ended at its start, for want of a setting, says nothing."""
        told = self.invoke(function, event)
        if told is None:
            raise Failed(f"{function} answers nothing; its log is {self.functions[function].log}")
        return told

    # ------------------------------------------------------------ the API

    def call(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
        """The status, and the body: read where it is JSON."""
        told = self.ask(method, path, headers, body)
        is_page = told.get("headers", {}).get("content-type", "").startswith("text/html")
        return told["statusCode"], json.loads(told["body"]) if told.get("body") and not is_page else told.get("body")

    def ask(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> dict[str, Any]:
        """The whole answer, as the function gives it."""
        route, parameters = self._route(path.partition("?")[0])
        self.routes.add(route)
        event = api_request(method, path, route, parameters, headers, body)
        told = self.answered(self.all_routes[route], event)
        unknown = set(told) - ANSWER - (set() if told.get(IGNORED) else {IGNORED})
        is_whole = isinstance(told.get("statusCode"), int) and all(isinstance(v, str) for v in told.get("headers", {}).values())
        if unknown or not is_whole or not isinstance(told.get("body", ""), str | None):
            raise Failed(f"{method} {path} is answered by what is no answer of an HTTP API: {told}")
        return told

    def _route(self, path: str) -> tuple[str, dict[str, str]]:
        """The most specific one that matches, as API Gateway chooses."""
        found = []
        for route in self.all_routes:
            if route == "$default":
                continue
            pattern = PARAMETER.sub(lambda name: f"(?P<{name[1]}>{'.+' if name[2] else '[^/]+'})", re.escape(route.split(" ")[1]))
            if match := re.fullmatch(pattern, path):
                found.append((route.count("+}"), route.count("{"), route, match.groupdict()))
        if not found:
            return "$default", {}
        _, _, route, parameters = min(found, key=lambda one: one[:2])
        return route, parameters

    # ------------------------------------------------------------ rows, messages, schedules

    def rows(self, table: str) -> list[dict]:
        pages = self.account.client("dynamodb").get_paginator("scan").paginate(TableName=self.resolved.name(table))
        return [row for page in pages for row in page["Items"]]

    def new_events(self) -> list[dict]:
        """Rows of the events table that no batch has brought yet."""
        found = []
        for row in self.rows("EventsTable"):
            key = (row["tenant_id"]["S"], row["id"]["S"])
            if key not in self._seen:
                self._seen.add(key)
                found.append(row)
        return found

    def fan_out(self, rows: list[dict]) -> None:
        source, function, batch = self.stream
        for begin in range(0, len(rows), batch):
            told = self.invoke(function, stream_batch(rows[begin : begin + batch], ("tenant_id", "id"), source))
            if told not in (None, {"batchItemFailures": []}):
                raise Failed(f"a batch of the stream is answered by {told}")

    def queue_url(self, name: str) -> str:
        return self.resolved.ref(name)

    def receive(self, name_or_arn: str, most: int = 10, wait: int = 0) -> list[dict]:
        url = self._moto_url(name_or_arn)
        asked = {"QueueUrl": url, "MaxNumberOfMessages": most, "WaitTimeSeconds": wait, "AttributeNames": ["All"]}
        return self.account.client("sqs").receive_message(**asked).get("Messages", [])

    def send(self, queue: str, body: str) -> None:
        self.account.client("sqs").send_message(QueueUrl=self._moto_url(queue), MessageBody=body)

    def purge(self, queue: str) -> None:
        self.account.client("sqs").purge_queue(QueueUrl=self._moto_url(queue))

    def delete(self, queue: str, message: dict) -> None:
        self.account.client("sqs").delete_message(QueueUrl=self._moto_url(queue), ReceiptHandle=message["ReceiptHandle"])

    def give_back(self, queue: str, message: dict) -> None:
        """Makes a message that was received visible again."""
        at = {"QueueUrl": self._moto_url(queue), "ReceiptHandle": message["ReceiptHandle"]}
        self.account.client("sqs").change_message_visibility(**at, VisibilityTimeout=0)

    def _moto_url(self, name_or_arn: str) -> str:
        arn = name_or_arn if name_or_arn.startswith("arn:") else queue_arn(self.resolved.ref(name_or_arn))
        return f"{self.account.url}/{ACCOUNT}/{arn.rsplit(':', 1)[1]}"

    def serve_queue(self, arn: str, function: str, messages: list[dict]) -> list[str]:
        """Gives a batch to its function, and deletes what it has done; the ids of what is to come again."""
        told = self.answered(function, queue_batch(messages, arn))
        ids = {message["MessageId"] for message in messages}
        failures = told.get("batchItemFailures") if isinstance(told, dict) and set(told) == {"batchItemFailures"} else None
        if failures is None or any(set(one) != {"itemIdentifier"} or one["itemIdentifier"] not in ids for one in failures):
            raise Failed(f"{function} answers a queue's batch with {told}")
        failed = [one["itemIdentifier"] for one in failures]
        for message in messages:
            if message["MessageId"] not in failed:
                self.delete(arn, message)
        return failed

    def turn(self) -> bool:
        """Brings all that is to be brought now; whether that was anything."""
        rows = self.new_events()
        if rows:
            self.fan_out(rows)
        did = bool(rows)
        for arn, function, batch in self.queues:
            while messages := self.receive(arn, batch):
                self.serve_queue(arn, function, messages)
                did = True
        return did

    def settle(self) -> None:
        """Until nothing more is to be brought now."""
        while self.turn():
            pass

    def until(self, what: str, told: Callable[[], Any], otherwise: Any = "", within: float = WITHIN) -> Any:
        """Goes on until it is told something; `otherwise` is shown where it is not."""

        def go_on() -> Any:
            while self.turn():
                if found := told():
                    return found
            return told()

        return self.poll(what, go_on, otherwise, within)

    def poll(self, what: str, told: Callable[[], Any], otherwise: Any = "", within: float = WITHIN) -> Any:
        """The same where nothing else is to go on."""
        deadline = time.monotonic() + within
        while not (found := told()):
            if time.monotonic() > deadline:
                raise Failed(f"{what}: not within {within:.0f} s: {otherwise}")
            time.sleep(0.05)
        return found

    def fire_schedules(self) -> int:
        """Sends what every schedule is to send, as if its time had come, and deletes it; how many there were."""
        scheduler, number = self.account.client("scheduler"), 0
        for listed in scheduler.list_schedules()["Schedules"]:
            at = {"Name": listed["Name"], "GroupName": listed["GroupName"]}
            target = scheduler.get_schedule(**at)["Target"]
            self.send(target["Arn"], target["Input"])
            scheduler.delete_schedule(**at)
            number += 1
        return number

    # ------------------------------------------------------------ the bus and the timer

    def put_on_bus(self, function: str, detail_type: str, detail: dict) -> None:
        told = self.invoke(function, of_bus(detail_type, detail))
        if told is not None:
            raise Failed(f"the bus is answered by {told}")

    def sweep(self) -> dict:
        (rule,) = [name for name in self.resolved.of_type("AWS::Events::Rule") if name == "SweepTimer"]
        return self.answered("SweepFunction", timer(self.resolved.name(rule)))
