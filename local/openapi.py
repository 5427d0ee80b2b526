"""`make openapi`: writes the API's document anew, as the functions' tables of routes and their types say it."""

import subprocess

from run_dir import ROOT
from step import Failed, main, say

DOCUMENT = ROOT / "docs" / "openapi.json"
PROGRAM = ["cargo", "run", "--quiet", "--bin", "facts", "--", "openapi"]


def run() -> None:
    done = subprocess.run(PROGRAM, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failed("the document could not be put together; above stands why")
    was = DOCUMENT.read_text() if DOCUMENT.exists() else None
    DOCUMENT.write_text(done.stdout)
    say(f"{DOCUMENT.relative_to(ROOT)}: {'as it was' if was == done.stdout else 'written anew'}")


if __name__ == "__main__":
    main(run)
