"""`make noisy`: what three noisy tenants cost a quiet one, alone and beside them in one run.

The stack is set as an account of ten concurrent executions would be: two functions for each queue of attempts. One tenant has
many webhooks that take 1.9 seconds each, which no clock calls slow, at twice the rate that two functions carry. One has tarpits,
which never answer. One floods retries by hand and recoveries of what failed. The fourth has prompt webhooks and publishes at a
steady rate.
The promise is that within a minute nobody waits for them, so the first minute beside them is shown, and the time after it judged.
"""

import concurrent.futures
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from api import Api
from crowd import FAILING, SECONDS, SLOW, TARPIT, Crowd
from emulator import client
from own_stack import own_stack, run_dir_of
from run_dir import ROOT
from step import Failed, main, say, step

FUNCTIONS = 2
BATCH = 10
# What the functions carry of the slow ones, twice over.
NOISE = float(os.environ.get("NOISE", str(round(2 * FUNCTIONS * BATCH / SECONDS))))
# Events of so many types, each for ten webhooks: deliveries are the noise, and not the calls that publish them.
TYPES, EACH = 5, 10
TARPITS, TARPIT_RATE = 5, 3.0
FLOODERS, FAILED = 2, 25
RETRY_RATE, RECOVER_EVERY = 3.0, 5.0
# The quiet tenant's events a second, and for how long.
RATE = float(os.environ.get("RATE", "3"))
ALONE, SETTLING, BESIDE = 45, 60, 75
PATIENCE = 120
LIMIT = 1.5
RESULT = ROOT / "target" / "bench" / "noisy.json"
SCOPES = ["webhooks:write", "events:write", "deliveries:read", "deliveries:write"]


