"""`make up`: brings the local stack up, or deploys again to the one that runs."""

import os
import shlex
import signal
import sys

from link import link
from run_dir import RunDir
from stack import Stack
from step import main, say

# What may be said of the portal, and the template's parameter for it.
PORTAL = {
    "PORTAL_NAME": "PortalName",
    "PORTAL_ACCENT": "PortalAccent",
    "PORTAL_LANGUAGE": "PortalLanguage",
    "PORTAL_FRAME_ANCESTORS": "PortalFrameAncestors",
    "PORTAL_RETURN_URL": "PortalReturnUrl",
}


def flag(name: str) -> bool:
    """A switch of the make command, such as STRICT=1 or AUTH=true."""
    return os.environ.get(name, "").lower() in ("1", "true", "yes")


def run() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    run_dir = RunDir()
    description = Stack(run_dir).up(
        strict=flag("STRICT"),
        auth=flag("AUTH"),
        dialects=os.environ.get("EXTRA_DIALECTS"),
        allowed_target_cidrs=os.environ.get("ALLOWED_TARGET_CIDRS"),
        denied_target_domains=os.environ.get("DENIED_TARGET_DOMAINS"),
        event_types=os.environ.get("EVENT_TYPES"),
        user_agent=os.environ.get("USER_AGENT"),
        outage_seconds=os.environ.get("OUTAGE_SECONDS"),
        portal={name: os.environ[variable] for variable, name in PORTAL.items() if os.environ.get(variable)},
    )
    say(f"\nPostrider is up: {description['api_url']}")
    say(f"All that is needed to use it, the admin key too, is in {run_dir.stack}.\n")
    say("What your customers would see (this link opens once, within five minutes; `make link` makes another):")
    say(f"{link(description)}\n")
    for line in next_steps(run_dir):
        say(line)


def next_steps(run_dir: RunDir) -> list[str]:
    """Each names this stack: whoever has several would otherwise end, or call, another one."""
    steps = {
        f"export STACK={shlex.quote(str(run_dir.stack))}": 'then paste the calls of README.md, "The calls"',
        f"make link{run_dir.chosen}": "another link to the portal",
        f"make logs F=deliver{run_dir.chosen}": "what a function has logged",
        f"make down{run_dir.chosen}": "ends it, and its data with it",
    }
    width = max(map(len, steps))
    return [f"  {command:{width}}  {what}" for command, what in steps.items()]


if __name__ == "__main__":
    main(run)
