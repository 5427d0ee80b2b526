"""What is counted: an event's ways through Postrider, each from the requests that the functions really make."""

import asyncio
import dataclasses
import json

from customer import Customer
from feeds import api_request
from flow import Flow
from stand import Stand
from tally import Tally

EVENT = "invoice.paid"
# What a first invocation does once, such as reading a key or a secret, belongs to no single delivery.
WARM_UP = 10
SLOW_ROUNDS = 9


async def customer_of(stand: Stand, endpoints: int = 1, retries: list[int] | None = None) -> Customer:
    """The emulator answers on this machine too, so it is asked from a thread."""
    customer = await asyncio.to_thread(Customer, stand.stack)
    customer.made = await asyncio.to_thread(customer.endpoints, stand.https.url, EVENT, endpoints, retries)
    return customer


async def warm(flow: Flow, customer: Customer) -> None:
    await flow.deliver(await flow.fan_out(await flow.publish(customer, EVENT, WARM_UP)))
    flow.fresh()


async def first_try(stand: Stand, events: int, endpoints: int = 1, batch: int | None = None) -> Tally:
    """Every POST is answered well at once; all batches are full."""
    customer = await customer_of(stand, endpoints)
    async with stand.flow() as flow:
        await warm(flow, customer)
        rows = await flow.publish(customer, EVENT, events, batch)
        messages = await flow.fan_out(rows)
        following = await flow.deliver(messages)
        tally = flow.counted()
        tally.memory = flow.memory()
    check(len(messages) == events * endpoints == tally.deliveries and not following, "not all were delivered at once")
    return tally


async def connecting(stand: Stand, events: int, batch: int, pause: float = 0.0, retries: list[int] | None = None) -> Tally:
    """Every POST is answered well, in batches of this size and so many seconds apart; without retries each is a last
    attempt."""
    customer = await customer_of(stand, retries=retries)
    async with stand.flow() as flow:
        await warm(flow, customer)
        messages = await flow.fan_out(await flow.publish(customer, EVENT, events))
        following = await flow.deliver(messages, batch, pause)
        tally = flow.counted()
    check(events == tally.deliveries and not following, "not all were delivered at once")
    return tally


async def one_retry(stand: Stand, events: int) -> Tally:
    """The first POST is refused, the second taken; retries come by themselves, as their times differ."""
    customer = await customer_of(stand)
    async with stand.flow() as flow:
        await warm(flow, customer)
        messages = await flow.fan_out(await flow.publish(customer, EVENT, events))
        stand.https.status = 503
        try:
            following = await flow.deliver(messages)
        finally:
            stand.https.status = 204
        left = await flow.retry(following)
        tally = flow.counted(events)
    check(len(following) == events and not left, "not all were delivered at the second attempt")
    return tally


async def refusing(stand: Stand, events: int, attempts: int, batch: int = 1) -> Tally:
    """Every attempt of the standard retry schedule is refused; `batch` is the retries'."""
    customer = await customer_of(stand)
    async with stand.flow() as flow:
        await warm(flow, customer)
        messages = await flow.fan_out(await flow.publish(customer, EVENT, events))
        stand.https.status, stand.https.body = 503, b'{"error":"temporarily unavailable"}'
        posts = stand.https.posts
        try:
            messages = await flow.deliver(messages)
            while messages:
                messages = await flow.retry(messages, batch)
        finally:
            stand.https.status, stand.https.body = 204, b""
        made = (stand.https.posts - posts) / events
        tally = flow.counted(events)
    check(made == attempts, f"{made} attempts were made, not {attempts}")
    return tally


@dataclasses.dataclass
class Listing:
    """What the list of events costs: an event's upkeep in write units, and a page in read units and calls."""

    written: float
    read_a_page: float
    calls_a_page: float


async def listing(stand: Stand, events: int, page: int) -> Listing:
    """Full batches of one tenant's events, which nobody asks for, and a walk over all of them."""
    customer = await customer_of(stand, 0)
    async with stand.flow() as flow:
        await flow.fan_out(await flow.publish(customer, EVENT, events, 25))
        written = flow.counted(events).listed
        flow.fresh()
        found, pages, cursor = 0, 0, ""
        while pages == 0 or cursor:
            query = f"tenant_id={customer.tenant_id}&limit={page}{cursor}"
            done, _ = await flow.invoke("events", api_request("GET", "/v1/events", customer.provider_key, {}, query))
            told = json.loads(done.answer["body"])
            found, pages = found + len(told["events"]), pages + 1
            cursor = f"&cursor={told['pagination']['next_cursor']}" if told["pagination"]["has_more"] else ""
        tally = flow.counted(pages)
    check(found == events, f"{found} of {events} events are listed")
    calls = sum(count for name, count in tally.by_call().items() if name == "events dynamodb:Query")
    return Listing(written, tally.read, calls)


@dataclasses.dataclass
class Slow:
    """An invocation of deliver whose receivers take their time: its seconds, and how many turns they were waited for in."""

    seconds: float
    turns: float


async def slow(stand: Stand, batch: int, seconds: float) -> Slow:
    """A batch for so many receivers that each take this long; the least of some."""
    customer = await customer_of(stand, batch)
    async with stand.flow() as flow:
        await warm(flow, customer)
        stand.https.delay, stand.https.most_at_once = seconds, 0
        try:
            taken = []
            for _ in range(SLOW_ROUNDS):
                messages = await flow.fan_out(await flow.publish(customer, EVENT, 1))
                flow.fresh()
                await flow.deliver(messages)
                taken.append(flow.tally.uses["deliver"].seconds)
        finally:
            stand.https.delay = 0.0
    return Slow(min(taken), batch / stand.https.most_at_once)


def check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
