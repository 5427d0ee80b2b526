"""What a recovery reads and writes for each event: of what failed, of what was never sent, and only counted."""

import asyncio
import contextlib

from api import Api
from feeds import api_request
from flow import Flow
from scenarios import EVENT, WARM_UP, check, customer_of, warm
from stand import Stand
from tally import Tally

EVENTS = 50


async def recovering(stand: Stand) -> dict[str, Tally]:
    """Each way, by what it is of. Nothing is counted that a process reads once."""
    customer = await customer_of(stand, retries=[])
    async with stand.flow() as flow:
        await warm(flow, customer)
        messages = await flow.fan_out(await flow.publish(customer, EVENT, EVENTS, 25))
        stand.https.status, stand.https.body = 503, b'{"error":"temporarily unavailable"}'
        try:
            await flow.deliver(messages)
        finally:
            stand.https.status, stand.https.body = 204, b""
    late = (await asyncio.to_thread(customer.endpoints, stand.https.url, EVENT, 1))[0]
    key = await asyncio.to_thread(_key, stand, customer.tenant_id)
    failed = customer.made[0]
    ever: dict[str, object] = {"since": "2020-01-01T00:00:00Z"}
    # What was published to warm up was never sent to the later webhook either.
    never, all_of_them = ever | {"never_matched": True}, EVENTS + WARM_UP
    ways: dict[str, tuple[str, dict, int, int]] = {
        "counted of what failed": (failed, ever | {"count_only": True}, 200, EVENTS),
        "what failed": (failed, ever, 202, EVENTS),
        "counted of what was never sent": (late, never | {"count_only": True}, 200, all_of_them),
        "what was never sent": (late, never, 202, all_of_them),
    }
    counted = {}
    async with contextlib.AsyncExitStack() as running:
        functions = {"ledger": await running.enter_async_context(stand.function("ledger"))}
        flow = Flow(functions, stand.proxy, stand.https)
        # A first call reads the key.
        await _ask(flow, key, failed, ever | {"count_only": True, "until": "2020-01-02T00:00:00Z"}, 200)
        for name, (webhook, asked, status, events) in ways.items():
            flow.fresh()
            await _ask(flow, key, webhook, asked, status)
            counted[name] = flow.counted(events)
    return counted


async def _ask(flow: Flow, key: str, webhook: str, asked: dict, status: int) -> None:
    done, _ = await flow.invoke("ledger", api_request("POST", f"/v1/webhooks/{webhook}/recover", key, asked))
    check(done.answer["statusCode"] == status, f"{asked}: {done.answer}")


def _key(stand: Stand, tenant: str) -> str:
    operator = Api(stand.stack["api_url"], stand.stack["admin_key"])
    wanted = {"dialect": "standard", "scopes": ["deliveries:write"]}
    key: str = operator.call("POST", f"/v1/tenants/{tenant}/keys", wanted, expect=201)["key"]
    return key
