"""What is installed once for all runs."""

import shutil
from collections.abc import Callable
from pathlib import Path

from step import step


def once(what: str, pins: Path, folder: Path, install: Callable[[], None]) -> None:
    """Anew whenever the pins changed; what died half-way counts for nothing."""
    wanted, made_from = pins.read_bytes(), folder / "made-from"
    if made_from.exists() and made_from.read_bytes() == wanted:
        return
    with step(what):
        shutil.rmtree(folder, ignore_errors=True)
        install()
        made_from.write_bytes(wanted)