class Tenant:
    """One tenant with a key."""

    def __init__(self, stack: dict, name: str) -> None:
        admin = Api(stack["api_url"], stack["admin_key"])
        tenant = admin.call("POST", "/v1/tenants", {"name": name, "plan": "enterprise"}, expect=201)
        wanted = {"dialect": "standard", "scopes": SCOPES}
        key = admin.call("POST", f"/v1/tenants/{tenant['id']}/keys", wanted, expect=201)
        self.api = Api(stack["api_url"], key["key"])
        self.webhooks: list[str] = []

    def subscribe(self, url: str, pattern: str, **settings: object) -> None:
        body = {"url": url, "events": [pattern], **settings}
        self.webhooks.append(self.api.call("POST", "/v1/webhooks/create", body, expect=201)["id"])

    def publish(self, events: list[tuple[str, str]]) -> None:
        """So many at once, each of a type and with a number."""
        body = {"events": [{"event": name, "data": {"number": number}} for name, number in events]}
        self.try_to("POST", "/v1/events/batch", body)

    def try_to(self, method: str, path: str, body: dict | None = None) -> int:
        """The answer's status, whatever it is: a noisy tenant is refused now and then."""
        request = urllib.request.Request(
            self.api.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.api.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


class Quiet(Tenant):
    """Who should notice nothing."""

    def __init__(self, stack: dict, crowd: Crowd) -> None:
        super().__init__(stack, "Quiet")
        self.answered: list[float] = []
        for number in range(10):
            self.subscribe(crowd.url(f"prompt-{number}"), f"number.n{number}")

    def publish_one(self, number: str, turn: int) -> float:
        """Says when it was called."""
        called = time.monotonic()
        self.api.call("POST", "/v1/events", {"event": f"number.n{turn % 10}", "data": {"number": number}}, expect=202)
        self.answered.append(time.monotonic() - called)
        return called


def measured(name: str, seconds: int, quiet: Quiet, crowd: Crowd) -> list[float]:
    """Seconds from publish to receipt of each of the quiet tenant's events."""
    started, calls = time.monotonic(), {}
    quiet.answered = []
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for turn in range(int(seconds * RATE)):
            time.sleep(max(0.0, started + turn / RATE - time.monotonic()))
            calls[f"{name}-{turn}"] = pool.submit(quiet.publish_one, f"{name}-{turn}", turn)
    published = {number: call.result() for number, call in calls.items()}
    until = time.monotonic() + PATIENCE
    while missing := published.keys() - crowd.seen.keys():
        if time.monotonic() > until:
            raise Failed(f"{len(missing)} of {len(published)} events never came")
        time.sleep(0.2)
    answered = sorted(quiet.answered)
    say(f"    the API answered in {percentile(answered, 50) * 1000:.0f} ms, p95 {percentile(answered, 95) * 1000:.0f} ms")
    return sorted(crowd.seen[number] - called for number, called in published.items())


def percentile(values: list[float], percent: int) -> float:
    return values[min(len(values) - 1, len(values) * percent // 100)]


class Noise:
    """Three tenants, each with threads of their own, until told to stop."""

    def __init__(self, stack: dict, crowd: Crowd) -> None:
        self.answers: Counter[int] = Counter()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._slow, self._tarpits, self._flood = (Tenant(stack, name) for name in ("Slow", "Tarpits", "Flood"))
        for number in range(TYPES * EACH):
            self._slow.subscribe(crowd.url(f"{SLOW}-{number}"), f"slow.n{number % TYPES}")
        for number in range(TARPITS):
            self._tarpits.subscribe(crowd.url(f"{TARPIT}-{number}"), "tarpit.any", timeout_seconds=30)
        for number in range(FLOODERS):
            self._flood.subscribe(crowd.url(f"{FAILING}-{number}"), f"failing.n{number}", retry_schedule=[])
        self._failed = self._fail()

    def _fail(self) -> list[str]:
        """Deliveries that failed for good, for the flood to ask for again."""
        for number in range(FLOODERS):
            for _ in range(FAILED // 25):
                self._flood.publish([(f"failing.n{number}", "0")] * 25)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            failed = []
            for webhook in self._flood.webhooks:
                page = self._flood.api.call("GET", f"/v1/webhooks/{webhook}/deliveries?status=failed&limit=100")
                failed += [row["id"] for row in page["deliveries"]]
            if len(failed) == FAILED * FLOODERS:
                return failed
            time.sleep(0.5)
        raise Failed("what was to fail did not")

    def start(self) -> None:
        turns = iter(range(10**9))

        def slow() -> None:
            self._slow.publish([(f"slow.n{next(turns) % TYPES}", "0")])

        def tarpits() -> None:
            self._tarpits.publish([("tarpit.any", "0")])

        def retry() -> None:
            delivery = self._failed[next(turns) % len(self._failed)]
            self.answers[self._flood.try_to("POST", f"/v1/deliveries/{delivery}/retry")] += 1

        def recover() -> None:
            webhook = self._flood.webhooks[next(turns) % FLOODERS]
            self.answers[self._flood.try_to("POST", f"/v1/webhooks/{webhook}/recover", {"since": "2020-01-01T00:00:00Z"})] += 1

        for pause, act in (
            (EACH / NOISE, slow),
            (TARPITS / TARPIT_RATE, tarpits),
            (1 / RETRY_RATE, retry),
            (RECOVER_EVERY, recover),
        ):
            thread = threading.Thread(target=self._again, args=(pause, act), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _again(self, pause: float, act: Callable[[], None]) -> None:
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            act()
            due = max(due + pause, time.monotonic())

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def noise_of(noise: Noise) -> Iterator[None]:
    noise.start()
    try:
        yield
    finally:
        noise.stop()


def set_as_an_account_of_ten(stack: dict) -> None:
    functions = client("lambda", stack["endpoint_url"])
    for mapping in functions.list_event_source_mappings(FunctionName=stack["functions"]["deliver"])["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": FUNCTIONS})


def noted(stack: dict, began: float) -> str:
    """Who was noted as slow, why, and how many seconds after the noise began."""
    logs, found = client("logs", stack["endpoint_url"]), []
    group = f"/aws/lambda/{stack['functions']['deliver']}"
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(began * 1000)):
        for event in page["events"]:
            if '"webhook.slow"' in event["message"]:
                line = json.loads(event["message"])
                whom = "a tenant" if line["all"] else "a webhook"
                found.append(f"{whom} by {line['why']} after {event['timestamp'] / 1000 - began:.0f} s")
    return "Noted as slow: " + ", ".join(dict.fromkeys(found))


def run() -> None:
    with own_stack(run_dir_of("noisy")) as description, Crowd(description["receiver_tls"]) as crowd:
        measure(description, crowd)


def measure(description: dict, crowd: Crowd) -> None:
    set_as_an_account_of_ten(description)
    with step("make a quiet tenant and three noisy ones"):
        quiet, noise = Quiet(description, crowd), Noise(description, crowd)
    with step("warm up"):
        measured("warm", 5, quiet, crowd)
    with step(f"{ALONE} s of the quiet tenant alone, {RATE:g} events a second"):
        alone = measured("alone", ALONE, quiet, crowd)
    crowd.forget()
    crowd.shut = True
    began = time.time()
    with noise_of(noise):
        with step(f"{SETTLING} s beside the noise: {NOISE:g} a second at {SECONDS} s each, tarpits, retries and recoveries"):
            first = measured("first", SETTLING, quiet, crowd)
        with step(f"{BESIDE} s more"):
            beside = measured("beside", BESIDE, quiet, crowd)
    say(noted(description, began))
    held, slow, failed = crowd.held, crowd.slow, crowd.failed
    if not (held and slow and failed):
        raise Failed(f"some noise was none: {held} held, {slow} slow, {failed} failed")
    figures = {f"p{p}_ratio": round(percentile(beside, p) / percentile(alone, p), 2) for p in (50, 95, 99)}
    figures["first_minute_p95_ratio"] = round(percentile(first, 95) / percentile(alone, 95), 2)
    answers = ", ".join(f"{count} x {status}" for status, count in sorted(noise.answers.items()))
    say(f"\nMeanwhile: {slow} POSTs of {SECONDS} s, {held} held by tarpits, {failed} that failed; the flood: {answers}.")
    say("The quiet tenant's events, publish to receipt, beside the noise / alone:")
    for p in (50, 95, 99):
        here, there = percentile(beside, p) * 1000, percentile(alone, p) * 1000
        say(f"    p{p}  {here:6.0f} ms / {there:6.0f} ms  = {figures[f'p{p}_ratio']:.2f}")
    say(f"    p95 in the noise's first minute: {percentile(first, 95) * 1000:.0f} ms = {figures['first_minute_p95_ratio']:.2f}")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"slow": slow, "held": held, "failed": failed, **figures}, indent=2) + "\n")
    if figures["p95_ratio"] > LIMIT:
        raise Failed(f"p95 beside the noise is more than {LIMIT:g} times what it is alone")


if __name__ == "__main__":
    main(run)
