"""`make restore`: docs/restore.md, walked as it is printed, on an emulator: into another stack by files, into a second one from
tables that DynamoDB has restored, and upon the tables of a deleted stack. Each has to show the ledger as it was, and to send what
had not ended and nothing else."""

import os
import shutil
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pages"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "upgrade"))

import build
from endpoints import Endpoints
from ground import Ground
from run_dir import ROOT, RunDir
from step import main, say, step
from walks import Walks


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    run_dir = RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run" / "restore")
    build.build(run_dir)
    ground = Ground(run_dir)
    ground.close()
    try:
        ground.open()
        with Endpoints(ground.authority.as_json()) as endpoints:
            Walks(ground, endpoints).go()
    finally:
        with step("take the stacks down"):
            ground.close()
            shutil.rmtree(run_dir.scratch, ignore_errors=True)
    say("\nAll of it is back.")


if __name__ == "__main__":
    main(run)
