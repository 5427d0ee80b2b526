"""What a page of each list reads: by the requests that the functions really make, of rows as deliveries leave them."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from api import Api
from aws import client
from customer import LETTERS, Customer
from feeds import api_request
from flow import Flow
from scenarios import EVENT, check, customer_of, warm
from stand import Stand
from tally import Tally

# More than the longest look has.
TAKEN, FAILED = 1_100, 300
JOBS = 60
SHARDS = 16
# What none of them came to.
NEVER = "outcome=blocked"


async def lists(stand: Stand) -> dict[str, Tally]:
    """A page of each, by what it is of. Nothing is counted that a process reads once."""
    customer = await customer_of(stand, retries=[3600])
    (webhook,) = customer.made
    delivery = await _deliveries(stand, customer)
    keys = await asyncio.to_thread(_keys, stand, customer)
    own = {"authorization": f"Bearer {keys['standard']}"}
    task = {"x-api-key": keys["netraflow"]}
    projects = {"authorization": f"Bearer {keys['nouvel']}"}
    of_webhook, of_tenant = f"/v1/webhooks/{webhook}/deliveries", "/v1/deliveries"
    pages = {
        "a webhook's deliveries, 50": ("ledger", own, of_webhook, ""),
        "a webhook's deliveries, 200": ("ledger", own, of_webhook, "limit=200"),
        "a webhook's deliveries, none of 1,000 asked for": ("ledger", own, of_webhook, NEVER),
        "what is undelivered, 50": ("ledger", own, of_tenant, "status=undelivered"),
        "what is undelivered, 200": ("ledger", own, of_tenant, "status=undelivered&limit=200"),
        "what is undelivered, none of 200 asked for": ("ledger", own, of_tenant, f"status=undelivered&{NEVER}"),
        "a delivery": ("ledger", own, f"/v1/deliveries/{delivery}", ""),
        "a delivery with its request": ("ledger", own, f"/v1/deliveries/{delivery}", "include=request"),
        "jobs of one task, 50": ("jobs", task, "/v1/jobs", ""),
        "jobs of projects, 50": ("jobs", projects, "/api/v1/jobs", ""),
    }
    counted = {}
    async with contextlib.AsyncExitStack() as running:
        functions = {name: await running.enter_async_context(stand.function(name)) for name in ("ledger", "jobs")}
        flow = Flow(functions, stand.proxy, stand.https)
        for name, (function, headers, path, query) in pages.items():
            for _ in range(2):
                flow.fresh()
                done, _ = await flow.invoke(function, _request(path, query, headers))
                check(done.answer["statusCode"] == 200, f"{name}: {done.answer}")
                counted[name] = flow.counted(1)
    return counted


def _request(path: str, query: str, headers: dict[str, str]) -> dict:
    event = api_request("GET", path, "", {})
    del event["body"]
    del event["headers"]["authorization"]
    return event | {"rawQueryString": query, "headers": event["headers"] | headers}


def _keys(stand: Stand, customer: Customer) -> dict[str, str]:
    """A key of each dialect that has a list; and as many jobs as a page has, and some more."""
    operator = Api(stand.stack["api_url"], stand.stack["admin_key"])
    path = f"/v1/tenants/{customer.tenant_id}/keys"
    wanted = {"scopes": ["deliveries:read", "jobs:read", "jobs:write"]}
    dialects = ("standard", "netraflow", "nouvel")
    keys = {dialect: operator.call("POST", path, wanted | {"dialect": dialect}, expect=201)["key"] for dialect in dialects}
    nouvel = Api(stand.stack["api_url"], keys["nouvel"])
    job = nouvel.call("POST", "/api/v1/generate", {"urls": ["https://shop.example/1"], "variantCount": 3}, expect=200)["jobId"]
    dynamodb = client("dynamodb", stand.stack["endpoint_url"])
    table = stand.stack["tables"]["jobs"]
    row = dynamodb.get_item(TableName=table, Key={"id": {"S": job}})["Item"]
    task = row | {
        "listed_tenant": {"S": customer.tenant_id},
        "dialect": {"S": "netraflow"},
        "task": {
            "M": {
                "url": {"S": "https://www.youtube.com/watch?v=dQw4w9WgXcQ"},
                "platform": {"S": "youtube"},
                "capabilities": {"L": [{"S": "transcription"}]},
                "credits_charged": {"N": "0"},
            }
        },
    }
    task.pop("projects")
    ids = ((f"{job[:-6]}{number:06x}", f"job_0000000000{number:06}") for number in range(JOBS))
    rows = [one | {"id": {"S": id_}} for pair in ids for one, id_ in zip((row, task), pair, strict=True)]
    _put(stand, table, rows)
    return keys


async def _deliveries(stand: Stand, customer: Customer) -> str:
    """Two are made, one that was taken and one that was refused, and many more like them: the id of one."""
    async with stand.flow() as flow:
        await warm(flow, customer)
        await flow.deliver(await flow.fan_out(await flow.publish(customer, EVENT, 1)))
        stand.https.status, stand.https.body = 503, b'{"error":"temporarily unavailable"}'
        try:
            await flow.deliver(await flow.fan_out(await flow.publish(customer, EVENT, 1)))
        finally:
            stand.https.status, stand.https.body = 204, b""
    return await asyncio.to_thread(_copies, stand, customer)


def _copies(stand: Stand, customer: Customer) -> str:
    dynamodb = client("dynamodb", stand.stack["endpoint_url"])
    table = stand.stack["tables"]["deliveries"]
    condition = {
        "KeyConditionExpression": "endpoint_id = :webhook",
        "ExpressionAttributeValues": {":webhook": {"S": customer.made[0]}},
    }
    there = dynamodb.query(TableName=table, **condition)["Items"]
    of_status = {row["status"]["S"]: row for row in there}
    rows = [*_like(of_status["succeeded"], TAKEN), *_like(of_status["retrying"], FAILED)]
    for row in rows:
        if "undelivered_tenant" in row:
            row["undelivered_tenant"] = {"S": f"{customer.tenant_id[len('ten_') :]}#{_shard(row['id']['S']):x}"}
    _put(stand, table, rows)
    return of_status["retrying"]["id"]["S"]


def _like(row: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    """So many more, of other events."""
    base = len(LETTERS)
    for number in range(count):
        end = f"{LETTERS[number // base**2]}{LETTERS[number // base % base]}{LETTERS[number % base]}"
        yield row | {"id": {"S": row["id"]["S"][:-3] + end}}


def _shard(id_: str) -> int:
    return sum(id_.encode()) % 256 % SHARDS


def _put(stand: Stand, table: str, rows: list[dict]) -> None:
    dynamodb = client("dynamodb", stand.stack["endpoint_url"])
    puts = [{"PutRequest": {"Item": row}} for row in rows]
    for begin in range(0, len(puts), 25):
        left = {table: puts[begin : begin + 25]}
        while left:
            left = dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"]
