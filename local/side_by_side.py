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
        self._lock = threading.Lock()

    def run(self, stacks: list[Path]) -> None:
        """On these stacks, by their descriptions. Every test has its turn, whatever the others come to."""
        threads = [threading.Thread(target=self._take_turns, args=(stack,)) for stack in stacks]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            self._end(threads)
        if self._failed:
            raise Failed("\n    ".join(["tests failed, each on a stack of its own:", *sorted(self._failed)]))

    def _take_turns(self, stack: Path) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    return
                test = self._waiting.popleft()
                begun = time.monotonic()
                done = subprocess.Popen(
                    [*self._command, test],
                    cwd=ROOT,
                    env=os.environ | {"POSTRIDER_STACK": str(stack)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                self._running.add(done)
            output, _ = done.communicate()
            with self._lock:
                self._running.discard(done)
                self._tell(test, output, is_good(done.returncode, output), time.monotonic() - begun)

    def _tell(self, test: str, output: str, good: bool, seconds: float) -> None:
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
