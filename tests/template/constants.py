"""The numbers in the programs' sources, by name: what stands in a `const` outside of functions and tests.

What others rely on, `tests/facts` prints from the values themselves. Bounds are too many to be printed one by one, and one that
is new must not be forgotten; so they are read."""

import functools
import math
import re
import sys
from pathlib import Path

from template import ROOT

sys.path.insert(0, str(ROOT / "local"))

from tree_sitter import Node

from modules import Crate, Name, outside_of_tests, text

NUMBERS = re.compile(r"(?:[ui](?:8|16|32|64|size)|f64|(?:Signed)?Duration)")
SPAN = re.compile(r"\b(?:Signed)?Duration::from_(\w+)\(")
SECONDS = {"millis": 0.001, "secs": 1, "mins": 60, "hours": 3600}
CRATES = ("shared/*", "functions/*")


class Constants(Crate):
    """Those of one crate: each by its path, `deliver::batch::MARGIN`, with its expression."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.expressions: dict[str, str] = {}
        super().__init__(folder / "src" / "lib.rs", ROOT)

    def take(self, name: Name, file: Path, folder: Path, body: Node) -> None:
        for node in outside_of_tests(body):
            if node.type == "const_item" and NUMBERS.fullmatch(text(node.child_by_field_name("type"))):
                path = "::".join((self.name, *name, text(node.child_by_field_name("name"))))
                self.expressions[path] = text(node.child_by_field_name("value"))
        super().take(name, file, folder, body)

    def values(self) -> dict[str, float]:
        return {path: self.value(path) for path in self.expressions}

    def value(self, path: str) -> float:
        """A time in seconds, a size in bytes, whatever the source counts in."""
        expression = SPAN.sub(lambda of: f"{SECONDS[of[1]]} * (", self.expressions[path])
        if expression == "Duration::MAX":
            return math.inf
        around, own = path.rpartition("::")[0], path.rpartition("::")[2]
        for word in {*re.findall(r"\b[A-Z][A-Z_]+\b", expression)} - {own}:
            if f"{around}::{word}" not in self.expressions:
                raise ValueError(f"{path}: {word} is of another module; teach {Path(__file__).name} to read it")
            expression = re.sub(rf"\b{word}\b", str(self.value(f"{around}::{word}")), expression)
        if not re.fullmatch(r"(?:[\d_.]+|[ ()*+-]|<<)+", expression):
            raise ValueError(f"{path}: {expression!r} is more than numbers; teach {Path(__file__).name} to read it")
        value = eval(expression, {"__builtins__": {}})
        return value / 1000 if own.endswith("_MS") else value


@functools.cache
def constants() -> dict[str, float]:
    """All of them, by path."""
    folders = [folder for crates in CRATES for folder in sorted(ROOT.glob(crates)) if (folder / "src" / "lib.rs").exists()]
    return {path: value for folder in folders for path, value in Constants(folder).values().items()}
