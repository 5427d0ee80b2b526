"""A stack of a bench's own: brought up for it, and taken down whatever becomes of it."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from build import build
from run_dir import ROOT, RunDir
from stack import Stack
from step import step


def run_dir_of(name: str) -> RunDir:
    """Where the stack of this bench has its files, unless somebody has chosen another place."""
    return RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / name)


@contextmanager
def own_stack(run_dir: RunDir, gather: Callable[[RunDir], None] = build) -> Iterator[dict]:
    """Its description. It ends with the `with`, also where somebody ends the bench."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    stack = Stack(run_dir, build=gather)
    stack.down()
    try:
        yield stack.up(strict=False, auth=False)
    finally:
        with step("take the stack down"):
            stack.down()
