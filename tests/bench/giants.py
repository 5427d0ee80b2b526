"""`make giants`: what an event to very many webhooks costs, turn by turn, and what it costs another tenant's event beside it.

The functions are driven as the bench does it, in exact batches. Counts and megabytes are the figures. Times are the emulator's,
which one process serves: only their ratios within the run say something, and beside a turn that goes on they say the worst.
"""

import asyncio
import dataclasses
import json
import os
import signal
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from aws import client
from customer import Customer
from deployment import FUNCTIONS
from feeds import stream_batch
from flow import Flow
from process import memory_mb
from released import Released
from run_dir import ROOT, RunDir
from scenarios import EVENT, check
from sources import still
from stack import Stack
from stand import Stand
from step import Failed, main, say, step

SIZES = [int(size) for size in os.environ.get("SIZES", "1000,10000,30000,50000").split(",")]
ROUNDS = 15
# Megabytes that the largest may take beyond the smallest.
MEMORY = 8
# Calls of a run again, for each ten thousand webhooks.
AGAIN = 2_500
RESULT = ROOT / "target" / "bench" / "giants.json"


@dataclasses.dataclass
class Giant:
    """One event to so many webhooks, and the same batch of the stream once more."""

    webhooks: int
    invocations: int
    calls: int
    calls_again: int
    idle_mb: float
    peak_mb: float
    peak_again_mb: float
    seconds: float


async def giant(stand: Stand, webhooks: int) -> Giant:
    customer = await asyncio.to_thread(_crowd, stand, webhooks)
    async with stand.flow() as flow:
        rows = await flow.publish(customer.key, EVENT, 1)
        pid = flow.functions["fanout"].pid
        idle = memory_mb(pid)[0]
        flow.fresh()
        messages = await flow.fan_out(rows)
        check(len(set(messages)) == len(messages) == webhooks, f"{len(messages)} of {webhooks} were announced")
        first, peak = flow.tally.uses["fanout"], memory_mb(pid)[1]
        flow.fresh()
        announced = await flow.fan_out(rows)
        again = flow.tally.uses["fanout"]
        check(set(announced) <= set(messages), "a run again made something new")
        after = memory_mb(pid)[1]
    return Giant(
        webhooks=webhooks,
        invocations=first.invocations,
        calls=first.calls.total(),
        calls_again=again.calls.total(),
        idle_mb=round(idle, 1),
        peak_mb=round(peak, 1),
        peak_again_mb=round(after, 1),
        seconds=round(first.seconds, 1),
    )


async def beside(stand: Stand, webhooks: int) -> dict[str, float]:
    """Another tenant's event in one batch of the stream with a giant and without it, turn by turn: when it is announced, and how
    long that batch holds up the one behind it."""
    customer = await asyncio.to_thread(_crowd, stand, webhooks)
    neighbour = await asyncio.to_thread(_crowd, stand, 1)
    alone, together, usual, held = [], [], [], []
    async with stand.flow() as flow:
        for _ in range(ROUNDS):
            begun = time.monotonic()
            (row,) = await flow.publish(neighbour.key, EVENT, 1)
            message, sent, _ = await _announced(flow, [row], row)
            alone.append(sent)
            await flow.deliver([message])
            usual.append(time.monotonic() - begun)
            (large,) = await flow.publish(customer.key, EVENT, 1)
            (row,) = await flow.publish(neighbour.key, EVENT, 1)
            _, sent, whole = await _announced(flow, [large, row], row)
            together.append(sent)
            held.append(whole)
    median = statistics.median
    return {
        "usual_ms": round(median(usual) * 1000, 1),
        "announced_alone_ms": round(median(alone) * 1000, 1),
        "announced_in_one_batch_ms": round(median(together) * 1000, 1),
        "batch_with_giant_ms": round(median(held) * 1000, 1),
        "in_one_batch_ratio": round((median(usual) - median(alone) + median(together)) / median(usual), 2),
    }


async def _announced(flow: Flow, rows: list[dict], row: dict) -> tuple[str, float, float]:
    """A row's message, the seconds until it was taken, and until its batch of the stream was done. What goes on is left."""
    begun = time.monotonic()
    _, calls = await flow.invoke("fanout", stream_batch(rows))
    ended = time.monotonic() - begun
    ((message, taken),) = (
        (entry["MessageBody"], call.ended)
        for call in calls
        for entry in call.request.get("Entries", [])
        if json.loads(entry["MessageBody"]).get("event_id") == row["id"]["S"]
    )
    return message, taken - begun, ended


def _crowd(stand: Stand, webhooks: int) -> Customer:
    client("sqs", stand.stack["endpoint_url"]).purge_queue(QueueUrl=stand.stack["queues"]["deliver"])
    customer = Customer(stand.stack)
    (made,) = customer.endpoints(stand.https.url, EVENT, 1)
    customer.subscribe(made, EVENT, webhooks - 1)
    return customer


async def _measured(stand: Stand) -> tuple[list[Giant], dict[str, float]]:
    await stand.start()
    giants = []
    for webhooks in SIZES:
        with step(f"one event to {webhooks} webhooks, and again"):
            giants.append(await giant(stand, webhooks))
            say(f"    {dataclasses.asdict(giants[-1])}")
    with step(f"another tenant's event beside one to {SIZES[-1]}"):
        told = await beside(stand, SIZES[-1])
    return giants, told


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    released = Released()
    run_dir = RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / "giants")
    stack = Stack(run_dir, build=released.build)
    stack.down()
    try:
        description = stack.up(strict=False, auth=False)
        stand = Stand(description, {name: released.programs / name for name in FUNCTIONS}, run_dir.path / "bench")
        still(description)
        giants, told = asyncio.run(_measured(stand))
    finally:
        with step("take the stack down"):
            stack.down()
    judge(giants, told)


def judge(giants: list[Giant], told: dict[str, float]) -> None:
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    result = {"giants": [dataclasses.asdict(one) for one in giants], "beside": told}
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    say(json.dumps(told, indent=2))
    over = []
    for one in giants:
        if one.calls_again > AGAIN * max(1, one.webhooks / 10_000):
            over.append(f"{one.calls_again} calls when an event to {one.webhooks} comes again")
        if max(one.peak_mb, one.peak_again_mb) > giants[0].peak_mb + MEMORY:
            over.append(f"{max(one.peak_mb, one.peak_again_mb)} MB at {one.webhooks} webhooks")
    if told["in_one_batch_ratio"] > 2:
        over.append("another tenant's event takes more than twice its usual time")
    if over:
        raise Failed("; ".join(over))


if __name__ == "__main__":
    main(run)
