"""`make logs F=deliver`: what a function of the stack that runs has logged, the oldest first."""

import os
import sys
from collections.abc import Iterator
from typing import Any

from deployment import FUNCTIONS
from running import Running
from step import Failed, main

PAGE = 10_000


def run() -> None:
    stack = Running()
    name = os.environ.get("F") or ""
    if not name:
        raise Failed(f"make logs F=...: {', '.join(FUNCTIONS)}")
    for line in lines(stack.client("logs"), f"/aws/lambda/{stack.function(name)}"):
        sys.stdout.write(line.rstrip("\n") + "\n")


def lines(logs: Any, group: str) -> Iterator[str]:
    """The emulator ends at a page without saying so, so the next one begins at the last one's last millisecond, of which
    some were shown. More of one millisecond than a page holds would never end: what is over is left out."""
    since, shown = 0, 0
    while True:
        events = logs.filter_log_events(logGroupName=group, limit=PAGE, startTime=since)["events"]
        yield from (event["message"] for event in events[shown:])
        if len(events) < PAGE:
            return
        last = events[-1]["timestamp"]
        shown = sum(event["timestamp"] == last for event in events) if last > since else 0
        since = last if last > since else since + 1


if __name__ == "__main__":
    main(run)
