"""`make e2e T=name`: the end-to-end tests with that name, on the stack that runs."""

import os
import subprocess

from run_dir import ROOT
from running import Running
from step import Failed, main, say, step
from suite import AT_ONCE, E2E, names


def run() -> None:
    stack = Running()
    wanted = os.environ.get("T", "").split()
    # What the caller has chosen goes before.
    use = {"RUST_TEST_THREADS": AT_ONCE, "RUST_BACKTRACE": "1"} | os.environ | {"POSTRIDER_STACK": str(stack.path)}
    with step("compile the tests (cargo)"):
        listed, ignored = names(), names("--ignored")
    tests = chosen(listed, ignored, wanted)
    if not tests:
        raise Failed(f"no end-to-end test has {' or '.join(wanted)} in its name (T=delivery::, T=chaos::faults)")
    if subprocess.run([*E2E, "--include-ignored", "--exact", *tests], cwd=ROOT, env=use, check=False).returncode != 0:
        say(f"\nWhat a function logged: make logs F=deliver (or another function); the emulator: {stack.emulator_log}")
        raise Failed("an end-to-end test failed; above stands where")


def chosen(listed: list[str], ignored: list[str], wanted: list[str]) -> list[str]:
    """The tests that have one of these texts in their names. One that is ignored, since it disturbs the others or comes after
    everything, wants to be meant: by the beginning of its name, or by a text that no other has."""
    if not wanted:
        return [name for name in listed if name not in ignored]
    tests = []
    for text in wanted:
        found = [name for name in listed if text in name]
        others = [name for name in found if name not in ignored]
        meant = [name for name in found if name in ignored and (name.startswith(text) or not others)]
        tests += [name for name in found if (name in others or name in meant) and name not in tests]
    return tests


if __name__ == "__main__":
    main(run)
