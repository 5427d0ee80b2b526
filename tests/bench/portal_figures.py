"""`make portal-figures`: what the portal's pages weigh and take, and how its program starts beside the others, into
docs/performance.md. It builds the release programs, the first time for many minutes."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import page
from deployment import FUNCTIONS
from own_stack import own_stack, run_dir_of
from portal import browser, install_packages
from released import Released
from run_dir import ROOT, RunDir
from sources import still
from stand import Stand
from startup import Started, startup
from step import Failed, main, say, step

PAGE = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "tests" / "portal" / "figures.mjs"
LIMIT = 15 * 60


def run() -> None:
    run_dir = run_dir_of("portal")
    chromium = browser()
    install_packages()
    released = Released()
    with own_stack(run_dir, released.build) as description:
        with step("ask for each page again and again"):
            figures = measured(run_dir, chromium)
        still(description)
        stand = Stand(description, {name: released.programs / name for name in FUNCTIONS}, run_dir.path / "bench")
        with step("start each function again and again"):
            starts = asyncio.run(started(stand, released.programs / "hello"))
    written = "\n\n".join([of_pages(figures), of_starts(starts, released.programs)])
    page.write(PAGE, {"portal": written}, "make portal-figures")
    say(written)


def measured(run_dir: RunDir, chromium: str) -> dict:
    env = os.environ | {"POSTRIDER_STACK": str(run_dir.stack), "CHROMIUM": chromium}
    done = subprocess.run(["node", FIGURES], cwd=ROOT, env=env, stdout=subprocess.PIPE, check=False, timeout=LIMIT)
    if done.returncode != 0:
        raise Failed("the pages could not be measured")
    return json.loads(done.stdout)


async def started(stand: Stand, hello: Path) -> dict[str, Started]:
    await stand.start()
    return await startup(stand, hello)


def of_pages(figures: dict) -> str:
    rows = [
        (f"`{one['page']}`", kilobytes(one["document"]), kilobytes(one["all"]), f"{one['ms']:.0f}") for one in figures["pages"]
    ]
    rows += [(one["page"], "", "", f"{one['ms']:.0f}") for one in figures["others"]]
    return page.table(("below `/portal`", "kB of HTML", "kB with all that it loads", "ms, warm"), rows)


def of_starts(starts: dict[str, Started], programs: Path) -> str:
    hello = starts["hello"]
    rows = [
        (
            f"`{name}`",
            f"{one.wall / hello.wall:.2f}",
            f"{one.cpu / hello.cpu:.2f}",
            f"{size(programs / name):.2f}",
            f"{one.memory:.1f}",
        )
        for name, one in starts.items()
    ]
    return page.table(("program", "time", "CPU time", "MB", "MB resident, idle"), rows)


def size(program: Path) -> float:
    return program.stat().st_size / 1e6


def kilobytes(count: int) -> str:
    return f"{count / 1000:.1f}"


if __name__ == "__main__":
    main(run)
