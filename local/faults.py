"""`make faults`: one fault of AWS after another at full length, on a stack of its own that is taken down whatever happens."""

import os
import signal
import sys

from run_dir import ROOT, RunDir
from stack import Stack
from step import main, say, step
from suite import DIALECTS, E2E, check

# EVENTS on the command line makes it longer or shorter; SEED repeats its chance.
EVENTS = os.environ.get("EVENTS", "200")


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    run_dir = RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / "faults")
    stack = Stack(run_dir)
    stack.down()
    seed = {"POSTRIDER_SEED": os.environ["SEED"]} if "SEED" in os.environ else {}
    use = {"POSTRIDER_STACK": str(run_dir.stack), "POSTRIDER_FAULT_EVENTS": EVENTS, **seed}
    try:
        stack.up(strict=False, auth=True, dialects=DIALECTS)
        check("let AWS fail (cargo test)", [*E2E, "--ignored", "chaos::fault_runs"], **use)
        check("search every log for what must not be there", [*E2E, "--ignored", "logs::"], **use)
    finally:
        with step("take the stack down"):
            stack.down()
    say("\nNothing was lost, and nothing is stuck.")


if __name__ == "__main__":
    main(run)
