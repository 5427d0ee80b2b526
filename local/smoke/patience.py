"""Waiting for what takes its time, until a deadline of its own, or until nobody wants to know any more."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from smoke.rows import Finding

# What takes moments is given this long, in seconds: a machine may be busy, and a function start anew.
MOMENTS = 90.0
PAUSE = 1.0

Found = TypeVar("Found")


class GivenUp(Exception):
    """Whoever waited was told not to wait any longer."""


class Patience:
    """Shared by all who wait in one run."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def end(self) -> None:
        self._over.set()

    def until(self, look: Callable[[], Found | None], otherwise: Callable[[], str], within: float = MOMENTS) -> Found:
        """What `look` finds; `otherwise` says why it has found nothing by then."""
        deadline = time.monotonic() + within
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise Finding(otherwise())
            if self._over.wait(PAUSE):
                raise GivenUp
        return found
