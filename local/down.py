"""`make down`: ends the local stack that `make up` started, and nothing else."""

from run_dir import RunDir
from stack import Stack
from step import main, say


def run() -> None:
    run_dir = RunDir()
    say(f"{run_dir} is down" if Stack(run_dir).down() else f"{run_dir}: nothing was up")


if __name__ == "__main__":
    main(run)
