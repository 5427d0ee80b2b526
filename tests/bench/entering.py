"""What is counted of the ways in: of an event until its row is there, and of a job's report until it is applied."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from api import Api
from aws import client
from customer import Customer
from feeds import api_request
from flow import DATA, Flow
from scenarios import EVENT, check
from stand import Stand
from tally import Tally

EVENTS, BATCH = 20, 10


async def entering(stand: Stand) -> dict[str, Tally]:
    """Each way's tally, by events or reports."""
    worker = await asyncio.to_thread(Worker, stand.stack)
    async with _flow(stand) as flow:
        feeds: dict[str, Callable[[Customer], Awaitable[None]]] = {
            "HTTP": lambda customer: _publish(flow, customer, None),
            "HTTP, ten at a time": lambda customer: _publish(flow, customer, BATCH),
            "the bus": lambda customer: _invoke_each(
                flow, "events", [_on_bus("Postrider Event", _event(customer)) for _ in range(EVENTS)]
            ),
            "an invocation": lambda customer: _invoke_each(flow, "events", [_event(customer) for _ in range(EVENTS)]),
            "a row": lambda customer: _put_rows(stand, flow, customer),
            "a report over HTTP": lambda _: _report(flow, worker, worker.over_http),
            "a report on the bus": lambda _: _report(flow, worker, worker.on_bus),
        }
        ways = {}
        for way, feed in feeds.items():
            # Each way has a tenant of its own: together they would reach what a process writes down of a tenant's quota, on a
            # machine that is fast enough.
            customer = await asyncio.to_thread(Customer, stand.stack)
            # A process reads a key, or a tenant, once; what it has read is in nobody's tally.
            flow.fresh()
            await feed(customer)
            flow.fresh()
            await feed(customer)
            ways[way] = flow.counted(EVENTS)
    return ways


async def _publish(flow: Flow, customer: Customer, batch: int | None) -> None:
    await flow.publish(customer, EVENT, EVENTS, batch)


async def _report(flow: Flow, worker: "Worker", as_event: Callable[[str, dict], dict]) -> None:
    jobs = await asyncio.to_thread(worker.start, EVENTS)
    await _invoke_each(flow, "jobs", [as_event(*job) for job in jobs])


@asynccontextmanager
async def _flow(stand: Stand) -> AsyncIterator[Flow]:
    async with stand.function("events") as events, stand.function("jobs") as jobs:
        yield Flow({"events": events, "jobs": jobs}, stand.proxy, stand.https)


async def _invoke_each(flow: Flow, function: str, events: list[dict]) -> None:
    for event in events:
        done, _ = await flow.invoke(function, event)
        check(done.answer is None or "error" not in done.answer, f"{function} refused it: {done.answer}")
        check((done.answer or {}).get("statusCode", 200) < 300, f"{function} answered {done.answer}")


def _event(customer: Customer) -> dict:
    return {"tenant_id": customer.tenant_id, "event": EVENT, "data": DATA}


def _on_bus(detail_type: str, detail: dict) -> dict:
    """As EventBridge gives it to a rule's target."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "bench",
        "account": "000000000000",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    }


async def _put_rows(stand: Stand, flow: Flow, customer: Customer) -> None:
    """Each in a transaction, of which the producer's own part is not counted."""
    rows = await flow.publish(customer, EVENT, EVENTS)
    flow.fresh()
    stand.proxy.take()
    dynamodb, table = client("dynamodb", stand.proxy.url), stand.stack["tables"]["events"]
    for number, row in enumerate(rows):
        own = {name: row[name] for name in ("tenant_id", "event", "data", "timestamp", "expires_at")}
        put = {"TableName": table, "Item": own | {"id": {"S": f"evt_{uuid.uuid4().hex}{number}"}}}
        put |= {"ConditionExpression": "attribute_not_exists(id)"}
        await asyncio.to_thread(dynamodb.transact_write_items, TransactItems=[{"Put": put}])
    flow.tally.uses["producer"].add(stand.proxy.take(), 0.0, 0.0, 0)


class Worker:
    """Reports on jobs, of one project each, that a customer starts over the stack's own API."""

    def __init__(self, stack: dict) -> None:
        operator = Api(stack["api_url"], stack["admin_key"])
        self._tenant = operator.call("POST", "/v1/tenants", {"name": "Bench", "plan": "pro"}, expect=201)["id"]
        key = operator.call("POST", f"/v1/tenants/{self._tenant}/keys", {"dialect": "nouvel"}, expect=201)["key"]
        self._customer = Api(stack["api_url"], key)
        self._key = operator.call("POST", "/v1/keys", {"scopes": ["jobs:report"]}, expect=201)["key"]

    def start(self, count: int) -> list[tuple[str, dict]]:
        """Jobs by their ids, each with the report that ends it."""
        body = {"urls": ["https://shop.example/1"], "variantCount": 1, "webhookUrl": "https://hooks.example/"}
        jobs = [self._customer.call("POST", "/api/v1/generate", body)["jobId"] for _ in range(count)]
        shown = [self._customer.call("GET", f"/api/v1/jobs/{job}")["projects"][0]["id"] for job in jobs]
        report = {"status": "completed", "videoUrl": "https://cdn.example/1.mp4"}
        return [(job, {"projects": [{"projectId": project} | report]}) for job, project in zip(jobs, shown, strict=True)]

    def over_http(self, job: str, report: dict) -> dict:
        return api_request("POST", f"/api/v1/jobs/{job}/report", self._key, report)

    def on_bus(self, job: str, report: dict) -> dict:
        return _on_bus("Postrider Job", {"tenant_id": self._tenant, "job_id": job} | report)
