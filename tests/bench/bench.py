"""`make bench`: what a delivered webhook costs, and how far that is from what is possible.

It takes its time: it builds the release programs, the first time for many minutes, and measures for some more."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import page
from counter import Counter
from deployment import FUNCTIONS
from limits import verdicts
from measure import Measured, measure, summary
from released import Released
from run_dir import ROOT, RunDir
from sources import still
from stack import Stack
from stand import Stand
from step import Failed, main, say, step

SUMMARY = ROOT / "target" / "bench" / "summary.json"
PAGE = ROOT / "docs" / "performance.md"


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    run_dir = RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / "bench")
    counter = Counter(run_dir.path / "bench" / "counts")
    released = Released()
    stack = Stack(run_dir, build=released.build)
    stack.down()
    try:
        description = stack.up(strict=False, auth=False)
        programs = {name: released.programs / name for name in FUNCTIONS}
        stand = Stand(description, programs, run_dir.path / "bench")
        still(description)
        measured = asyncio.run(_measured(stand, released.programs, counter))
    finally:
        with step("take the stack down"):
            stack.down()
    told = summary(measured)
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY.write_text(json.dumps(told, indent=2) + "\n")
    page.write(PAGE, page.tables(measured, told))
    judge(told)


async def _measured(stand: Stand, programs: Path, counter: Counter) -> Measured:
    await stand.start()
    return await measure(stand, programs, counter)


def judge(told: dict) -> None:
    over = []
    say("")
    for verdict in verdicts(told):
        word = "ok" if verdict.holds else "OVER"
        say(f"{verdict.path:50} {verdict.value:10.3f}   limit {verdict.limit.most:8.3f}   {word}")
        if not verdict.holds:
            over.append(verdict.path)
    say(f"\nAll of it is in {SUMMARY.relative_to(ROOT)} and in {PAGE.relative_to(ROOT)}.")
    if over:
        raise Failed(f"over their limits: {', '.join(over)}")


if __name__ == "__main__":
    main(run)
