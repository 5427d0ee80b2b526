"""Tests that each want a stack for themselves: one at a time on each of several stacks, whichever is free takes the next."""

import os
import subprocess
import threading
import time
from collections import deque
from pathlib import Path

from run_dir import ROOT
from step import Failed, say

# What the test program says of every run.
NOISE = ("running ", "test ", "test result", "    Finished", "     Running", "   Compiling")


class SideBySide:
    """Goes through a list of tests; each one's output comes whole, when it has ended."""

    def __init__(self, command: list[str], tests: list[str]) -> None:
        """`command` runs the one test whose name is put behind it."""
        self._command = command
        self._waiting = deque(tests)
        self._running: set[subprocess.Popen] = set()
        self._failed: list[str] = []
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def run(self, stacks: list[Path]) -> None:
        """On these stacks, by their descriptions. Every test has its turn, whatever the others come to."""
        wanted = set(self._waiting)
        threads = [threading.Thread(target=self._take_turns, args=(stack,)) for stack in stacks]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            self._end(threads)
        if complaints := [*sorted(self._failed), *(f"{test} had no turn" for test in sorted(wanted - self._told))]:
            raise Failed("\n    ".join(["tests failed, each on a stack of its own:", *complaints]))

    def _take_turns(self, stack: Path) -> None:
        while (turn := self._begin(stack)) is not None:
            test, process, begun = turn
            output, _ = process.communicate()
            with self._lock:
                self._running.discard(process)
                self._tell(test, output, is_good(process.returncode, output), time.monotonic() - begun)

    def _begin(self, stack: Path) -> tuple[str, subprocess.Popen, float] | None:
        """Begins the next test, unless none is left."""
        with self._lock:
            if not self._waiting:
                return None
            test = self._waiting.popleft()
            process = subprocess.Popen(
                [*self._command, test],
                cwd=ROOT,
                env=os.environ | {"POSTRIDER_STACK": str(stack)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            self._running.add(process)
            return test, process, time.monotonic()

    def _tell(self, test: str, output: str, good: bool, seconds: float) -> None:
        self._told.add(test)
        if not good:
            self._failed.append(test)
        lines = [line for line in output.splitlines() if line and (not good or not line.startswith(NOISE))]
        say("\n".join([*lines, f"test {test} ... {'ok' if good else 'FAILED'} ({seconds:.0f} s)"]))

    def _end(self, threads: list[threading.Thread]) -> None:
        """Leaves nothing behind where this was interrupted."""
        with self._lock:
            self._waiting.clear()
            for process in self._running:
                process.terminate()
        for thread in threads:
            thread.join()


def is_good(code: int, output: str) -> bool:
    """A name that no test has is no success."""
    return code == 0 and "running 1 test" in output
