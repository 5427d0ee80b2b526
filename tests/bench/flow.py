"""An event's way through the three functions, in exact batches, each invocation counted."""

import asyncio
import contextlib
import json
from collections.abc import Iterator

from customer import Customer
from destination import Destination
from feeds import api_request, queue_batch, stream_batch
from function import Function, Invocation
from process import memory_mb
from proxy import Call, Proxy
from tally import Tally

STREAM_BATCH = 100
QUEUE_BATCH = 10
DELIVER_QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:deliver"
RETRY_QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:retry"
SLOW_QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:slow"
DATA = {
    "invoice": {
        "id": "in_1Q8xYw2eZvKYlo2C",
        "number": "2026-000815",
        "currency": "eur",
        "total": 12900,
        "paid_at": "2026-01-15T14:29:58Z",
        "lines": [
            {"sku": "seat-monthly", "quantity": 12, "amount": 10800},
            {"sku": "storage-gb", "quantity": 70, "amount": 2100},
        ],
    },
    "customer": {"id": "cus_9s6XKzkNRiz8i3", "name": "Example Ltd."},
}


class Flow:
    """Feeds `events`, `fanout` and `deliver` and tallies what they use; `fresh` begins a new tally."""

    def __init__(self, functions: dict[str, Function], proxy: Proxy, receiver: Destination) -> None:
        self.functions, self.proxy, self.receiver = functions, proxy, receiver
        # Those of the last invocation.
        self.calls: list[Call] = []
        self.fresh()

    def fresh(self) -> None:
        self.tally = Tally()
        self._before = self._received()

    def _received(self) -> tuple[int, ...]:
        return self.receiver.posts, self.receiver.bytes, self.receiver.connections, self.receiver.resumed

    def counted(self, deliveries: int | None = None) -> Tally:
        """The tally so far, by deliveries: as many as POSTs unless the caller counts otherwise."""
        received = zip(self._received(), self._before, strict=True)
        posts, self.tally.sent_bytes, self.tally.connections, self.tally.resumed = (now - before for now, before in received)
        self.tally.deliveries = deliveries or posts
        return self.tally

    @contextlib.contextmanager
    def uncounted(self) -> Iterator[None]:
        """What is done in it is not in the tally."""
        tally, before, begun = self.tally, self._before, self._received()
        self.fresh()
        try:
            yield
        finally:
            passed = zip(before, self._received(), begun, strict=True)
            self.tally, self._before = tally, tuple(was + now - then for was, now, then in passed)

    def memory(self) -> dict[str, float]:
        """Megabytes resident at the most so far, by function."""
        return {name: memory_mb(function.pid)[1] for name, function in self.functions.items()}

    async def publish(self, customer: Customer, event: str, count: int, batch: int | None = None) -> list[dict]:
        """The provider publishes one by one, or `batch` at a time; the rows that came of it."""
        rows = []
        for begin in range(0, count, batch or 1):
            one = {"event": event, "data": DATA, "tenant_id": customer.tenant_id}
            size = min(batch or 1, count - begin)
            path, body = ("/v1/events/batch", {"events": [one] * size}) if batch else ("/v1/events", one)
            done, calls = await self.invoke("events", api_request("POST", path, customer.provider_key, body))
            if done.answer["statusCode"] != 202:
                raise AssertionError(f"publishing answered {done.answer}")
            self.tally.requests += 1
            self.tally.answered_bytes += len(json.dumps(done.answer["headers"])) + len(done.answer["body"])
            rows += [call.request["Item"] for call in calls if call.operation == "PutItem"]
        return rows

    async def fan_out(self, rows: list[dict]) -> list[str]:
        """The messages that came of these rows, and of what was left to go on, turn by turn."""
        queue = self.functions["fanout"].environment["CONTINUATION_QUEUE_URL"]
        queue_arn = f"arn:aws:sqs:us-east-1:000000000000:{queue.rsplit('/', 1)[1]}"
        messages, batches = [], [stream_batch(rows[begin : begin + STREAM_BATCH]) for begin in range(0, len(rows), STREAM_BATCH)]
        while batches:
            _, calls = await self.invoke("fanout", batches.pop(0))
            for call in calls:
                if call.operation == "SendMessageBatch":
                    bodies = [entry["MessageBody"] for entry in call.request["Entries"]]
                    if call.request["QueueUrl"] == queue:
                        batches += [queue_batch([body], queue_arn) for body in bodies]
                        self.tally.queue_calls += 2 * len(bodies)
                    else:
                        messages += bodies
        return messages

    async def deliver(self, messages: list[str], batch: int = QUEUE_BATCH, pause: float = 0.0) -> list[str]:
        """First attempts, in full batches and at once unless told otherwise; the messages that follow, of every attempt that
        is to be made again."""
        return await self._attempt(messages, batch, DELIVER_QUEUE_ARN, pause)

    async def retry(self, messages: list[str], batch: int = 1) -> list[str]:
        """Later attempts, whenever they are due: one by one, as their times differ, unless many wait. What a schedule sent is
        sent on with its group, and then attempted."""
        scheduled = [message for message in messages if json.loads(message).get("scheduled")]
        others = [message for message in messages if message not in scheduled]
        sent_on = await self._attempt(scheduled, batch, RETRY_QUEUE_ARN)
        return await self._attempt(sent_on + others, batch, RETRY_QUEUE_ARN)

    async def step(self, ticket: str) -> tuple[list[str], list[str]]:
        """Makes the step of an endpoint's parking that a ticket asks for: the next ticket, and the messages of what is sent."""
        return tickets_among(await self._attempt([ticket], 1, SLOW_QUEUE_ARN))

    async def _attempt(self, messages: list[str], batch: int, queue_arn: str, pause: float = 0.0) -> list[str]:
        following = []
        for begin in range(0, len(messages), batch):
            await asyncio.sleep(pause)
            connections = self.receiver.connections
            done, calls = await self.invoke("deliver", queue_batch(messages[begin : begin + batch], queue_arn))
            self.tally.connecting += self.receiver.connections > connections
            if done.answer["batchItemFailures"]:
                raise AssertionError("deliver handed messages back; its log says why")
            self.tally.queue_calls += 2
            for call in calls:
                if call.operation == "CreateSchedule":
                    self.tally.scheduled += 1
                    self.tally.queue_calls += 1
                    following.append(call.request["Target"]["Input"])
                elif call.operation == "SendMessageBatch":
                    following += [entry["MessageBody"] for entry in call.request["Entries"]]
                elif call.operation == "SendMessage":
                    following.append(call.request["MessageBody"])
        return following

    async def invoke(self, name: str, event: dict) -> tuple[Invocation, list[Call]]:
        """One invocation, which is tallied, and the calls that it made."""
        function = self.functions[name]
        self.proxy.take()
        cpu, logged = function.cpu(), function.log.stat().st_size
        done = await function.invoke(event)
        self.calls = calls = self.proxy.take()
        self.tally.uses[name].add(calls, function.cpu() - cpu, done.seconds, function.log.stat().st_size - logged)
        return done, calls


def tickets_among(sent: list[str]) -> tuple[list[str], list[str]]:
    """What asks for a step of an endpoint's parking, and what asks for an attempt."""
    tickets = [body for body in sent if "ticket" in json.loads(body)]
    return tickets, [body for body in sent if body not in tickets]
