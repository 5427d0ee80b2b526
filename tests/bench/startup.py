"""Start-up: from exec to the first request for an event, of every function and of one that does nothing."""

import dataclasses
from pathlib import Path

from function import Function
from process import memory_mb
from stand import Stand

ROUNDS = 15


@dataclasses.dataclass
class Started:
    """The least of some starts, in seconds, and megabytes resident afterwards."""

    wall: float
    cpu: float
    memory: float


async def startup(stand: Stand, hello: Path) -> dict[str, Started]:
    """By name; turn by turn, so that what else the machine does falls on all alike, and the least of each counts."""
    starts: dict[str, list[Started]] = {}
    for _ in range(ROUNDS):
        for name in ("hello", *stand.programs):
            program = hello if name == "hello" else stand.programs[name]
            async with stand.function(name, program) as function:
                starts.setdefault(name, []).append(_started(function))
    return {name: _least(each) for name, each in starts.items()}


def _started(function: Function) -> Started:
    return Started(function.first_poll, function.first_poll_cpu, memory_mb(function.pid)[0])


def _least(starts: list[Started]) -> Started:
    return Started(*(min(getattr(start, field.name) for start in starts) for field in dataclasses.fields(Started)))
