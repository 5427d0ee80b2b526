"""The small version of the bench: what a webhook costs in calls and units, counted on a stack that is up.

A count that has grown is a failure; times and ratios are nobody's here."""

import asyncio
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

import scenarios
from down_day import DAY
from entering import entering
from growth import growth
from lists import lists
from outage import outage
from recovering import recovering
from run_dir import RunDir
from running import Running
from sources import still
from stand import SENDING, Stand
from step import Failed, main, say, step
from tally import Tally

COUNTS = Path(__file__).with_name("counts.json")
EVENTS = 100
PARKED = 50
# What a page's name begins with among the counts.
PAGE = "a page: "
# And a recovery's.
RECOVERY = "a recovery: "
# Counts are exact; this is for sums of thirds.
TOLERANCE = 0.0005


def run() -> None:
    running = Running()
    run_dir, stack = RunDir(running.path.parent), running.described
    programs = {
        name: run_dir.build / f"{name.capitalize()}Function" / "bootstrap" for name in (*SENDING, "jobs", "ledger", "sweep")
    }
    still(stack)
    counted = asyncio.run(_count(Stand(stack, programs, run_dir.path / "bench")))
    if os.environ.get("ACCEPT"):
        COUNTS.write_text(json.dumps(counted, indent=2) + "\n")
    _judge(counted, json.loads(COUNTS.read_text()))


async def _count(stand: Stand) -> dict:
    await stand.start()
    counted = {}
    with step("count calls and units: single, in batches, fanned out, retried, refused, among many endpoints"):
        counted["single"] = _counts(await scenarios.first_try(stand, EVENTS))
        counted["batch10"] = _counts(await scenarios.first_try(stand, EVENTS, batch=10))
        counted["fanout10"] = _counts(await scenarios.first_try(stand, 10, endpoints=10))
        counted["one_retry"] = _counts(await scenarios.one_retry(stand, 10))
        counted["refused"] = _counts(await scenarios.refusing(stand, 10, 10))
        counted["list of events"] = await _listing(stand)
        for endpoints in (10, 300):
            grown = await growth(stand, endpoints)
            counted[f"fan-out among {endpoints}"] = _counts(grown.fan_out)
            counted[f"deliveries among {endpoints}"] = _counts(grown.delivered)
    with step("count what each way in takes until an event's row is there, or a report is applied"):
        for way, tally in (await entering(stand)).items():
            counted[f"in by {way}"] = _counts(tally)
    with step("count them for an endpoint that is down: parked by fan-out and by deliver, after attempts, and the outage itself"):
        down = await outage(stand, PARKED)
        for way, tally in down.ways.items():
            counted[f"parked {way}"] = _counts(tally) | _places(tally, stand)
        for what, tally in down.steps.items():
            counted[f"of an outage: {what}"] = _counts(tally) | _places(tally, stand)
        counted["of an outage: a day's probes"] = {"probes": down.probes(DAY)}
    with step("count them for recoveries, by the event"):
        for name, tally in (await recovering(stand)).items():
            counted[f"{RECOVERY}{name}"] = _counts(tally)
    with step("count them for a page of each list"):
        for name, tally in (await lists(stand)).items():
            counted[f"{PAGE}{name}"] = _counts(tally)
    return counted


async def _listing(stand: Stand) -> dict[str, float]:
    """What a walk over the list of events costs, and how it is kept: `EVENTS` of one tenant, in full batches."""
    listing = await scenarios.listing(stand, EVENTS, 50)
    return {
        "write units an event": round(listing.written, 3),
        "read units a page of 50": round(listing.read_a_page, 3),
        "calls a page of 50": round(listing.calls_a_page, 3),
    }


def _places(tally: Tally, stand: Stand) -> dict[str, float]:
    return {f"write units of {place}": round(units, 3) for place, units in tally.by_place(stand.stack["tables"]).items()}


def _counts(tally: Tally) -> dict[str, float]:
    units = {
        "write units": tally.write,
        "write units of the list": tally.listed,
        "read units": tally.read,
        "schedules": tally.scheduled / tally.deliveries,
    }
    if not tally.listed:
        del units["write units of the list"]
    return {name: round(count, 3) for name, count in (units | tally.by_call()).items()}


def _judge(counted: dict, accepted: dict) -> None:
    grown: list[str] = []
    shrunk: list[str] = []
    for way, counts in counted.items():
        for name in counts | accepted.get(way, {}):
            now, before = counts.get(name, 0), accepted.get(way, {}).get(name, 0)
            if abs(now - before) > TOLERANCE:
                (grown if now > before else shrunk).append(f"{way}: {name} {before} -> {now}")
    for line in shrunk:
        say(f"    less than before: {line}")
    if grown:
        raise Failed("a delivery costs more than tests/bench/counts.json says:\n    " + "\n    ".join(grown))
    say("    No delivery costs more than it did." + (" ACCEPT=1 takes the lower counts over." if shrunk else ""))


if __name__ == "__main__":
    main(run)
