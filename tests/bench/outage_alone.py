"""`make bench-outage`: what an endpoint costs that is down for a day, as `make bench` says it, alone."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import page
from bench import PAGE, judge
from deployment import FUNCTIONS
from down_day import DownDay
from limits import verdicts_of
from measure import measure_down, summary_of_down
from own_stack import own_stack, run_dir_of
from released import Released
from sources import still
from stand import Stand
from step import main

PART = "down_for_a_day"


def run() -> None:
    run_dir = run_dir_of("bench")
    released = Released()
    with own_stack(run_dir, released.build) as description:
        stand = Stand(description, {name: released.programs / name for name in FUNCTIONS}, run_dir.path / "bench")
        still(description)
        down = asyncio.run(_measured(stand))
    page.write(PAGE, {"outage": page.outage(down)})
    judge(verdicts_of({PART: summary_of_down(down)}, PART))


async def _measured(stand: Stand) -> DownDay:
    await stand.start()
    return await measure_down(stand)


if __name__ == "__main__":
    main(run)
