"""The tables of docs/performance.md: each stands between two marks and is written anew by every run."""

import collections
import re
from functools import partial
from pathlib import Path

from down_day import DownDay
from instructions import Executed, spreads
from limits import verdicts
from measure import Measured
from tally import Tally

NAMES = {
    "single": "published singly",
    "batch10": "in batches of 10",
    "fanout10": "fan-out to 10",
    "one_retry": "one retry",
    "refused": "all 10 refused",
    "refused_batched": "the same, retries ten at a time",
}


def write(path: Path, tables: dict[str, str], by: str = "make bench") -> None:
    """`by` is the command that writes them."""
    text = path.read_text()
    for name, written in tables.items():
        begin, end = f"<!-- {by}: {name} -->", "<!-- end -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"{path} has no place for {name}")
        # A function, since a table's backslashes are its own.
        text = pattern.sub(partial(_put, f"{begin}\n{written}\n{end}"), text)
    path.write_text(text)


def _put(text: str, _: re.Match[str]) -> str:
    return text


def tables(measured: Measured, summary: dict) -> dict[str, str]:
    return {
        "limits": _limits(summary),
        "units": _units(measured),
        "bills": _bills(measured, summary),
        "outage": outage(measured.down),
        "instructions": instructions(measured.executed),
        "cpu": _cpu(summary),
        "connections": _connections(summary),
        "startup": _startup(summary),
        "growth": _growth(summary),
        "slow": _slow(summary),
    }


def _limits(summary: dict) -> str:
    found = verdicts(summary)
    holds = ["yes" if one.holds else "**no**" for one in found]
    rows = [
        (f"`{one.path}`", _number(one.value), _number(one.limit.most), one.limit.floor, word)
        for one, word in zip(found, holds, strict=True)
    ]
    return table(("figure", "measured", "limit", "floor", "holds"), rows)


def _units(measured: Measured) -> str:
    rows = []
    for way, name in NAMES.items():
        tally, first = measured.ways[way], name
        for function, use in tally.uses.items():
            calls = ", ".join(
                f"{call.split(':')[1]} {_number(count / tally.deliveries)}" for call, count in sorted(use.calls.items())
            )
            counted = (_number(count / tally.deliveries) for count in (use.write, use.read))
            rows.append((first, function, _number(use.invocations / tally.deliveries), calls, *counted))
            first = ""
    return table(("way", "function", "invocations", "calls", "write units", "read units"), rows)


def _bills(measured: Measured, summary: dict) -> str:
    items = list(measured.bills["single"])
    rows = [(item, *(f"{measured.bills[way][item]:.2f}" for way in NAMES)) for item in items]
    rows.append(("**all**", *(f"**{summary['dollars_per_million'][way]:.2f}**" for way in NAMES)))
    rows.append(("logs, beside", *(f"{summary['log_dollars_per_million'][way]:.2f}" for way in NAMES)))
    return table(("$ per million", *NAMES.values()), rows)


def outage(down: DownDay) -> str:
    ways = down.outage.ways
    items = list(next(iter(down.bills.values())))
    bills = [(item, *(f"{down.bills[way][item]:.2f}" for way in ways)) for item in items]
    bills.append(("**all**", *(f"**{sum(down.bills[way].values()):.2f}**" for way in ways)))
    counts = [
        ("write units", *(_number(tally.write) for tally in ways.values())),
        ("write units of the list of events", *(_number(tally.listed) for tally in ways.values())),
        ("read units", *(_number(tally.read) for tally in ways.values())),
        ("SQS calls, receiving and deleting apart", *(_number(_sent(tally)) for tally in ways.values())),
        ("invocations", *(_number(_invocations(tally)) for tally in ways.values())),
    ]
    steps = [
        (what, f"{step.times}", _calls(step.tally), _number(step.tally.write), _number(step.tally.read), f"{step.dollars:.4f}")
        for what, step in down.steps.items()
    ]
    steps.append(("**all**", "", "", "", "", f"**{down.of_the_outage:.4f}**"))
    return "\n\n".join(
        [
            table(("counted for a delivery parked", *ways), counts),
            table(("$ per million parked", *ways), bills),
            table(("what the outage does itself", "times a day", "calls", "write units", "read units", "$ a day"), steps),
            f"**A day, a million deliveries: ${down.dollars:.2f}**",
        ]
    )


