"""`make up`: brings the local stack up, or deploys again to the one that runs."""

import json
import os
import signal
import sys
from pathlib import Path

from run_dir import RunDir
from stack import Stack
from step import main, say


def flag(name: str) -> bool:
    """A switch of the make command, such as STRICT=1 or AUTH=true."""
    return os.environ.get(name, "").lower() in ("1", "true", "yes")


def extra_dialects() -> str:
    """EXTRA_DIALECTS=some/file.json: an operator's own dialects, on one line as a parameter of the template takes them."""
    path = os.environ.get("EXTRA_DIALECTS")
    return json.dumps(json.loads(Path(path).read_text()), separators=(",", ":"), ensure_ascii=False) if path else ""


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    run_dir = RunDir()
    description = Stack(run_dir).up(strict=flag("STRICT"), auth=flag("AUTH"), extra_dialects=extra_dialects())
    say(f"\nPostrider is up: {description['api_url']}")
    say(f"All that is needed to use it, the admin key too, is in {run_dir.stack}; `make down` ends it.")


if __name__ == "__main__":
    main(run)
