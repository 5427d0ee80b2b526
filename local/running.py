"""The stack that runs: what its description says, and clients of its emulator."""

import json
import os
from pathlib import Path
from typing import Any

from deployment import FUNCTIONS
from emulator import answers, client
from run_dir import RunDir
from step import Failed


class Running:
    """The stack that `POSTRIDER_STACK` names, or the run directory's; that none runs is said in a sentence."""

    def __init__(self) -> None:
        self.path = description()
        if not self.path.exists():
            raise Failed(f"no stack runs ({self.path} is not there): `make up` brings one up")
        self.described: dict = json.loads(self.path.read_text())
        if not answers(self.described["endpoint_url"]):
            raise Failed(f"the stack of {self.path} does not answer: `make up` brings it up anew")

    @property
    def emulator_log(self) -> Path:
        return RunDir(self.path.parent).emulator_log

    def function(self, name: str) -> str:
        """A function's name in this stack."""
        functions: dict[str, str] = self.described["functions"]
        if name not in functions:
            raise Failed(f"F={name} is none of the functions: {', '.join(FUNCTIONS)}")
        return functions[name]

    def client(self, service: str) -> Any:
        return client(service, self.described["endpoint_url"])


def description() -> Path:
    """The stack's description. A relative path is meant from where the person stands, whom make had to leave (`STANDS_IN`)."""
    if named := os.environ.get("POSTRIDER_STACK"):
        return Path(os.environ.get("STANDS_IN") or ".", named).resolve()
    return RunDir().stack
