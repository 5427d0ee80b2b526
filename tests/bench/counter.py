"""Counts the instructions that a program executes in user space, whatever else the machine does meanwhile.

By Valgrind, which runs a program on a processor of its own making. A real processor's counters would do it without
slowing anything, but virtual machines seldom have them. Cachegrind without its caches is Valgrind's fastest way to count."""

import dataclasses
import itertools
import re
import shutil
import subprocess
from pathlib import Path

from step import Failed

MISSING = """instructions are counted by Valgrind, which is not installed here:
    apt-get install valgrind        (Debian, Ubuntu; as root)
    dnf install valgrind            (Fedora)
Times alone would judge nothing: they move with whatever else the machine does."""


@dataclasses.dataclass
class Count:
    """One process's: what stands before its command, and where the count will be when it has ended."""

    command: list[str]
    path: Path

    def read(self) -> int:
        """Of all its threads, from its start to its end."""
        told = re.search(r"^summary: (\d+)", self.path.read_text(), re.MULTILINE)
        if not told:
            raise Failed(f"{self.path} holds no count")
        self.path.unlink()
        return int(told[1])


class Counter:
    """Made at the beginning of what needs it, so that nobody waits for minutes to read that it is missing."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where the counts are left; it is made before the first."""
        found = shutil.which("valgrind")
        if not found:
            raise Failed(MISSING)
        # All threads take turns on one processor; fairly, or one that waits for another may take its turn again and again.
        self._command = [found, "--quiet", "--tool=cachegrind", "--cache-sim=no", "--fair-sched=try"]
        self._folder = folder
        self._numbers = itertools.count()
        self._try()

    def count(self, name: str) -> Count:
        """For a process that is about to start."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{name}.{next(self._numbers)}.count"
        return Count([*self._command, f"--cachegrind-out-file={path}"], path)

    def _try(self) -> None:
        """Some containers forbid what it does at its start."""
        trial = self.count("trial")
        done = subprocess.run([*trial.command, "/bin/true"], capture_output=True, text=True, check=False)
        if done.returncode != 0 or not trial.path.exists():
            raise Failed(f"Valgrind is installed and cannot count here: {done.stderr.strip()[-500:]}")
        trial.read()
