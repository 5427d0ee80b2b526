"""What grows with a tenant's endpoints and with a backlog: nothing that a delivery costs."""

import asyncio
import dataclasses
import math

from aws import client
from customer import Customer
from flow import QUEUE_BATCH, Flow
from scenarios import EVENT, check
from stand import Stand
from tally import Tally

# Deliveries that are made and counted, in full batches.
SAMPLE = 200


@dataclasses.dataclass
class Grown:
    """Events to a tenant's many endpoints, a batch of the stream: their fan-out turn by turn, and a sample of the deliveries."""

    endpoints: int
    # Messages in the queue when the sample was delivered.
    waiting: int
    fan_out: Tally
    delivered: Tally
    # The same batch again, after the sample was delivered.
    again: Tally

    @property
    def calls(self) -> float:
        return self.fan_out.calls + self.delivered.calls


async def growth(stand: Stand, endpoints: int) -> Grown:
    """As many events as make a sample, to this many endpoints of one tenant, nobody else's messages waiting."""
    customer = await asyncio.to_thread(_crowd, stand, endpoints)
    events = math.ceil((SAMPLE + QUEUE_BATCH) / endpoints)
    async with stand.flow() as flow:
        rows = await flow.publish(customer, EVENT, events)
        flow.fresh()
        messages = await flow.fan_out(rows)
        fan_out = flow.counted(endpoints * events)
        check(len(messages) == fan_out.deliveries, f"{len(messages)} of {fan_out.deliveries} deliveries were announced")
        waiting = await asyncio.to_thread(_waiting, stand)
        delivered = await _sample(flow, messages)
        again = await _again(flow, rows, messages)
    return Grown(endpoints, waiting, fan_out, delivered, again)


async def short_queue(stand: Stand) -> Tally:
    """A sample of deliveries, never more than one batch of messages waiting."""
    customer = await asyncio.to_thread(_crowd, stand, QUEUE_BATCH)
    async with stand.flow() as flow:
        # The first batch reads what a process reads once.
        await flow.deliver(await flow.fan_out(await flow.publish(customer, EVENT, 1)))
        flow.fresh()
        for _ in range(SAMPLE // QUEUE_BATCH):
            await asyncio.to_thread(_purge, stand)
            messages = await flow.fan_out(await flow.publish(customer, EVENT, 1))
            check(await asyncio.to_thread(_waiting, stand) == QUEUE_BATCH, "not just one batch waits")
            await flow.deliver(messages)
        tally = flow.counted()
    return dataclasses.replace(tally, uses={"deliver": tally.uses["deliver"]})


def _crowd(stand: Stand, endpoints: int) -> Customer:
    """A customer with so many endpoints, and an empty queue."""
    _purge(stand)
    customer = Customer(stand.stack)
    (made,) = customer.endpoints(stand.https.url, EVENT, 1)
    customer.copy(made, EVENT, endpoints - 1)
    return customer


async def _sample(flow: Flow, messages: list[str]) -> Tally:
    """Full batches, but for the first, in which a process reads what it reads once."""
    flow.fresh()
    await flow.deliver(messages[:QUEUE_BATCH])
    flow.fresh()
    await flow.deliver(messages[QUEUE_BATCH : QUEUE_BATCH + SAMPLE])
    return flow.counted()


async def _again(flow: Flow, rows: list[dict], messages: list[str]) -> Tally:
    """What a rerun announces again is what still waits: it has not reset the rows that went on."""
    flow.fresh()
    announced = await flow.fan_out(rows)
    check(len(announced) == len(messages) - QUEUE_BATCH - SAMPLE, f"{len(announced)} were announced again")
    return flow.counted(len(messages))


def _waiting(stand: Stand) -> int:
    name, url = "ApproximateNumberOfMessages", stand.stack["queues"]["deliver"]
    queue = client("sqs", stand.stack["endpoint_url"])
    return int(queue.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def _purge(stand: Stand) -> None:
    client("sqs", stand.stack["endpoint_url"]).purge_queue(QueueUrl=stand.stack["queues"]["deliver"])