def _calls(tally: Tally) -> str:
    calls: collections.Counter[str] = collections.Counter()
    for use in tally.uses.values():
        for call, count in use.calls.items():
            calls[call.split(":")[1]] += count
    return ", ".join(f"{call} {_number(count / tally.deliveries)}" for call, count in sorted(calls.items()))


def _sent(tally: Tally) -> float:
    calls = (count for use in tally.uses.values() for call, count in use.calls.items() if call.startswith("sqs:"))
    return sum(calls) / tally.deliveries


def _invocations(tally: Tally) -> float:
    return sum(use.invocations for use in tally.uses.values()) / tally.deliveries


def instructions(runs: list[Executed]) -> str:
    figures = [one.figures() for one in runs]
    rows = [(name, *(f"{one[name] / 1000:,.1f}" for one in figures), f"{spread:.2f} %") for name, spread in spreads(runs).items()]
    return table(("thousands of instructions", *(f"run {number + 1}" for number in range(len(runs))), "spread"), rows)


def _cpu(summary: dict) -> str:
    counted, timed = summary["instructions_ratio"], summary["cpu_ratio"]
    modes = [mode for mode in timed if mode.startswith("send_")]
    rows: list[tuple] = [
        (f"sending, {mode.removeprefix('send_').replace('_', ', ')}", _number(counted[mode]), _number(timed[mode]))
        for mode in modes
    ]
    rows += [
        (f"all of `{name}`", _number(ratio), _number(summary["cpu_ratio_by_function"][name]))
        for name, ratio in summary["instructions_ratio_by_function"].items()
    ]
    rows.append(("**all functions**", *(f"**{_number(ratios['all_functions'])}**" for ratios in (counted, timed))))
    rows.append(("the same, published in batches of 10", "", _number(timed["all_functions_published_in_batches"])))
    return table(("of a delivery, times the bare loop's", "instructions", "CPU time"), rows)


def _connections(summary: dict) -> str:
    names = {
        "kept_in_tens": "ten at a time, with retries to come",
        "last_in_tens": "ten at a time, each a last attempt",
        "kept_singly": "one at a time, at once",
        "apart_singly": "one at a time, two seconds apart",
    }
    rows = [(name, *(_number(figure) for figure in summary["connections"][way].values())) for way, name in names.items()]
    return table(("deliveries", "TLS handshakes", "of them resumed", "CPU of `deliver`", "$ per million"), rows)


def _startup(summary: dict) -> str:
    functions = list(summary["binary_mb"])
    rows = [
        (
            f"`{name}`",
            _number(summary["startup_instructions_ratio"].get(name, 1)),
            _number(summary["startup_ratio"].get(name, 1)),
            _number(summary["startup_cpu_ratio"].get(name, 1)),
            _number(summary["binary_mb"][name]),
            _number(summary["idle_mb"][name]),
            _number(summary["full_batch_mb"][name]) if name in summary["full_batch_mb"] else "",
        )
        for name in functions
    ]
    return table(("program", "instructions", "time", "CPU time", "MB", "MB resident, idle", "after full batches"), rows)


def _growth(summary: dict) -> str:
    calls = summary["calls_per_delivery"]
    rows = [(f"{number} endpoints of a tenant", _number(value)) for number, value in calls["endpoints"].items()]
    rows += [(f"deliver alone, {number} messages wait", _number(value)) for number, value in calls["backlog"].items()]
    widest = summary["fan_out_10000"]
    return "\n\n".join(
        [
            table(("", "AWS calls per delivery"), rows),
            table(
                ("one fan-out to 10,000 endpoints", ""),
                [
                    ("invocations", widest["invocations"]),
                    ("calls", widest["calls"]),
                    ("calls when the stream brings it again", widest["calls_again"]),
                    ("seconds of CPU time, at its memory's share of a processor", widest["seconds_at_its_share"]),
                    ("seconds that it may take", widest["seconds_allowed"]),
                ],
            ),
        ]
    )


def _slow(summary: dict) -> str:
    slow = summary["slow_receivers"]
    rows = [(batch, _number(slow["turns"][batch]), _number(ms)) for batch, ms in slow["billed_ms_per_delivery"].items()]
    return table(("messages in the batch", "turns", "billed ms per delivery"), rows)


def table(head: tuple, rows: list[tuple]) -> str:
    """As Markdown has it."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
