"""`make down`: ends the local stack that `make up` started, and nothing else."""

import shlex

from run_dir import RunDir
from stack import Stack
from step import main, say


def run() -> None:
    run_dir = RunDir()
    say(f"{run_dir} is down, and its data is gone" if Stack(run_dir).down() else f"{run_dir}: nothing was up")
    if run_dir.path.exists():
        say(f"Its log, its certificates and its build stay: rm -r {shlex.quote(str(run_dir.path))} removes them.")


if __name__ == "__main__":
    main(run)
