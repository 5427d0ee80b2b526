"""`make soak` and `make faults`: the long tests at full length, on a stack of their own that is taken down whatever happens."""

import os
import signal
import sys
from dataclasses import dataclass

from run_dir import ROOT, RunDir
from stack import Stack
from step import main, say, step
from suite import DIALECTS, E2E, check, install_node_packages


@dataclass(frozen=True)
class Run:
    """Steps with the tests of each, and what makes them longer or shorter: a variable of the command line's, the tests' own
    name of it, and what it is otherwise."""

    steps: dict[str, list[str]]
    scales: list[tuple[str, str, str]]
    end: str


RUNS = {
    "soak": Run(
        steps={
            "keep pace with the pages' receivers (cargo test)": ["pace::"],
            "soak (cargo test)": ["--ignored", "chaos::soak", "chaos::owner", "chaos::recovery"],
        },
        scales=[
            ("SOAK", "POSTRIDER_SOAK", "2000"),
            ("MISSED", "POSTRIDER_MISSED", "10000"),
            ("OWNER", "POSTRIDER_OWNER", "500"),
            ("PACED", "POSTRIDER_PACED", "20"),
        ],
        end="The ledger came out even.",
    ),
    "faults": Run(
        steps={"let AWS fail (cargo test)": ["--ignored", "chaos::fault_runs"]},
        scales=[("EVENTS", "POSTRIDER_FAULT_EVENTS", "200")],
        end="Nothing was lost, and nothing is stuck.",
    ),
}


def run(name: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    long = RUNS[name]
    run_dir = RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / name)
    stack = Stack(run_dir)
    stack.down()
    install_node_packages()
    use = {"POSTRIDER_STACK": str(run_dir.stack)}
    use |= {theirs: os.environ.get(ours, otherwise) for ours, theirs, otherwise in long.scales}
    # SEED repeats a run's chance.
    use |= {"POSTRIDER_SEED": os.environ["SEED"]} if "SEED" in os.environ else {}
    try:
        stack.up(strict=False, auth=True, dialects=DIALECTS)
        for what, tests in long.steps.items():
            check(what, [*E2E, *tests], **use)
        check("search every log for what must not be there", [*E2E, "--ignored", "logs::"], **use)
    finally:
        with step("take the stack down"):
            stack.down()
    say(f"\n{long.end}")


if __name__ == "__main__":
    main(lambda: run(sys.argv[1]))
