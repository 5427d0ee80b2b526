"""`make giants`: what an event to very many webhooks costs, turn by turn, and what it costs another tenant's event beside it.

The release program of fan-out is driven as the bench does it, in exact batches, before an AWS that is played (`played.py`). Calls
and megabytes are the figures. Of times only ratios within the run are judged, between medians of turns that alternate.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from build import PROGRAMS
from feeds import queue_batch, stream_batch
from function import Function
from played import SETTINGS, PlayedAws
from process import memory_mb
from released import Released
from run_dir import ROOT
from scenarios import EVENT, check
from step import Failed, main, say, step

SIZES = (1_000, 10_000, 30_000, 50_000)
GIANT, NEIGHBOUR = f"ten_{'g' * 16}", f"ten_{'n' * 16}"
ROUNDS = 40
# Megabytes that the largest may take beyond that of 1,000.
MEMORY = 8
# Calls for each ten thousand webhooks, when the stream brings the event again.
AGAIN = 2_500
# Times the usual, for an event that stands beside a giant.
BESIDE = 2
# From publish to receipt without a giant, as the dashboard would show it: the stream is asked four times a second.
USUAL = 0.4
CONTINUATION_ARN = f"arn:aws:sqs:us-east-1:000000000000:{SETTINGS['CONTINUATION_QUEUE_URL'].rsplit('/', 1)[1]}"
FOLDER = ROOT / "target" / "bench"


@dataclasses.dataclass
class Giant:
    """One event to so many webhooks, and the same batch of the stream once more, in fresh processes."""

    webhooks: int
    invocations: int
    calls: int
    calls_again: int
    idle_mb: float
    peak_mb: float
    peak_again_mb: float


class Turns:
    """Has the program do an event's turns, one after another."""

    def __init__(self, aws: PlayedAws, program: Path) -> None:
        self._aws, self._program = aws, program

    @contextlib.asynccontextmanager
    async def fanout(self) -> AsyncIterator[Function]:
        """A fresh process of it."""
        environment = SETTINGS | {
            "PATH": "/usr/bin:/bin",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": self._aws.url,
            "AWS_LAMBDA_FUNCTION_NAME": "fanout",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/fanout",
            "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
            "RUST_LOG": "info",
        }
        async with Function(self._program, environment, FOLDER / "giants.log", timeout=60) as function:
            yield function

    async def all_of(self, row: dict) -> tuple[int, int, float, float]:
        """Invocations and calls of an event's fan-out, and the megabytes of its process before and at the most."""
        self._aws.take()
        async with self.fanout() as function:
            idle = memory_mb(function.pid)[0]
            await function.invoke(stream_batch([row]))
            invocations = 1 + await self.going_on(function)
            most = memory_mb(function.pid)[1]
        check(not self._aws.left["unfinished"], "something failed; target/bench/giants.log says what")
        return invocations, self._aws.take().total(), round(idle, 1), round(most, 1)

    async def going_on(self, function: Function) -> int:
        """Does what was left to go on until nothing is; in how many turns."""
        turns, left = 0, self._aws.left["continuation"]
        while left:
            done = await function.invoke(queue_batch([left.pop(0)], CONTINUATION_ARN))
            check(not done.answer["batchItemFailures"], "a turn failed; target/bench/giants.log says why")
            turns += 1
        return turns


async def giant(aws: PlayedAws, turns: Turns, webhooks: int) -> Giant:
    aws.subscribe(GIANT, EVENT, webhooks)
    row = aws.publish(GIANT, EVENT, webhooks)
    aws.rows.clear()
    aws.announced.clear()
    invocations, calls, idle, most = await turns.all_of(row)
    check(len(aws.rows) == webhooks, f"{len(aws.rows)} of {webhooks} have a row")
    check(aws.announced.keys() == aws.rows.keys() and set(aws.announced.values()) == {1}, "not each was announced once")
    _, again, _, most_again = await turns.all_of(row)
    check(len(aws.rows) == webhooks, "a run again made something new")
    return Giant(webhooks, invocations, calls, again, idle, most, most_again)


