"""`make portal-picture`: the portal's picture in README.md, from the stack that runs."""

import os
import subprocess

from portal import TESTS, browser, install_packages
from run_dir import ROOT
from running import Running
from step import Failed, main, say

PICTURE = ROOT / "docs" / "portal.png"


def run() -> None:
    env = os.environ | {"POSTRIDER_STACK": str(Running().path), "CHROMIUM": browser()}
    install_packages()
    if subprocess.run(["node", TESTS / "picture.mjs", PICTURE], cwd=ROOT, env=env, check=False).returncode != 0:
        raise Failed("there is no picture")
    say(f"It is {PICTURE.relative_to(ROOT)}, {PICTURE.stat().st_size / 1000:.0f} kB.")


if __name__ == "__main__":
    main(run)
