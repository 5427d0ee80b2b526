"""What a million deliveries cost of an endpoint that is down for a day: counts of each, times how often it happens."""

import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "template"))

from bounds import deployed
from constants import constants
from dollars import bill
from outage import AFTER_ATTEMPTS, BY_FAN_OUT, Outage
from tally import Tally

DAY = 86_400
DELIVERIES = 1_000_000
# POSTs for a delivery: those that failed before the outage began, and the one that is taken.
POSTS = {AFTER_ATTEMPTS: 3}


@dataclasses.dataclass
class Step:
    """What an outage does by itself: how often in the day, and dollars per million times, item by item."""

    tally: Tally
    times: int
    bill: dict[str, float]

    @property
    def dollars(self) -> float:
        """Of all its times."""
        return sum(self.bill.values()) * self.times / 1e6


@dataclasses.dataclass
class DownDay:
    """Dollars per million deliveries by how they came to be parked, item by item, and of an outage's own steps."""

    outage: Outage
    bills: dict[str, dict[str, float]]
    steps: dict[str, Step]
    # Of the day's deliveries, how many in a million were published before the outage had begun.
    early: float

    @property
    def dollars(self) -> float:
        """Of a million deliveries, published evenly over the day: the few before it begins, all others, and the outage itself."""
        ways = {way: sum(items.values()) for way, items in self.bills.items()}
        parked = self.early * ways[AFTER_ATTEMPTS] + (1 - self.early) * ways[BY_FAN_OUT]
        return parked * DELIVERIES / 1e6 + self.of_the_outage

    @property
    def of_the_outage(self) -> float:
        return sum(step.dollars for step in self.steps.values())


def down_day(outage: Outage, memory_mb: dict[str, int]) -> DownDay:
    sweeps = DAY / deployed()["SweepMinutes.Default"]
    times = {"a probe that nobody answers": outage.probes(DAY), "a sweep's look": round(sweeps)}
    return DownDay(
        outage=outage,
        bills={way: bill(tally, memory_mb, POSTS.get(way, 1)) for way, tally in outage.ways.items()},
        steps={what: Step(tally, times.get(what, 1), bill(tally, memory_mb)) for what, tally in outage.steps.items()},
        early=constants()["domain::endpoint::parking::OPENS_AFTER"] / DAY,
    )
