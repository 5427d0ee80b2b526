"""What may not be exceeded. A figure's limit stands beside it in docs/performance.md.

Those of instructions are a sixth above what run after run says, however busy the machine: they move by a fraction of a
percent, so a sixth more is more work. A time is judged only where it is far from what it may be, as fan-out's is."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from instructions import AGREE

EVERY = "*"
# A page of subscriptions more, spread over thousands of deliveries.
SLACK = 0.01


@dataclasses.dataclass
class Limit:
    """A figure of the summary by its path, `*` for each member, and the most that it may be."""

    path: str
    most: float
    floor: str = ""


LIMITS = [
    # Once in some hundreds of events a tenant's rate is settled, which is a unit.
    Limit("write_units.single", 3 + SLACK, "2: the event and its outcome"),
    Limit("read_units.single", 2, "0"),
    Limit("dollars_per_million.single", 3.70, "2.76"),
    Limit("dollars_per_million.batch10", 2.60, "2.76 less the shared request"),
    Limit("dollars_per_million.fanout10", 1.90),
    Limit("dollars_per_million.refused_batched", 45),
    Limit("down_for_a_day.dollars_per_million.all", 6, "4.90: five write units"),
    Limit("down_for_a_day.dollars_per_million.parked by fan-out", 6),
    Limit("down_for_a_day.dollars_per_million.parked by deliver", 6),
    Limit("instructions_ratio.all_functions", 20, "1: the bare loop"),
    Limit("instructions_ratio.send_http_warm", 1.2, "1"),
    Limit("instructions_ratio.send_https_warm", 1.3, "1"),
    Limit("instructions_ratio.send_https_new", 1.2, "1"),
    Limit("instructions_ratio.first_https", 120),
    Limit("instructions_spread_percent", AGREE, "0"),
    Limit("startup_instructions_ratio.*", 17, "1: a function that does nothing"),
    Limit("binary_mb.*", 7),
    Limit("fan_out_10000.invocations", 2, "2: the stream's turn, and one that goes on"),
    Limit("fan_out_10000.calls", 2_005, "1,400: 25 rows a put, ten messages a call"),
    Limit("fan_out_10000.calls_again", 2_500, "1,500: the same, and 100 rows a read"),
    Limit("fan_out_10000.seconds_at_its_share", 60),
    Limit("connections.kept_in_tens.handshakes", 0.1, "a batch's, once"),
    Limit("connections.last_in_tens.handshakes", 1, "1: a connection of its own"),
    Limit("connections.last_in_tens.dollars_per_million", 3.95, "the same on connections that are kept"),
    Limit("connections.apart_singly.handshakes", 1, "1: nothing is kept that long"),
    Limit("slow_receivers.turns.10", 1, "1: all side by side"),
]


@dataclasses.dataclass
class Verdict:
    """A figure beside its limit."""

    path: str
    value: float
    limit: Limit

    @property
    def holds(self) -> bool:
        return self.value <= self.limit.most


def verdicts(summary: dict) -> list[Verdict]:
    return verdicts_of(summary) + _unchanged(summary)


def verdicts_of(summary: dict, part: str = "") -> list[Verdict]:
    """On that part of it alone."""
    limits = [limit for limit in LIMITS if limit.path.startswith(part)]
    return [Verdict(path, value, limit) for limit in limits for path, value in _found(summary, limit.path.split("."))]


def _found(tree: dict, path: list[str], walked: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if not path:
        yield ".".join(walked), tree
        return
    for name in tree if path[0] == EVERY else [path[0]]:
        yield from _found(tree[name], path[1:], (*walked, name))


def _unchanged(summary: dict) -> list[Verdict]:
    """However many endpoints or messages, a delivery makes no more calls than it does among the fewest."""
    found = []
    for what, growing in summary["calls_per_delivery"].items():
        fewest, *more = growing.items()
        limit = Limit(f"calls_per_delivery.{what}", fewest[1] + SLACK, f"{fewest[1]}: as with {fewest[0]}")
        found += [Verdict(f"{limit.path}.{number}", calls, limit) for number, calls in more]
    return found
