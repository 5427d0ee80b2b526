"""`make second-opinion`: our real programs under AWS's own Runtime Interface Emulator, with AWS's own envelopes, against moto;
every call of theirs is held against AWS's models and limits, and against the roles that the template gives in production.

The programs are debug builds, or those of the `sam build` folder that BUILD names. What it shows and what it cannot is written in
ARCHITECTURE.md, "A second opinion".
"""

import os
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from build import compile_all, one_at_a_time
from released import Released
from resolved import Resolved
from run_dir import ROOT, RunDir
from stage import OWN_SETTINGS, OWN_SETTINGS_OF, Stage
from step import Failed, main, say, step
from stories import STORIES as ORDINARY
from troubles import STORIES as TROUBLES
from verdict import Verdict


def programs(resolved: Resolved) -> dict[str, Path]:
    """Each function's program."""
    functions = resolved.of_type("AWS::Lambda::Function")
    if build := os.environ.get("BUILD"):
        folder = Path(os.environ.get("STANDS_IN") or ROOT, build).resolve()
        return {name: folder / name / "bootstrap" for name in functions}
    debug = Released().programs.with_name("debug")
    with one_at_a_time(debug.parents[1]), step("compile the functions (cargo; the first time takes minutes)"):
        compile_all()
    return {name: debug / name.removesuffix("Function").lower() for name in functions}


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    begun = time.monotonic()
    resolved = Resolved()
    folder = RunDir(os.environ.get("RUN_DIR") or ROOT / "local" / ".run").path / "second-opinion"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = os.environ.get("T", "")
    with Stage(resolved, programs(resolved), folder) as stage:
        failed = played(stage, wanted)
        verdict = Verdict(stage, is_whole=not wanted and failed is None)
    verdict.tell(OWN_SETTINGS | {key: value for own in OWN_SETTINGS_OF.values() for key, value in own.items()})
    say(f"\n{time.monotonic() - begun:.0f} s in all")
    problems = verdict.problems()
    if failed is not None:
        problems.append(str(failed))
    if problems:
        raise Failed("the second opinion differs:\n" + "\n".join(f"  - {one}" for one in problems))


def played(stage: Stage, wanted: str) -> Failed | None:
    """Plays the stories with that in their names, up to the first that comes to another end than it should: why that was. What
    was judged until then may be its cause."""
    for name, play in (ORDINARY | TROUBLES).items():
        if wanted in name:
            try:
                with step(name):
                    play(stage)
            except Failed as failed:
                return Failed(f"the story {name!r}: {failed}")
            except Exception as failed:  # noqa: BLE001 - what was judged until then is told whatever ended it
                traceback.print_exc()
                return Failed(f"the story {name!r}: {failed!r}")
    return None


if __name__ == "__main__":
    main(run)
