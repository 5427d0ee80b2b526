"""All that `make bench` measures, as one summary."""

import dataclasses
from pathlib import Path

import scenarios
from counter import Counter
from dollars import ASSUMED, FLOOR, bill, logs
from down_day import DAY, DownDay, down_day
from growth import Grown, growth, short_queue
from instructions import Executed, several, spreads, typical
from outage import outage
from sending import Sending, sending
from stand import SENDING, Stand
from startup import Started, startup
from step import step
from tally import Tally

EVENTS = 500
ROUNDS = 6
RETRIED = 50
REFUSED = 20
# For which no connection is kept.
APART = 2.0
QUIET = 20
# The standard retry schedule: the first attempt and nine retries.
ATTEMPTS = 10
RECEIVER_SECONDS = 0.2
# The largest page that is drained.
PAGE = 1000


@dataclasses.dataclass
class Measured:
    """What was measured, before it is put into ratios."""

    ways: dict[str, Tally]
    bills: dict[str, dict[str, float]]
    logs: dict[str, float]
    sending: Sending
    starts: dict[str, Started]
    executed: list[Executed]
    sizes: dict[str, float]
    grown: list[Grown]
    short: Tally
    slow: dict[int, scenarios.Slow]
    connections: dict[str, Tally]
    down: DownDay
    fanout_mb: int
    fanout_timeout: int


