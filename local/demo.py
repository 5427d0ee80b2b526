"""`make demo`: one webhook's whole way, from registration to the ledger, before your eyes."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time

from api import Api
from receiver import Received, Receiver
from run_dir import ROOT, RunDir
from stack import Stack
from step import Failed, main, say, step

WITHIN = 60
EXAMPLE = ROOT / "docs" / "examples" / "verify.py"


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    # Apart from a developer's own stack, which may be up at the same time.
    stack = Stack(RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / "demo"))
    stack.down()
    try:
        demonstrate(stack.up(strict=False, auth=False))
    finally:
        with step("take everything down"):
            stack.down()
    say("\nThat was all of it. `make up` leaves the stack up for you to play with; README.md has the calls.")


def demonstrate(description: dict) -> None:
    secret = f"whsec_{secrets.token_hex(16)}"
    customer, provider, tenant = sign_up(description)
    with Receiver(description["receiver_tls"]) as receiver:
        webhook = register(customer, receiver, secret)
        event = publish(provider, tenant)
        received = receive(receiver)
    verify(received, secret)
    show_ledger(customer, webhook["id"], event["id"])


def sign_up(description: dict) -> tuple[Api, Api, str]:
    """The operator's part: a tenant for the customer, an API key for the tenant, and one for the services that publish."""
    operator = Api(description["api_url"], description["admin_key"])
    with step("as the operator: make a tenant, its API key, and one for your own services"):
        tenant = operator.call("POST", "/v1/tenants", {"name": "Demo", "plan": "pro"}, expect=201)
        key = operator.call("POST", f"/v1/tenants/{tenant['id']}/keys", {"dialect": "nur"}, expect=201)
        own = operator.call("POST", "/v1/keys", {"scopes": ["events:write"], "name": "demo"}, expect=201)
        say(f"    tenant {tenant['id']}, keys {key['key'][:8]}... and {own['key'][:8]}... (shown this once)")
    customer, provider = (Api(description["api_url"], made["key"]) for made in (key, own))
    return customer, provider, tenant["id"]


def register(customer: Api, receiver: Receiver, secret: str) -> dict:
    with step(f"as the customer: register {receiver.url}"):
        body = {"url": receiver.url, "events": ["dubbing.completed"], "secret": secret}
        webhook = customer.call("POST", "/v1/webhooks/create", body, expect=201)
        say(pretty(webhook))
    return webhook


def publish(provider: Api, tenant: str) -> dict:
    with step("as your own service: publish an event for the customer, in one call"):
        data = {"job_id": "dub_789xyz", "target_language": "es", "duration_seconds": 342, "status": "completed"}
        body = {"tenant_id": tenant, "event": "dubbing.completed", "data": data}
        event = provider.call("POST", "/v1/events", body, expect=202)
        say(pretty(event))
    return event


def receive(receiver: Receiver) -> Received:
    with step("wait for the POST"):
        received = receiver.wait(WITHIN)
        for name, value in received.headers.items():
            say(f"    {name}: {value}")
        say(f"\n    {received.body.decode()}")
    return received


def verify(received: Received, secret: str) -> None:
    """Runs the example that users copy, on the bytes as they came."""
    signature = {name.lower(): value for name, value in received.headers.items()}.get("x-nur-signature")
    if signature is None:
        raise Failed("the POST carried no X-Nur-Signature")
    with step(f"verify it as a customer would ({EXAMPLE.relative_to(ROOT)})"):
        done = subprocess.run(
            [sys.executable, EXAMPLE, signature],
            input=received.body,
            env={"WEBHOOK_SECRET": secret},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        say(f"    {done.stdout.decode().strip()}")
        if done.returncode != 0:
            raise Failed("the signature does not fit the body")


def show_ledger(customer: Api, webhook_id: str, event_id: str) -> None:
    """The ledger is written after the answer came, so it is asked until it says so."""
    with step("look it up in the ledger"):
        deadline = time.monotonic() + WITHIN
        while True:
            rows = customer.call("GET", f"/v1/webhooks/{webhook_id}/deliveries")["deliveries"]
            if rows and rows[0]["status"] == "succeeded":
                break
            if time.monotonic() > deadline:
                raise Failed(f"the ledger still says: {pretty(rows)}")
            time.sleep(0.1)
        delivery = customer.call("GET", f"/v1/deliveries/{rows[0]['id']}")
        say(pretty(delivery))
        if delivery["event_id"] != event_id:
            raise Failed(f"the ledger's row is for {delivery['event_id']}, not for {event_id}")


def pretty(value: object) -> str:
    return "\n".join(f"    {line}" for line in json.dumps(value, indent=2).splitlines())


if __name__ == "__main__":
    main(run)
