"""An endpoint that is down: what a delivery costs that is parked meanwhile and sent once it is back, and what the outage does.

The clock is not waited for. The endpoint's row is told that nobody has answered for long, and that its next step is due."""

import asyncio
import contextlib
import dataclasses
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

from aws import client
from customer import Customer
from flow import QUEUE_BATCH, Flow, tickets_among
from scenarios import EVENT, check, customer_of, warm
from stand import Stand
from tally import Tally

# How a delivery comes to be parked.
BY_FAN_OUT, BY_DELIVER, AFTER_ATTEMPTS = "by fan-out", "by deliver", "after two attempts"
# Of which a sweep and a probe read a full page.
PARKED = 110
DOWN_FOR = timedelta(hours=1)


@dataclasses.dataclass
class Outage:
    """Deliveries by how they came to be parked, each with its share of a page that is drained; and what is done once in an
    outage, once a probe and once a sweep, each as a tally of one."""

    ways: dict[str, Tally]
    begun: Tally
    probed: Tally
    looked_at: Tally
    answered: Tally
    drained: Tally
    # Seconds before each probe, the last one again and again.
    intervals: list[int]

    @property
    def steps(self) -> dict[str, Tally]:
        return {
            "the attempt that begins it": self.begun,
            "a probe that nobody answers": self.probed,
            "a sweep's look": self.looked_at,
            "the probe that is answered": self.answered,
            "its end": self.drained,
        }

    def probes(self, seconds: int) -> int:
        """How many there are in an outage of so long."""
        last = itertools.repeat(self.intervals[-1])
        return sum(1 for _ in itertools.takewhile(seconds.__ge__, itertools.accumulate(itertools.chain(self.intervals, last))))


async def outage(stand: Stand, deliveries: int) -> Outage:
    """So many of each way, which are drained as one page: a thousand at the most."""
    ways = {
        BY_FAN_OUT: await _parked_by_fan_out(stand, deliveries),
        BY_DELIVER: await _parked_by_deliver(stand, deliveries),
        AFTER_ATTEMPTS: await _parked_after_attempts(stand, deliveries),
    }
    async with _down(stand) as down:
        return await _steps(down, ways)


class Down:
    """A customer's endpoint that is down, the first message that was sent to it, and its outage's next ticket."""

    def __init__(self, stand: Stand, flow: Flow, customer: Customer, first: list[str]) -> None:
        self.stand, self.flow, self.customer, self.first = stand, flow, customer, first
        self.ticket: list[str] = []

    async def publish(self, events: int) -> list[str]:
        """The messages that come of so many, if any do."""
        return await self.flow.fan_out(await self.flow.publish(self.customer, EVENT, events))

    async def begin(self) -> None:
        """One attempt too many fails, of the delivery that has waited for longest: it is the one that a probe is made with."""
        at = {":at": {"S": _ago(DOWN_FOR)}}
        await asyncio.to_thread(self._change, "SET down_since = :at, failing_since = :at", at)
        self.ticket, following = tickets_among(await self.flow.deliver(self.first))
        check(len(self.ticket) == 1 and not following, "an attempt began no outage")

    async def step(self) -> list[str]:
        """The outage's next one, without waiting for its time; the messages that it sends."""
        await asyncio.to_thread(self._change, "SET parking.next_at = :past", {":past": {"S": _ago(timedelta(minutes=1))}})
        (ticket,) = self.ticket
        self.ticket, messages = await self.flow.step(ticket)
        return messages

    async def answer(self) -> None:
        """From here on somebody answers, which the next probe finds."""
        self.stand.https.status, self.stand.https.body = 204, b""
        check(not await self.step() and len(self.ticket) == 2, "the probe that was answered begins to drain")
        # The ticket for the probe that would have followed is stale.
        stale, *self.ticket = self.ticket
        check(await self.flow.step(stale) == ([], []), "a stale ticket does nothing")

    async def drain(self, deliveries: int) -> None:
        """One page of so many, each of which is taken."""
        # A first page's size stands in the row. What others have sent stands in the queue, and would make the page smaller.
        await asyncio.to_thread(self._change, "SET parking.page = :rows", {":rows": {"N": str(deliveries)}})
        sqs, queue = client("sqs", self.stand.stack["endpoint_url"]), self.stand.stack["queues"]["retry"]
        await asyncio.to_thread(sqs.purge_queue, QueueUrl=queue)
        messages = await self.step()
        check(len(messages) == deliveries, f"{len(messages)} of {deliveries} parked deliveries were sent")
        check(not await self.flow.retry(messages, QUEUE_BATCH), "a parked delivery was not taken")

    def delay(self) -> int:
        """How many seconds the last ticket is kept back."""
        sent = [call.request for call in self.flow.calls if call.operation == "SendMessage"]
        (delay,) = (request["DelaySeconds"] for request in sent if "ticket" in json.loads(request["MessageBody"]))
        return int(delay)

    def _change(self, change: str, values: dict) -> None:
        dynamodb = client("dynamodb", self.stand.stack["endpoint_url"])
        (endpoint,) = self.customer.made
        key = {"pk": {"S": f"TENANT#{self.customer.tenant_id}"}, "sk": {"S": f"WEBHOOK#{endpoint}"}}
        dynamodb.update_item(
            TableName=self.stand.stack["tables"]["config"],
            Key=key,
            UpdateExpression=change,
            ExpressionAttributeValues=values,
        )


