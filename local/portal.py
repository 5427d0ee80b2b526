"""`make portal-test T=name`: the portal and the reference in a real browser, on the stack that runs. Arguments name files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from clients import Command, call
from once import once
from run_dir import ROOT
from running import Running
from step import Failed, main, step

TESTS = ROOT / "tests" / "portal"
# As Debian and others name it.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What cannot go on for ever; what goes well takes a few minutes.
LIMIT = 15 * 60
# How many test files run at once: each has a browser of its own.
AT_ONCE = 2


def run() -> None:
    stack = Running()
    env = os.environ | {"POSTRIDER_STACK": str(stack.path), "CHROMIUM": browser()}
    install_packages()
    wanted = sys.argv[1:] or ["*"]
    files = sorted(str(path.relative_to(ROOT)) for name in wanted for path in TESTS.glob(f"{name}.test.mjs"))
    command = ["node", "--test", f"--test-concurrency={AT_ONCE}", "--test-reporter=spec"]
    if name := os.environ.get("T"):
        command.append(f"--test-name-pattern={name}")
    try:
        code = subprocess.run([*command, *files], cwd=ROOT, env=env, check=False, timeout=LIMIT).returncode
    except subprocess.TimeoutExpired:
        raise Failed(f"the tests in the browser did not end within {LIMIT} s") from None
    if code != 0:
        raise Failed(f"a test in the browser failed; what it saw is in {stack.path.parent / 'pictures'}")


def browser() -> str:
    """The program; where none is there, root gets Debian's."""
    if not (found := installed()) and os.geteuid() == 0 and shutil.which("apt-get"):
        with step("install chromium (apt-get)"):
            apt("update")
            apt("install", "--yes", "--no-install-recommends", "chromium", "fonts-liberation")
        found = installed()
    if not found:
        raise Failed(
            "the tests in a browser need Chromium: on Debian `apt-get install chromium`, or any of " + ", ".join(BROWSERS)
        )
    return found


def installed() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def apt(*arguments: str) -> None:
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3", *arguments]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"apt-get {arguments[0]} failed:\n{done.stdout}")


def install_packages() -> None:
    """What drives the browser and judges pages: into the tests' own folder, once per lock file."""
    npm: Command = ["npm", "ci", "--prefix", TESTS, "--ignore-scripts", "--no-audit", "--no-fund"]
    pins: Path = TESTS / "package-lock.json"
    once("install what drives the browser (npm)", pins, TESTS / "node_modules", lambda: call(npm))


if __name__ == "__main__":
    main(run)
