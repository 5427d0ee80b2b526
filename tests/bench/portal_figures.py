"""`make portal-figures`: how long the portal's pages take, and how its program starts beside the others, into
docs/performance.md. It builds the release programs, the first time for many minutes. `make portal-weights`: what the
pages weigh, which is the same for any build, on the stack that runs."""

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
from run_dir import ROOT
from running import Running
from sources import still
from stand import Stand
from startup import Started, startup
from step import Failed, main, say, step

PAGE = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "tests" / "portal" / "figures.mjs"
LIMIT = 15 * 60


def run() -> None:
    chromium = browser()
    install_packages()
    if sys.argv[1:] == ["weights"]:
        written = weights(measured(Running().path, chromium))
        page.write(PAGE, {"portal": written}, "make portal-weights")
        say(written)
        return
    run_dir = run_dir_of("portal")
    released = Released()
    with own_stack(run_dir, released.build) as description:
        with step("ask for each page again and again"):
            figures = measured(run_dir.stack, chromium)
        still(description)
        stand = Stand(description, {name: released.programs / name for name in FUNCTIONS}, run_dir.path / "bench")
        with step("start each function again and again"):
            starts = asyncio.run(started(stand, released.programs / "hello"))
    tables = {"pages": times(figures), "starts": of_starts(starts, released.programs)}
    page.write(PAGE, tables, "make portal-figures")
    say("\n\n".join(tables.values()))


def measured(stack: Path, chromium: str) -> dict:
    env = os.environ | {"POSTRIDER_STACK": str(stack), "CHROMIUM": chromium}
    done = subprocess.run(["node", FIGURES], cwd=ROOT, env=env, stdout=subprocess.PIPE, check=False, timeout=LIMIT)
    if done.returncode != 0:
        raise Failed("the pages could not be measured")
    return json.loads(done.stdout)


async def started(stand: Stand, hello: Path) -> dict[str, Started]:
    await stand.start()
    return await startup(stand, hello)


def weights(figures: dict) -> str:
    rows = [(f"`{one['page']}`", kilobytes(one["document"]), kilobytes(one["all"])) for one in figures["pages"]]
    rows.append(("the script alone", "", kilobytes(figures["first"]["script"])))
    return page.table(("below `/portal`", "kB of HTML", "kB with all that it loads"), rows)


def times(figures: dict) -> str:
    rows = [(f"`{one['page']}`", f"{one['ms']:.0f}") for one in figures["pages"]]
    rows += [(one["page"], f"{one['ms']:.0f}") for one in figures["others"]]
    return page.table(("below `/portal`", "ms, warm"), rows)


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