@contextlib.asynccontextmanager
async def _down(stand: Stand) -> AsyncIterator[Down]:
    customer = await customer_of(stand)
    async with stand.flow() as flow:
        await warm(flow, customer)
        first = await flow.fan_out(await flow.publish(customer, EVENT, 1))
        flow.fresh()
        with _refusing(stand):
            yield Down(stand, flow, customer, first)


@contextlib.contextmanager
def _refusing(stand: Stand) -> Iterator[None]:
    stand.https.status, stand.https.body = 503, b'{"error":"temporarily unavailable"}'
    try:
        yield
    finally:
        stand.https.status, stand.https.body = 204, b""


async def _parked_by_fan_out(stand: Stand, deliveries: int) -> Tally:
    """Published while it is down: no message is sent."""
    async with _down(stand) as down:
        with down.flow.uncounted():
            await down.begin()
        check(not await down.publish(deliveries), "fan-out parks, and sends no message")
        return await _sent(down, deliveries)


async def _parked_by_deliver(stand: Stand, deliveries: int) -> Tally:
    """Their messages were under way when it began."""
    async with _down(stand) as down:
        messages = await down.publish(deliveries)
        with down.flow.uncounted():
            await down.begin()
        check(not await down.flow.deliver(messages), "deliver parks, and sends no message")
        return await _sent(down, deliveries)


async def _parked_after_attempts(stand: Stand, deliveries: int) -> Tally:
    """Published before it began: the first attempt and the first retry fail, and the next one is due once it has begun."""
    async with _down(stand) as down:
        messages = await down.flow.deliver(await down.publish(deliveries))
        messages = await down.flow.retry(messages, QUEUE_BATCH)
        with down.flow.uncounted():
            await down.begin()
        check(not await down.flow.retry(messages, QUEUE_BATCH), "deliver parks, and sends no message")
        return await _sent(down, deliveries)


async def _sent(down: Down, deliveries: int) -> Tally:
    """The tally once all that is parked was taken; what the outage itself does is not in it."""
    with down.flow.uncounted():
        await down.answer()
    await down.drain(deliveries)
    tally = down.flow.counted(deliveries)
    with down.flow.uncounted():
        check(not await down.step() and not down.ticket, "once all is taken it is over")
    return tally


async def _look(down: Down) -> Tally:
    """What a sweep asks for the sake of the endpoint; the sweep itself comes anyway."""
    (endpoint,) = down.customer.made
    async with down.stand.function("sweep") as sweep:
        down.stand.proxy.take()
        await sweep.invoke({})
        calls = [call for call in down.stand.proxy.take() if endpoint in json.dumps(call.request)]
    check(bool(calls), "the sweep did not look after what is parked")
    tally = Tally(deliveries=1)
    tally.uses["sweep"].add(calls, 0.0, 0.0, 0)
    tally.uses["sweep"].invocations = 0
    return tally


async def _steps(down: Down, ways: dict[str, Tally]) -> Outage:
    flow = down.flow
    await down.begin()
    begun, intervals = flow.counted(1), [down.delay()]
    flow.fresh()
    check(not await down.publish(PARKED), "fan-out parks, and sends no message")
    looked_at = await _look(down)
    flow.fresh()
    while intervals[-1:] != intervals[-2:-1]:
        await down.step()
        intervals.append(down.delay())
    probed = flow.counted(len(intervals) - 1)
    flow.fresh()
    await down.answer()
    answered = flow.counted(1)
    flow.fresh()
    await down.drain(PARKED)
    flow.fresh()
    check(not await down.step() and not down.ticket, "once all is taken it is over")
    return Outage(ways, begun, probed, looked_at, answered, flow.counted(1), intervals)


def _ago(by: timedelta) -> str:
    """As rows have their times."""
    return (datetime.now(UTC) - by).isoformat(timespec="milliseconds").replace("+00:00", "Z")
