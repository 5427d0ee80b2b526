"""What the programs say, told by themselves: `tests/facts` prints it from the values that the functions use. Only what no value
tells is read from their text (`calls.py`)."""

import functools
import json
import subprocess

from template import ROOT

# At the root and by its name: alone it would be compiled with other features, and everything once more.
PROGRAM = ["cargo", "run", "--quiet", "--bin", "facts"]


@functools.cache
def facts() -> dict:
    """All of it. What is compiled already is only run."""
    done = subprocess.run(PROGRAM, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    assert done.returncode == 0, f"`{' '.join(PROGRAM)}` failed; what it said stands above"
    return json.loads(done.stdout)


def limit(name: str) -> int:
    """A number that others rely on, as tests/facts/src/limits.rs names it; a time in seconds."""
    return facts()["limits"][name]


def dialects() -> dict[str, dict]:
    """The dialects that come with Postrider, by name."""
    return {dialect["name"]: dialect for dialect in facts()["dialects"]}


def routes() -> dict[str, list[dict]]:
    """The routes of each function that answers over HTTP."""
    return facts()["routes"]
