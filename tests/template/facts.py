"""What the programs say, told by themselves: `tests/facts` prints it from the values that the functions use. Only what no value
tells is read from their text (`calls.py`)."""

import functools
import json
import subprocess

from template import ROOT

# At the root and by its name: alone it would be compiled with other features, and everything once more.
PROGRAM = ["cargo", "run", "--quiet", "--bin", "facts"]


@functools.cache
def printed() -> str:
    """What it prints; nothing, if it does not compile. What is compiled already is only run."""
    return subprocess.run(PROGRAM, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout


@functools.cache
def facts() -> dict:
    """All of it."""
    assert printed(), f"`{' '.join(PROGRAM)}` failed: run it by itself to see why"
    return json.loads(printed())


def limit(name: str) -> int:
    """A number that others rely on, as tests/facts/src/limits.rs names it; a time in seconds."""
    return facts()["limits"][name]


def dialects() -> dict[str, dict]:
    """The dialects that come with Postrider, by name."""
    return {dialect["name"]: dialect for dialect in facts()["dialects"]}


def routes() -> dict[str, list[dict]]:
    """The routes of each function that answers over HTTP."""
    return facts()["routes"]
