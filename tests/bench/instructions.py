"""The instructions that a delivery takes, by function, beside those of the bare loop.

Each is counted by difference: a process that makes few of something, and one that makes many of it, differ by nothing else.
So starting up, and whatever a process does once, is in neither."""

import dataclasses
import os
import statistics
from collections.abc import Awaitable, Callable
from pathlib import Path

import scenarios
from counter import Counter
from sending import MODES, end_of
from stand import Stand
from step import Failed, step

RUNS = 3
# Within so many percent of each other, or they are no yardstick.
AGREE = 5.0
FEW, MANY = 100, 300
NEW = {"few": 10, "many": 30}
# A pair counts only if both did the same beside what they differ in. On a busy machine a connection may have to be opened
# anew, or a row to be read again.
TRIES = 5
# How often each such thing was done.
Beside = tuple[int, ...]


@dataclasses.dataclass
class Executed:
    """By one run: of a POST by the bare loop and by deliver's own sender, by mode; of a process's first delivery; of a
    delivery by function; and of a start, `hello`'s among them."""

    bare: dict[str, float]
    send: dict[str, float]
    first: float
    functions: dict[str, float]
    starts: dict[str, float]

    def figures(self) -> dict[str, float]:
        """All of them by one name each, as they are compared with those of another run."""
        return {
            **{f"start of {name}": count for name, count in self.starts.items()},
            **{f"POST by the bare loop, {spoken(mode)}": count for mode, count in self.bare.items()},
            **{f"POST by the sender, {spoken(mode)}": count for mode, count in self.send.items()},
            "first delivery of a process": self.first,
            **{f"delivery, {name}": count for name, count in self.functions.items()},
            "delivery, all functions": sum(self.functions.values()),
        }


def spoken(mode: str) -> str:
    return mode.replace("_", ", ")


async def executed(stand: Stand, programs: Path, counter: Counter) -> Executed:
    """One run; `programs` is the folder of the release programs."""
    loops: dict[str, dict[str, float]] = {}
    for name in ("bare", "send"):
        loops[name] = {mode: await _post(stand, programs / name, mode, counter) for mode in MODES}
    opened = [await _run(stand, counter, programs / "send", stand.https.url, what) for what in ("none", "first")]
    starts = {name: await _start(stand, name, programs / name, counter) for name in ("hello", *stand.programs)}
    return Executed(loops["bare"], loops["send"], opened[1] - opened[0], await _delivery(stand, counter), starts)


async def several(stand: Stand, programs: Path, counter: Counter) -> list[Executed]:
    """Run after run."""
    runs = []
    for number in range(1, RUNS + 1):
        with step(f"count instructions, run {number} of {RUNS} (this machine's load: {os.getloadavg()[0]:.1f})"):
            runs.append(await executed(stand, programs, counter))
    return runs


def typical(runs: list[Executed]) -> Executed:
    """The median of each figure."""

    def median(each: Callable[[Executed], dict[str, float]]) -> dict[str, float]:
        return {name: statistics.median(each(run)[name] for run in runs) for name in each(runs[0])}

    return Executed(
        bare=median(lambda run: run.bare),
        send=median(lambda run: run.send),
        first=statistics.median(run.first for run in runs),
        functions=median(lambda run: run.functions),
        starts=median(lambda run: run.starts),
    )


def spreads(runs: list[Executed]) -> dict[str, float]:
    """By how many percent the most is over the least, figure by figure."""
    told = [run.figures() for run in runs]
    return {name: (max(one[name] for one in told) / min(one[name] for one in told) - 1) * 100 for name in told[0]}


async def _start(stand: Stand, name: str, program: Path, counter: Counter) -> float:
    """Until it asks for its first event."""
    async with stand.function(name, program, counter) as function:
        pass
    return function.instructions


async def _post(stand: Stand, program: Path, mode: str, counter: Counter) -> float:
    scheme, connections, _ = MODES[mode]
    few, many = (NEW["few"], NEW["many"]) if connections == "new" else (FEW, MANY)
    destination = stand.https if scheme == "https" else stand.http

    async def counted(posts: int) -> tuple[int, Beside]:
        before = destination.connections
        count = await _run(stand, counter, program, destination.url, str(posts), connections)
        return count, (destination.connections - before - (posts if connections == "new" else 0),)

    return await by_difference(counted, few, many)


async def _delivery(stand: Stand, counter: Counter) -> dict[str, float]:
    """Published singly, in full batches from there on, over connections that are kept."""
    counts: dict[int, dict[str, int]] = {}

    async def counted(events: int) -> tuple[int, Beside]:
        customer = await scenarios.customer_of(stand)
        async with stand.flow(counter) as flow:
            # They are published and fanned out before the first is delivered, so that no connection is idle in between.
            rows = await flow.publish(customer, scenarios.EVENT, scenarios.WARM_UP + events)
            messages = await flow.fan_out(rows)
            left = await flow.deliver(messages)
            tally = flow.counted()
        scenarios.check(tally.deliveries == scenarios.WARM_UP + events and not left, "not all were delivered at once")
        counts[events] = {name: function.instructions for name, function in flow.functions.items()}
        # What had waited for more than a second when its POST was to start was read once more.
        reads = tally.uses["deliver"].calls["dynamodb:BatchGetItem"] - tally.uses["deliver"].invocations
        return sum(counts[events].values()), (tally.connections, tally.resumed, reads)

    with stand.https.resuming_nothing():
        await by_difference(counted, FEW, MANY)
    return {name: (counts[MANY][name] - counts[FEW][name]) / (MANY - FEW) for name in counts[FEW]}


async def by_difference(counted: Callable[[int], Awaitable[tuple[int, Beside]]], few: int, many: int) -> float:
    """Of one more; `counted` makes so many of something, and tells instructions and what was done beside it. Unless that is
    the same both times, it is in the difference."""
    for _ in range(TRIES):
        (less, beside), (more, beside_more) = await counted(few), await counted(many)
        if beside == beside_more:
            return (more - less) / (many - few)
    raise Failed(f"{TRIES} times connections were not kept, or rows read again: this machine is too busy to count instructions")


async def _run(stand: Stand, counter: Counter, program: Path, *arguments: str) -> int:
    count = counter.count(program.name)
    await end_of(stand, [*count.command, str(program), *arguments])
    return count.read()