async def measure(stand: Stand, release: Path, counter: Counter) -> Measured:
    """`release` is the folder of the release programs."""
    executed = await several(stand, release, counter)
    with step("start every function and one that does nothing, turn by turn"):
        starts = await startup(stand, release / "hello")
    with step("send by the bare loop and by deliver's sender, turn by turn"):
        sent = await sending(stand, release / "bare", release / "send")
    ways = {}
    with step(f"deliver {EVENTS} single events, {ROUNDS} times"):
        singles = [await scenarios.first_try(stand, EVENTS) for _ in range(ROUNDS)]
        ways["single"] = min(singles, key=lambda tally: tally.cpu)
    with step("publish in batches of ten; fan out to ten; have attempts refused"):
        ways["batch10"] = await scenarios.first_try(stand, EVENTS, batch=10)
        ways["fanout10"] = await scenarios.first_try(stand, EVENTS // 5, endpoints=10)
        ways["one_retry"] = await scenarios.one_retry(stand, RETRIED)
        ways["refused"] = await scenarios.refusing(stand, REFUSED, ATTEMPTS)
        ways["refused_batched"] = await scenarios.refusing(stand, REFUSED, ATTEMPTS, batch=10)
    down = await measure_down(stand)
    with step(f"wait for receivers that take {RECEIVER_SECONDS} s, one and ten in a batch"):
        slow = {batch: await scenarios.slow(stand, batch, RECEIVER_SECONDS) for batch in (1, 10)}
    with step("open connections: none but the first, one for each last attempt, one for each that comes late"):
        connections = {
            "kept_in_tens": await scenarios.connecting(stand, EVENTS, 10),
            "last_in_tens": await scenarios.connecting(stand, EVENTS, 10, retries=[]),
            "kept_singly": await scenarios.connecting(stand, QUIET * 5, 1),
            "apart_singly": await scenarios.connecting(stand, QUIET, 1, pause=APART),
        }
    grown = []
    for endpoints in (10, 1000, 10000):
        with step(f"fan out to {endpoints} endpoints, deliver some, and fan out again"):
            grown.append(await growth(stand, endpoints))
    with step("deliver while nothing else waits"):
        short = await short_queue(stand)
    memory = {name: stand.memory_mb(name) for name in SENDING}
    posts = {"one_retry": 2, "refused": ATTEMPTS, "refused_batched": ATTEMPTS}
    return Measured(
        ways=ways,
        bills={way: bill(tally, memory, posts.get(way, 1)) for way, tally in (ways | connections).items()},
        logs={way: logs(tally) for way, tally in ways.items()},
        sending=sent,
        starts=starts,
        executed=executed,
        sizes={name: (release / name).stat().st_size / 1e6 for name in (*stand.programs, "hello")},
        grown=grown,
        short=short,
        slow=slow,
        connections=connections,
        down=down,
        fanout_mb=stand.memory_mb("fanout"),
        fanout_timeout=stand.timeout("fanout"),
    )


async def measure_down(stand: Stand) -> DownDay:
    memory = {name: stand.memory_mb(name) for name in (*SENDING, "sweep")}
    with step(f"park {PAGE} deliveries by fan-out, by deliver and after attempts, and drain them; probe, and sweep"):
        return down_day(await outage(stand, PAGE), memory)


def summary_of_down(down: DownDay) -> dict:
    """What a million deliveries cost whose endpoint is down for a day, and what they would if all had been parked one way."""
    return {
        "dollars_per_million": {
            "all": round(down.dollars, 2),
            **{f"parked {way}": round(sum(items.values()), 2) for way, items in down.bills.items()},
        },
        "write_units": {f"parked {way}": round(tally.write, 3) for way, tally in down.outage.ways.items()},
        "dollars_of_the_outage": round(down.of_the_outage, 3),
        "probes": down.outage.probes(DAY),
    }


def summary(measured: Measured) -> dict:
    """Counts and ratios, as `summary.json` holds them."""
    ways, sent, starts = measured.ways, measured.sending, measured.starts
    hello, executed = starts["hello"], typical(measured.executed)
    loop = executed.bare["https_warm"]
    functions = [name for name in starts if name != "hello"]
    batch, one = measured.slow[10], measured.slow[1]
    widest = measured.grown[-1]
    widest_cpu = widest.fan_out.uses["fanout"].cpu
    return {
        "write_units": {way: round(tally.write, 3) for way, tally in ways.items()},
        "read_units": {way: round(tally.read, 3) for way, tally in ways.items()},
        "aws_calls": {way: round(tally.calls, 3) for way, tally in ways.items()},
        "dollars_per_million": {way: round(sum(measured.bills[way].values()), 2) for way in ways},
        "floor_dollars_per_million": round(sum(FLOOR.values()), 2),
        "log_dollars_per_million": {way: round(dollars, 2) for way, dollars in measured.logs.items()},
        "cpu_ratio": {
            "all_functions": round(ways["single"].cpu * 1e6 / sent.bare["https_warm"], 1),
            "all_functions_published_in_batches": round(ways["batch10"].cpu * 1e6 / sent.bare["https_warm"], 1),
            **{f"send_{mode}": round(sent.send[mode] / sent.bare[mode], 2) for mode in sent.bare},
        },
        "cpu_ratio_by_function": {
            name: round(use.cpu / ways["single"].deliveries * 1e6 / sent.bare["https_warm"], 1)
            for name, use in ways["single"].uses.items()
        },
        "instructions": {name: round(count) for name, count in executed.figures().items()},
        "instructions_spread_percent": round(max(spreads(measured.executed).values()), 2),
        "instructions_ratio": {
            "all_functions": round(sum(executed.functions.values()) / loop, 1),
            **{f"send_{mode}": round(executed.send[mode] / executed.bare[mode], 2) for mode in executed.bare},
            "first_https": round(executed.first / loop, 1),
        },
        "instructions_ratio_by_function": {name: round(count / loop, 1) for name, count in executed.functions.items()},
        "first_https_cpu_ms": round(sent.first / 1000, 2),
        "startup_instructions_ratio": {name: round(executed.starts[name] / executed.starts["hello"], 2) for name in functions},
        "startup_ratio": {name: round(starts[name].wall / hello.wall, 2) for name in functions},
        "startup_cpu_ratio": {name: round(starts[name].cpu / hello.cpu, 2) for name in functions},
        "binary_mb": {name: round(size, 2) for name, size in measured.sizes.items()},
        "idle_mb": {name: round(started.memory, 1) for name, started in starts.items()},
        "full_batch_mb": {name: round(mb, 1) for name, mb in ways["single"].memory.items()},
        "calls_per_delivery": {
            "endpoints": {str(grown.endpoints): round(grown.calls, 3) for grown in measured.grown},
            "backlog": {"10": round(measured.short.calls, 3), str(widest.waiting): round(widest.delivered.calls, 3)},
        },
        "fan_out_10000": {
            "invocations": widest.fan_out.uses["fanout"].invocations,
            "calls": widest.fan_out.uses["fanout"].calls.total(),
            "calls_again": widest.again.uses["fanout"].calls.total(),
            "seconds_at_its_share": round(widest_cpu * ASSUMED["vcpu_mb"] / measured.fanout_mb, 1),
            "seconds_allowed": measured.fanout_timeout,
        },
        "connections": {
            way: {
                "handshakes": round(tally.connections / tally.deliveries, 3),
                "resumed": round(tally.resumed / tally.deliveries, 3),
                "deliver_cpu_ratio": round(tally.uses["deliver"].cpu / tally.deliveries * 1e6 / sent.bare["https_warm"], 1),
                "dollars_per_million": round(sum(measured.bills[way].values()), 2),
            }
            for way, tally in measured.connections.items()
        },
        "down_for_a_day": summary_of_down(measured.down),
        "slow_receivers": {
            "turns": {"1": round(one.turns, 2), "10": round(batch.turns, 2)},
            "ten_over_one": round(batch.seconds / one.seconds, 3),
            "billed_ms_per_delivery": {"1": round(one.seconds * 1000, 1), "10": round(batch.seconds * 100, 1)},
        },
    }
