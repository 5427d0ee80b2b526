"""A run directory: where one local stack keeps everything of its own, so that several run side by side."""

import os
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


USUAL = ROOT / "local" / ".run"


class RunDir:
    """The files of one local stack, by name. Nothing outside this folder belongs to a stack."""

    def __init__(self, path: str | os.PathLike | None = None) -> None:
        self.path = Path(path or os.environ.get("RUN_DIR") or USUAL).resolve()

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)

    @property
    def stack(self) -> Path:
        """What a test or a person needs to use the stack; it is there only while the stack is up."""
        return self.path / "stack.json"

    @property
    def emulator_record(self) -> Path:
        return self.path / "emulator.json"

    @property
    def emulator_log(self) -> Path:
        return self.path / "emulator.log"

    @property
    def seen(self) -> Path:
        """What the end-to-end tests have seen of the API's document on this stack; it stays when the stack is down."""
        return self.path / "openapi"

    @property
    def scratch(self) -> Path:
        """The emulator's HOME and TMPDIR: it unpacks the functions here and must share it with nobody."""
        return self.path / "scratch"

    @property
    def tls(self) -> Path:
        return self.path / "tls"

    @property
    def build(self) -> Path:
        return self.path / "build"

    @property
    def chosen(self) -> str:
        """What follows `make down`, or any other target, so that this stack is meant and no other."""
        return "" if self.path == USUAL else f" RUN_DIR={shlex.quote(str(self))}"

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT)) if self.path.is_relative_to(ROOT) else str(self.path)
