"""`make upgrade`: the version before, deployed to a stack of its own, followed by this one, rolled back, and followed again, with
traffic in every state. Nothing may be lost, and what is sent twice is counted and explained."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pages"))

import build
import earlier
from earlier import Earlier
from endpoints import Endpoints
from ground import Ground
from left_behind import LeftBehind
from passage import Passage
from run_dir import ROOT, RunDir
from step import main, say, step
from traffic import MANY_WAITS, SCHEDULED, Kind

# How long an endpoint takes whose POSTs are to be out when functions change.
A_WHILE = 5.0
# What both versions know. A refusal is an answer, so nothing of it is parked.
OF_BOTH = [
    Kind("pending", 40, seconds=A_WHILE),
    Kind("retrying", 15, {"retry_schedule": MANY_WAITS}, status=422),
    Kind("scheduled", 10, {"retry_schedule": SCHEDULED}, status=422),
    Kind("rotating", 10, {"retry_schedule": MANY_WAITS}, status=422, rotated=True),
    Kind("recovering", 40, {"retry_schedule": []}, status=422, seconds=A_WHILE, recovered=True),
]
# What this version writes and the one before does not know.
OF_THIS_ONE = [
    Kind("limited", 15, {"rate_limit": 1}),
    Kind("tagged", 10, {"filter": {"tags": {"of": ["ours"]}}}, event={"tags": {"of": "ours"}}, seconds=A_WHILE),
    Kind("parked", 10, {"retry_schedule": MANY_WAITS}, status=503),
]
# After so many seconds what is for an endpoint that is down is parked, so that it is while all else goes on.
OUTAGE_SECONDS = "5"


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    before = earlier.find()
    if before is None:
        say(f"skipped: {earlier.BEFORE_RELEASES}, from which every upgrade begins, is not in this clone's history")
        return
    before.make()
    run_dir = RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / "upgrade")
    build.build(run_dir)
    ground = Ground(run_dir)
    ground.close()
    try:
        ground.open()
        with Endpoints(ground.authority.as_json()) as endpoints:
            there_and_back(ground, endpoints, before)
    finally:
        with step("take the stack down"):
            ground.close()
            shutil.rmtree(run_dir.scratch, ignore_errors=True)
    say("\nNothing was lost.")


def there_and_back(ground: Ground, endpoints: Endpoints, before: Earlier) -> None:
    this_one = ground.run_dir.build
    with step(f"deploy {before.name}"):
        ground.deploy(before.build)

    def upgrade(at_last: Callable[[], None]) -> None:
        with step(f"deploy this version over {before.name}"):
            ground.follow(this_one, at_last, OutageSeconds=OUTAGE_SECONDS)

    there = Passage(ground, endpoints, "there", OF_BOTH)
    there.go(upgrade)
    there.settle()
    there.reckon()

    def roll_back(at_last: Callable[[], None]) -> None:
        with step(f"roll back to {before.name}"), LeftBehind(ground) as left_behind:
            ground.follow(before.build, at_last)
            left_behind.bring_back()

    back = Passage(ground, endpoints, "back", [*OF_BOTH, *OF_THIS_ONE])
    back.go(roll_back)
    back.settle(but_for=["parked"])
    back.reckon()

    again = Passage(ground, endpoints, "again", [])
    again.go(upgrade)
    again.settle()
    # What waited goes out once the version that knows of it is back.
    back.settle()
    for passage in (there, back, again):
        passage.reckon()


if __name__ == "__main__":
    main(run)
