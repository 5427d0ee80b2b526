"""A step: something that `make` does for a person, who wants to know what it is and how long it took."""

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator


class Failed(Exception):
    """A step that cannot go on; its text is for the person at the terminal, without a traceback."""


def say(text: str) -> None:
    """One line, at once: output may be a pipe, and a silent minute looks like a hang."""
    print(text, flush=True)


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Announces what is done now and says afterwards how long it took."""
    say(f"==> {text}")
    started = time.monotonic()
    yield
    say(f"    done in {time.monotonic() - started:.1f} s")


def main(run: Callable[[], None]) -> None:
    """Runs a program of this folder: what a person can act on is one line, all else a traceback."""
    try:
        run()
    except Failed as failure:
        sys.exit(f"\n!!! {failure}")
    except FileNotFoundError as missing:
        program = str(missing.filename)
        # subprocess names a program as it was called; a file that is missing is our mistake, and wants its traceback.
        if "/" in program or shutil.which(program):
            raise
        sys.exit(f'\n!!! {program} is not installed, or not in PATH: README.md, "Two commands", lists what is needed')
    except KeyboardInterrupt:
        sys.exit("\n!!! interrupted")
