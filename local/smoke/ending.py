"""Being asked to end: it is heard once, and not while what was made is taken away."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

ASKED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def hear() -> None:
    """Also where a pipeline has these ignored: whoever is asked to end takes away what it has made. A hang-up that `nohup` has
    ignored is no such question."""
    for number in ASKED_BY:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Whoever asks again would cut off the very clean-up that he waits for."""
    for number in ASKED_BY:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Whoever asks meanwhile is heard afterwards."""
    came: list[int] = []
    # What is ignored stays so.
    asked_by = [number for number in ASKED_BY if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda asked, _: came.append(asked)) for number in asked_by}
    try:
        yield
    finally:
        for number, heard in before.items():
            signal.signal(number, heard)
    if came:
        raise KeyboardInterrupt
