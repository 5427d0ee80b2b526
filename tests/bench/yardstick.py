"""`make instructions`: what a delivery takes in instructions, function by function, several times over.

A yardstick that moves measures nothing: it fails when runs differ by more than five percent, however busy the machine is."""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import page
from counter import Counter
from deployment import FUNCTIONS
from instructions import AGREE, Executed, several, spreads
from own_stack import own_stack, run_dir_of
from released import Released
from run_dir import ROOT
from sources import still
from stand import Stand
from step import Failed, main, say

RESULT = ROOT / "target" / "bench" / "instructions.json"
PAGE = ROOT / "docs" / "performance.md"


def run() -> None:
    run_dir = run_dir_of("bench")
    counter = Counter(run_dir.path / "bench" / "counts")
    released = Released()
    with own_stack(run_dir, released.build) as description:
        stand = Stand(description, {name: released.programs / name for name in FUNCTIONS}, run_dir.path / "bench")
        still(description)
        runs = asyncio.run(_runs(stand, released.programs, counter))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps([one.figures() for one in runs], indent=2) + "\n")
    page.write(PAGE, {"instructions": page.instructions(runs)})
    judge(runs)


async def _runs(stand: Stand, programs: Path, counter: Counter) -> list[Executed]:
    await stand.start()
    return await several(stand, programs, counter)


def judge(runs: list[Executed]) -> None:
    numbers = " ".join(f"{f'run {number}':>10}" for number in range(1, len(runs) + 1))
    say(f"\n{'thousands of instructions':40} {numbers}    spread")
    apart = []
    for name, spread in spreads(runs).items():
        counts = " ".join(f"{one.figures()[name] / 1000:10.1f}" for one in runs)
        say(f"{name:40} {counts} {spread:7.2f} %" + ("" if spread <= AGREE else "   APART"))
        if spread > AGREE:
            apart.append(name)
    say(f"\nThe counts are in {RESULT.relative_to(ROOT)} and in {PAGE.relative_to(ROOT)}.")
    if apart:
        raise Failed(f"runs differ by more than {AGREE:g} %: {'; '.join(apart)}")


if __name__ == "__main__":
    main(run)