async def beside(aws: PlayedAws, turns: Turns, webhooks: int) -> dict[str, float]:
    """Milliseconds until another tenant's event is announced: alone, in one batch of the stream with a giant, in the batch behind
    it, and while the giant goes on elsewhere; medians, turn by turn."""
    aws.subscribe(GIANT, EVENT, webhooks)
    aws.subscribe(NEIGHBOUR, EVENT, 1)
    numbers = iter(range(1_000_000, 2_000_000))
    taken: dict[str, list[float]] = {"alone": [], "in_one_batch": [], "behind": [], "while_it_goes_on": []}

    async def announced(how: str, function: Function, begun: float, *before: dict) -> None:
        row = aws.publish(NEIGHBOUR, EVENT, next(numbers))
        await function.invoke(stream_batch([*before, row]))
        taken[how].append(aws.first[row["id"]["S"]] - begun)

    async with turns.fanout() as lane, turns.fanout() as other:
        for _ in range(ROUNDS):
            await announced("alone", lane, time.monotonic())
            await announced("in_one_batch", lane, time.monotonic(), aws.publish(GIANT, EVENT, next(numbers)))
            begun = time.monotonic()
            await lane.invoke(stream_batch([aws.publish(GIANT, EVENT, next(numbers))]))
            await announced("behind", lane, begun)
            aws.left["continuation"].clear()
            aws.rows.clear()
        await lane.invoke(stream_batch([aws.publish(GIANT, EVENT, next(numbers))]))
        going_on = asyncio.ensure_future(turns.going_on(other))
        while not going_on.done():
            await announced("while_it_goes_on", lane, time.monotonic())
            await asyncio.sleep(0.05)
        await going_on
    return {how: round(statistics.median(times) * 1000, 1) for how, times in taken.items()}


def ratios(told: dict[str, float]) -> dict[str, float]:
    """How many times as long an event takes from publish to receipt."""
    usual = USUAL * 1000
    return {how: round((usual + ms - told["alone"]) / usual, 2) for how, ms in told.items() if how != "alone"}


async def _measured(program: Path) -> tuple[list[Giant], dict[str, float]]:
    aws = PlayedAws()
    await aws.start()
    turns = Turns(aws, program)
    giants = []
    for webhooks in SIZES:
        with step(f"one event to {webhooks} webhooks, and again"):
            giants.append(await giant(aws, turns, webhooks))
    with step(f"another tenant's events beside one to {SIZES[-1]}"):
        told = await beside(aws, turns, SIZES[-1])
    return giants, told


def run() -> None:
    with step("compile the release program (cargo; the first time takes ten minutes and more on two cores)"):
        if subprocess.run([*PROGRAMS[:-1], "--bin", "fanout", "--release"], cwd=ROOT, check=False).returncode != 0:
            raise Failed("the program does not compile")
    FOLDER.mkdir(parents=True, exist_ok=True)
    giants, told = asyncio.run(_measured(Path(os.environ.get("PROGRAM") or Released().programs / "fanout")))
    result = {"giants": [dataclasses.asdict(one) for one in giants], "ms": told, "ratios": ratios(told)}
    (FOLDER / "giants.json").write_text(json.dumps(result, indent=2) + "\n")
    judge(giants, told)


def judge(giants: list[Giant], told: dict[str, float]) -> None:
    over = []
    say("\nwebhooks  invocations  calls  calls again  MB idle  MB at the most  and again")
    for one in giants:
        most = max(one.peak_mb, one.peak_again_mb)
        say(
            f"{one.webhooks:8}  {one.invocations:11}  {one.calls:5}  {one.calls_again:11}  {one.idle_mb:7}"
            f"  {one.peak_mb:14}  {one.peak_again_mb:9}"
        )
        if one.calls_again > AGAIN * max(1.0, one.webhooks / 10_000):
            over.append(f"{one.calls_again} calls when an event to {one.webhooks} comes again")
        if most > giants[0].peak_mb + MEMORY:
            over.append(f"{most} MB at {one.webhooks} webhooks")
    say(f"\nanother tenant's event, ms until it is announced: {told}\nfrom publish to receipt, times the usual: {ratios(told)}")
    over += [f"{ratio} times the usual {how}" for how, ratio in ratios(told).items() if ratio > BESIDE]
    if over:
        raise Failed("; ".join(over))


if __name__ == "__main__":
    main(run)
