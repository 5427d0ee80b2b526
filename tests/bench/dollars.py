"""What a million deliveries cost, from the counts and a table of list prices."""

import json
from pathlib import Path

from tally import Tally

TABLE = json.loads((Path(__file__).parent / "prices.json").read_text())
PRICE = {name: price["dollars"] for name, price in TABLE["prices"].items()}
ASSUMED = {name: assumed["value"] for name, assumed in TABLE["assumed"].items()}
GB = 1e9

# The least that a webhook can cost this way, published singly: its request and the function that takes it, a durable
# row each for the event and for the outcome, the queue, deliver at full batches, and the bytes.
FLOOR = {"API": 1.00, "Lambda, ingest": 0.20, "write units": 1.25, "SQS": 0.12, "Lambda, deliver": 0.05, "egress": 0.14}


def bill(tally: Tally, memory_mb: dict[str, int], posts: float = 1.0) -> dict[str, float]:
    """Dollars per million of the tally's deliveries, item by item; `posts` of them were made for each."""
    per = 1 / tally.deliveries
    asked = sum(count for use in tally.uses.values() for call, count in use.calls.items() if call.startswith("sqs:"))
    bytes_out = tally.sent_bytes + tally.answered_bytes + ASSUMED["tls_bytes"] * posts * tally.deliveries
    bytes_out += ASSUMED["connect_bytes"] * tally.connections
    return {
        "API": PRICE["api_request"] * tally.requests * per,
        "Lambda, requests": PRICE["lambda_request"] * sum(use.invocations for use in tally.uses.values()) * per,
        "Lambda, time": sum(_time(name, tally, memory_mb[name]) for name in tally.uses) * PRICE["lambda_gb_s"] * per,
        "write units": PRICE["write_unit"] * (tally.write + tally.listed),
        "read units": PRICE["read_unit"] * tally.read,
        "SQS": PRICE["queue_call"] * (tally.queue_calls + asked) * per,
        "Scheduler": PRICE["schedule"] * tally.scheduled * per,
        "egress": PRICE["egress_gb"] * bytes_out * per * 1e6 / GB,
    }


def logs(tally: Tally) -> float:
    """Dollars per million for what the functions log; beside the bill, since its volume is the operator's to set."""
    return PRICE["log_gb"] * sum(use.log_bytes for use in tally.uses.values()) / tally.deliveries * 1e6 / GB


def _time(name: str, tally: Tally, memory_mb: int) -> float:
    """GB-seconds: the counted CPU time at the function's share of a processor, and what it waits for."""
    use = tally.uses[name]
    waits = use.waves * ASSUMED["aws_call_ms"] / 1000
    if name == "deliver":
        waits += use.invocations * ASSUMED["receiver_ms"] / 1000 + tally.connecting * ASSUMED["connect_ms"] / 1000
    return (use.cpu * ASSUMED["vcpu_mb"] / memory_mb + waits) * memory_mb / 1024
