"""`make soak`: the long tests at full length, on a stack of their own that is taken down whatever happens."""

import os
import signal
import sys

from run_dir import ROOT, RunDir
from stack import Stack
from step import main, say, step
from suite import E2E, check, install_node_packages

# SOAK, MISSED, OWNER and PACED on the command line make it longer or shorter; SEED repeats its chance.
SCALES = {
    "POSTRIDER_SOAK": os.environ.get("SOAK", "2000"),
    "POSTRIDER_MISSED": os.environ.get("MISSED", "10000"),
    "POSTRIDER_OWNER": os.environ.get("OWNER", "500"),
    "POSTRIDER_PACED": os.environ.get("PACED", "20"),
}


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    run_dir = RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / "soak")
    stack = Stack(run_dir)
    stack.down()
    install_node_packages()
    seed = {"POSTRIDER_SEED": os.environ["SEED"]} if "SEED" in os.environ else {}
    use = {"POSTRIDER_STACK": str(run_dir.stack), **SCALES, **seed}
    try:
        stack.up(strict=False, auth=True)
        check("keep pace with the pages' receivers (cargo test)", [*E2E, "pace::"], **use)
        check("soak (cargo test)", [*E2E, "--ignored", "chaos::soak", "chaos::owner", "chaos::recovery"], **use)
        check("search every log for what must not be there", [*E2E, "--ignored", "logs::"], **use)
    finally:
        with step("take the stack down"):
            stack.down()
    say("\nThe ledger came out even.")


if __name__ == "__main__":
    main(run)
