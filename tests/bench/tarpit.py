"""`make tarpit`: what one endpoint that never answers costs the healthy ones, both measured in one run.

A hundred healthy endpoints share a thousand events, and one more endpoint gets every one of them. First it answers like the
others, then it is a tarpit that holds each connection until its time-out. The figure is how much longer the healthy ones'
events take from publish to receipt: a ratio of two phases that differ in nothing else.
"""

import concurrent.futures
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from api import Api
from crowd import TARPIT, Crowd
from own_stack import own_stack, run_dir_of
from run_dir import ROOT
from step import Failed, main, say, step

HEALTHY = 100
EVENTS = int(os.environ.get("EVENTS", "1000"))
# Events a second, each of two deliveries: a load that the emulator carries with ease, so that waiting is the tarpit's doing.
RATE = float(os.environ.get("RATE", "12"))
PATIENCE = 120
LIMIT = 2.0
RESULT = ROOT / "target" / "bench" / "tarpit.json"


class Customer:
    """A tenant with a healthy endpoint for each type of event, and one endpoint for all of them."""

    def __init__(self, stack: dict, crowd: Crowd) -> None:
        admin = Api(stack["api_url"], stack["admin_key"])
        tenant = admin.call("POST", "/v1/tenants", {"name": "Tarpit", "plan": "pro"}, expect=201)
        wanted = {"dialect": "standard", "scopes": ["webhooks:write", "events:write"]}
        key = admin.call("POST", f"/v1/tenants/{tenant['id']}/keys", wanted, expect=201)["key"]
        self.api = Api(stack["api_url"], key)
        self._subscribe(crowd.url(TARPIT), "*")
        for number in range(HEALTHY):
            self._subscribe(crowd.url(f"healthy-{number}"), f"number.n{number}")

    def _subscribe(self, url: str, pattern: str) -> None:
        self.api.call("POST", "/v1/webhooks/create", {"url": url, "events": [pattern]}, expect=201)

    def publish(self, number: str, turn: int) -> float:
        """Says when it was called."""
        called = time.monotonic()
        body = {"event": f"number.n{turn % HEALTHY}", "data": {"number": number}}
        self.api.call("POST", "/v1/events", body, expect=202)
        return called


def phase(name: str, customer: Customer, crowd: Crowd) -> list[float]:
    """Seconds from publish to receipt of every event, at a steady rate."""
    crowd.forget()
    started = time.monotonic()
    calls = {}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for turn in range(EVENTS):
            time.sleep(max(0.0, started + turn / RATE - time.monotonic()))
            calls[f"{name}-{turn}"] = pool.submit(customer.publish, f"{name}-{turn}", turn)
    published = {number: call.result() for number, call in calls.items()}
    until = time.monotonic() + PATIENCE
    while missing := published.keys() - crowd.seen.keys():
        if time.monotonic() > until:
            raise Failed(f"{len(missing)} of {EVENTS} events never reached a healthy endpoint")
        time.sleep(0.2)
    return sorted(crowd.seen[number] - called for number, called in published.items())


def percentile(values: list[float], percent: int) -> float:
    return values[min(len(values) - 1, len(values) * percent // 100)]


def run() -> None:
    with own_stack(run_dir_of("tarpit")) as description, Crowd(description["receiver_tls"]) as crowd:
        measure(description, crowd)


def measure(description: dict, crowd: Crowd) -> None:
    with step(f"register {HEALTHY} healthy endpoints and one for everything"):
        customer = Customer(description, crowd)
    with step("warm up"):
        customer.publish("warm", 0)
    with step(f"publish {EVENTS} events, {RATE:g} a second; all endpoints answer"):
        without = phase("without", customer, crowd)
    crowd.shut = True
    with step(f"publish {EVENTS} more; the endpoint for everything is a tarpit"):
        beside = phase("beside", customer, crowd)
    held = crowd.held
    if held == 0:
        raise Failed("the tarpit held nothing, so nothing was measured")
    figures = {f"p{p}_ratio": round(percentile(beside, p) / percentile(without, p), 2) for p in (50, 95, 99)}
    say(f"\nThe tarpit held {held} connections meanwhile. Healthy endpoints, publish to receipt, beside it / without it:")
    for p in (50, 95, 99):
        say(
            f"    p{p}  {percentile(beside, p) * 1000:6.0f} ms / {percentile(without, p) * 1000:6.0f} ms"
            f"  = {figures[f'p{p}_ratio']:.2f}"
        )
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"events": EVENTS, "healthy": HEALTHY, "held": held, **figures}, indent=2) + "\n")
    if figures["p95_ratio"] > LIMIT:
        raise Failed(f"p95 beside the tarpit is more than {LIMIT:g} times what it is without it")


if __name__ == "__main__":
    main(run)
