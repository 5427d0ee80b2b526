"""`make bench`: what a delivered webhook costs, and how far that is from what is possible.

It takes its time: it builds the release programs, the first time for many minutes, and measures for some more."""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import page
from counter import Counter
from deployment import FUNCTIONS
from limits import Verdict, verdicts
from measure import Measured, measure, summary
from own_stack import own_stack, run_dir_of
from released import Released
from run_dir import ROOT
from sources import still
from stand import Stand
from step import Failed, main, say

SUMMARY = ROOT / "target" / "bench" / "summary.json"
PAGE = ROOT / "docs" / "performance.md"


def run() -> None:
    run_dir = run_dir_of("bench")
    counter = Counter(run_dir.path / "bench" / "counts")
    released = Released()
    with own_stack(run_dir, released.build) as description:
        programs = {name: released.programs / name for name in FUNCTIONS}
        stand = Stand(description, programs, run_dir.path / "bench")
        still(description)
        measured = asyncio.run(_measured(stand, released.programs, counter))
    told = summary(measured)
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY.write_text(json.dumps(told, indent=2) + "\n")
    page.write(PAGE, page.tables(measured, told))
    say(f"\nAll of it is in {SUMMARY.relative_to(ROOT)} and in {PAGE.relative_to(ROOT)}.")
    judge(verdicts(told))


async def _measured(stand: Stand, programs: Path, counter: Counter) -> Measured:
    await stand.start()
    return await measure(stand, programs, counter)


def judge(found: list[Verdict]) -> None:
    over = [verdict.path for verdict in found if not verdict.holds]
    say("")
    for verdict in found:
        word = "ok" if verdict.holds else "OVER"
        say(f"{verdict.path:60} {verdict.value:10.3f}   limit {verdict.limit.most:8.3f}   {word}")
    if over:
        raise Failed(f"over their limits: {', '.join(over)}")


if __name__ == "__main__":
    main(run)
